#include "server/security/signature.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/security/gzip.h"
#include "server/security/keys.h"
#include "server/security/nonce.h"

enum {
	COMPRESS_ABOVE = 1024, /* bytes of data; protocol section 11 */
	MAX_DEPTH = 512,       /* nesting of a state: what the parser bears */
	KEEP = 64 * 1024,      /* scratch memory kept from one state to the next */
};

#define MAX_INT (INT64_C(1) << 53)
#define NAME_KEY "__componentName"

struct signing_keys {
	struct signing_options options; /* without the secret */
	struct key_set *set;
	struct nonce_store *nonces; /* NULL: off */
};

struct signer {
	const struct signing_keys *keys;
	struct key_ring *ring;
	struct buf middle; /* :version:timestamp: */
	struct buf text;   /* the state as text */
	struct buf packed; /* compressed, base64 */
	struct buf sealed; /* encrypted, base64 */
	struct signer_counters counters;
};

struct signing_keys *signing_keys_new(const struct signing_options *options)
{
	struct signing_keys *keys = mem_alloc(sizeof *keys);

	keys->options = *options;
	keys->options.secret = (struct str){NULL, 0};
	keys->set = key_set_new(options->secret, options->rotation_ms);
	if (options->nonce_ttl_ms)
		keys->nonces = nonce_store_new(options->nonce_ttl_ms);
	return keys;
}

void signing_keys_free(struct signing_keys *keys)
{
	if (!keys)
		return;
	key_set_free(keys->set);
	nonce_store_free(keys->nonces);
	free(keys);
}

struct signer *signer_new(const struct signing_keys *keys)
{
	struct signer *signer = mem_alloc(sizeof *signer);
	size_t limit = keys->options.max_state_bytes;

	signer->keys = keys;
	signer->ring = key_ring_new(keys->set);
	buf_init(&signer->middle, 64);
	buf_init(&signer->text, limit);
	buf_init(&signer->packed, limit);
	buf_init(&signer->sealed, 2 * limit + 64);
	return signer;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	key_ring_free(signer->ring);
	buf_deinit(&signer->middle);
	buf_deinit(&signer->text);
	buf_deinit(&signer->packed);
	buf_deinit(&signer->sealed);
	free(signer);
}

/* What is signed. */
struct signed_text {
	struct str component_id;
	int64_t version;
	int64_t timestamp;
	struct str data;
	struct str nonce; /* ptr NULL: none */
};

static void mac_of(struct signer *signer, struct mac *mac, const struct signed_text *text, char hex[MAC_HEX])
{
	struct buf *middle = &signer->middle;

	buf_reset(middle, KEEP);
	buf_append_char(middle, ':');
	json_write_int(middle, text->version);
	buf_append_char(middle, ':');
	json_write_int(middle, text->timestamp);
	buf_append_char(middle, ':');
	mac_begin(mac);
	mac_add(mac, text->component_id);
	mac_add(mac, buf_str(middle));
	mac_add(mac, text->data);
	if (text->nonce.ptr) {
		mac_add(mac, STR(":"));
		mac_add(mac, text->nonce);
	}
	mac_end_hex(mac, hex);
}

/* ---- signing ---- */

/* The state as text with the component's name behind it. */
static void write_data(struct buf *out, const live_value *state, struct str name)
{
	buf_reset(out, KEEP);
	json_write(out, state);
	if (buf_failed(out) || out->len < 2)
		return;
	out->len--; /* the closing brace */
	if (live_len(state))
		buf_append_char(out, ',');
	buf_append_str(out, STR("\"" NAME_KEY "\":"));
	json_write_string(out, name);
	buf_append_char(out, '}');
}

/* Compressed when that makes it shorter than 0.9 of the text (protocol section 11). */
static bool compress_data(struct signer *signer)
{
	struct str text = buf_str(&signer->text);

	if (!signer->keys->options.compress || text.len <= COMPRESS_ABOVE)
		return false;
	buf_reset(&signer->packed, KEEP);
	if (gzip_pack_base64(&signer->packed, text) < 0)
		return false;
	return signer->packed.len * 10 < text.len * 9;
}

static void write_object(struct buf *out, const struct signed_text *text, const char hex[MAC_HEX], bool compressed,
			 bool encrypted)
{
	buf_append_str(out, STR("{\"data\":"));
	json_write_string(out, text->data);
	buf_append_str(out, STR(",\"signature\":\""));
	buf_append(out, hex, MAC_HEX);
	buf_append_str(out, STR("\",\"timestamp\":"));
	json_write_int(out, text->timestamp);
	buf_append_str(out, STR(",\"version\":"));
	json_write_int(out, text->version);
	buf_append_str(out, STR(",\"componentId\":"));
	json_write_string(out, text->component_id);
	if (text->nonce.ptr) {
		buf_append_str(out, STR(",\"nonce\":"));
		json_write_string(out, text->nonce);
	}
	buf_append_str(out, compressed ? STR(",\"compressed\":true") : STR(",\"compressed\":false"));
	buf_append_str(out, encrypted ? STR(",\"encrypted\":true}") : STR(",\"encrypted\":false}"));
}

void signer_sign(struct signer *signer, const struct signing *what, struct buf *out)
{
	const struct signing_options *options = &signer->keys->options;
	const struct key *key = key_ring_at(signer->ring, what->wall_ms);
	struct signed_text text = {
		.component_id = what->component_id,
		.version = (int64_t)what->version,
		.timestamp = what->wall_ms,
	};
	char hex[MAC_HEX], nonce[NONCE_MAX];

	write_data(&signer->text, what->state, what->component_name);
	if (buf_failed(&signer->text)) {
		counter_add(&signer->counters.too_large, 1);
		return;
	}
	bool compressed = compress_data(signer);
	text.data = buf_str(compressed ? &signer->packed : &signer->text);
	if (options->encrypt) {
		buf_reset(&signer->sealed, KEEP);
		if (cipher_seal(key->cipher, text.data, &signer->sealed) < 0)
			return;
		text.data = buf_str(&signer->sealed);
	}
	if (signer->keys->nonces)
		text.nonce = (struct str){nonce, nonce_make(key->mac, what->wall_ms, nonce)};
	mac_of(signer, key->mac, &text, hex);
	write_object(out, &text, hex, compressed, options->encrypt);
	counter_add(&signer->counters.made, 1);
}

/* ---- opening ---- */

static bool read_string(const live_value *object, const char *key, struct str *out)
{
	const live_value *value = live_get(object, key);

	*out = (struct str){live_as_string(value), live_len(value)};
	return out->ptr;
}

/* An integer of 0 to 2^53. */
static bool read_int(const live_value *object, const char *key, int64_t *out)
{
	const live_value *value = live_get(object, key);

	*out = live_as_int(value, -1);
	return live_value_type(value) == LIVE_INT && *out >= 0 && *out <= MAX_INT;
}

/* A boolean, or nothing, which is false. */
static bool read_flag(const live_value *object, const char *key, bool *out)
{
	const live_value *value = live_get(object, key);

	*out = live_as_bool(value);
	return !value || live_value_type(value) == LIVE_BOOL;
}

struct presented { /* what a client brought, its types checked and nothing else */
	struct signed_text text;
	struct str signature;
	bool compressed;
	bool encrypted;
};

static bool read_presented(const live_value *object, struct presented *out)
{
	*out = (struct presented){0};
	bool nonce_ok = read_string(object, "nonce", &out->text.nonce) || !live_get(object, "nonce");

	return nonce_ok && read_string(object, "data", &out->text.data) &&
	       read_string(object, "signature", &out->signature) &&
	       read_string(object, "componentId", &out->text.component_id) &&
	       /* A colon would let two objects have one signed text. */
	       !memchr(out->text.component_id.ptr, ':', out->text.component_id.len) &&
	       read_int(object, "version", &out->text.version) && read_int(object, "timestamp", &out->text.timestamp) &&
	       read_flag(object, "compressed", &out->compressed) && read_flag(object, "encrypted", &out->encrypted);
}

static const char *check_nonce(struct signer *signer, struct str text, int64_t wall_ms)
{
	struct nonce nonce;
	const char *error = nonce_parse(text, &nonce);

	if (error)
		return error;
	if (!key_ring_is_good(signer->ring, nonce.made_ms, wall_ms))
		return nonce.made_ms < wall_ms ? "Nonce expired" : "Nonce timestamp in the future";
	return nonce_use(signer->keys->nonces, &nonce, key_ring_at(signer->ring, nonce.made_ms)->mac, wall_ms);
}

static const char *verify(struct signer *signer, const struct presented *presented, int64_t wall_ms, bool once)
{
	const struct signed_text *text = &presented->text;
	char hex[MAC_HEX];

	if (wall_ms - text->timestamp > signer->keys->options.max_age_ms)
		return "State expired";
	if (text->timestamp - wall_ms > SIGNATURE_SKEW_MS)
		return "Invalid state signature";
	if (once && signer->keys->nonces && text->nonce.ptr) {
		const char *error = check_nonce(signer, text->nonce, wall_ms);
		if (error)
			return error;
	}
	if (!key_ring_is_good(signer->ring, text->timestamp, wall_ms))
		return "Invalid signature";
	mac_of(signer, key_ring_at(signer->ring, text->timestamp)->mac, text, hex);
	return mac_is_equal(presented->signature, (struct str){hex, sizeof hex}) ? NULL : "Invalid signature";
}

/* The flags are not signed, but data tells by itself what it is: sealed text has colons where base64 has none, and a
 * state begins with a brace. */
static bool flags_agree(struct str data, bool compressed, bool encrypted)
{
	bool is_text = data.len && *data.ptr == '{';
	bool is_sealed = !is_text && data.len && memchr(data.ptr, ':', data.len);

	return encrypted ? is_sealed : !is_sealed && compressed != is_text;
}

/* Verified data as the state's text. */
static bool unpack(struct signer *signer, const struct presented *presented, struct str *text)
{
	struct str data = presented->text.data;

	if (!flags_agree(data, presented->compressed, presented->encrypted))
		return false;
	if (presented->encrypted) {
		struct cipher *cipher = key_ring_at(signer->ring, presented->text.timestamp)->cipher;
		buf_reset(&signer->sealed, KEEP);
		if (cipher_open(cipher, data, &signer->sealed) < 0)
			return false;
		data = buf_str(&signer->sealed);
		if (!flags_agree(data, presented->compressed, false))
			return false;
	}
	if (presented->compressed) {
		buf_reset(&signer->text, KEEP);
		if (gzip_unpack_base64(&signer->text, data) < 0)
			return false;
		data = buf_str(&signer->text);
	}
	*text = data;
	return data.len <= signer->keys->options.max_state_bytes;
}

static bool read_state(struct str text, struct signed_state *out)
{
	const struct json_limits limits = {.max_depth = MAX_DEPTH, .flags = JSON_DROP_PROTOTYPE_NAMES};

	if (json_parse(&out->source, text, &limits, NULL) < 0)
		return false;
	if (live_value_type(out->source) != LIVE_OBJECT) {
		live_value_unref(out->source);
		return false;
	}
	if (!read_string(out->source, NAME_KEY, &out->component_name))
		out->component_name = (struct str){NULL, 0};
	out->state = live_without(out->source, NAME_KEY);
	return true;
}

static const char *open_state(struct signer *signer, const live_value *signed_state, int64_t wall_ms, bool once,
			      struct signed_state *out)
{
	struct presented presented;
	struct signed_state opened = {0};
	struct str text;

	if (!read_presented(signed_state, &presented))
		return "Invalid state signature";
	const char *error = verify(signer, &presented, wall_ms, once);
	if (error)
		return error;
	if (!unpack(signer, &presented, &text) || !read_state(text, &opened))
		return "Invalid state signature";
	opened.version = (uint64_t)presented.text.version;
	*out = opened;
	return NULL;
}

static const char *count(struct signer *signer, const char *error)
{
	counter_add(error ? &signer->counters.refused : &signer->counters.accepted, 1);
	return error;
}

const char *signer_verify(struct signer *signer, const live_value *signed_state, int64_t wall_ms)
{
	struct presented presented;

	return read_presented(signed_state, &presented) ? verify(signer, &presented, wall_ms, false)
							: "Invalid state signature";
}

const char *signer_open(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			struct signed_state *out)
{
	return count(signer, open_state(signer, signed_state, wall_ms, false, out));
}

const char *signer_open_once(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			     struct signed_state *out)
{
	return count(signer, open_state(signer, signed_state, wall_ms, true, out));
}

const struct signer_counters *signer_counters(const struct signer *signer)
{
	return &signer->counters;
}
