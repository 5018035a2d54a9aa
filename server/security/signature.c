#include "server/security/signature.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/base64.h"
#include "core/id.h"
#include "core/json.h"
#include "core/mem.h"
#include "server/security/gzip.h"

enum {
	MAC_BYTES = 32,
	MAC_BLOCK = 64,
	HEX_BYTES = 2 * MAC_BYTES,
	COMPRESS_ABOVE = 1024, /* characters of data; protocol section 11 */
};

#define NAME_KEY "__componentName"

struct signing_keys {
	char *secret;
	size_t secret_len;
	int64_t max_age_ms;
	size_t max_state_bytes;
};

/* HMAC is two hashes whose first block depends on the key alone: they are kept begun, and each signature goes on from a
 * copy. */
struct signer {
	const struct signing_keys *keys;
	EVP_MD_CTX *inner;
	EVP_MD_CTX *outer;
	EVP_MD_CTX *work;
	struct buf data;   /* the state as text */
	struct buf packed; /* compressed, base64 */
};

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

struct signing_keys *signing_keys_new(const struct signing_options *options)
{
	struct signing_keys *keys = mem_alloc(sizeof *keys);

	keys->max_age_ms = options->max_age_ms;
	keys->max_state_bytes = options->max_state_bytes;
	if (options->secret.len) {
		keys->secret = mem_strndup(options->secret.ptr, options->secret.len);
		keys->secret_len = options->secret.len;
		return keys;
	}
	unsigned char random[MAC_BYTES];
	id_random(random, sizeof random);
	keys->secret = mem_alloc(HEX_BYTES + 1);
	keys->secret_len = HEX_BYTES;
	to_hex(random, sizeof random, keys->secret);
	return keys;
}

void signing_keys_free(struct signing_keys *keys)
{
	if (!keys)
		return;
	OPENSSL_cleanse(keys->secret, keys->secret_len);
	free(keys->secret);
	free(keys);
}

static EVP_MD_CTX *begin_half(const unsigned char key[MAC_BLOCK], unsigned char pad)
{
	unsigned char block[MAC_BLOCK];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	for (size_t i = 0; i < MAC_BLOCK; i++)
		block[i] = key[i] ^ pad;
	assert_always(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, block, sizeof block));
	OPENSSL_cleanse(block, sizeof block);
	return ctx;
}

/* RFC 2104: a key longer than a block is hashed first. */
static void prepare_mac(struct signer *signer, struct str secret)
{
	unsigned char key[MAC_BLOCK] = {0};
	unsigned len = 0;

	if (secret.len > MAC_BLOCK)
		assert_always(EVP_Digest(secret.ptr, secret.len, key, &len, EVP_sha256(), NULL));
	else
		memcpy(key, secret.ptr, secret.len);
	signer->inner = begin_half(key, 0x36);
	signer->outer = begin_half(key, 0x5c);
	signer->work = EVP_MD_CTX_new();
	assert_always(signer->work);
	OPENSSL_cleanse(key, sizeof key);
}

struct signer *signer_new(const struct signing_keys *keys)
{
	struct signer *signer = mem_alloc(sizeof *signer);

	signer->keys = keys;
	prepare_mac(signer, (struct str){keys->secret, keys->secret_len});
	buf_init(&signer->data, keys->max_state_bytes);
	buf_init(&signer->packed, keys->max_state_bytes);
	return signer;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	EVP_MD_CTX_free(signer->inner);
	EVP_MD_CTX_free(signer->outer);
	EVP_MD_CTX_free(signer->work);
	buf_deinit(&signer->data);
	buf_deinit(&signer->packed);
	free(signer);
}

/* The signed text: componentId:version:timestamp:data, and :nonce if there is one. */
static void mac_of(struct signer *signer, struct str id, uint64_t version, int64_t timestamp, struct str data,
		   struct str nonce, char hex[HEX_BYTES])
{
	unsigned char digest[MAC_BYTES];
	char middle[64];
	int len = snprintf(middle, sizeof middle, ":%" PRIu64 ":%" PRId64 ":", version, timestamp);
	EVP_MD_CTX *work = signer->work;

	bool ok = EVP_MD_CTX_copy_ex(work, signer->inner) && EVP_DigestUpdate(work, id.ptr, id.len) &&
		  EVP_DigestUpdate(work, middle, (size_t)len) && EVP_DigestUpdate(work, data.ptr, data.len) &&
		  (!nonce.ptr || (EVP_DigestUpdate(work, ":", 1) && EVP_DigestUpdate(work, nonce.ptr, nonce.len))) &&
		  EVP_DigestFinal_ex(work, digest, NULL) && EVP_MD_CTX_copy_ex(work, signer->outer) &&
		  EVP_DigestUpdate(work, digest, sizeof digest) && EVP_DigestFinal_ex(work, digest, NULL);
	assert_always(ok);
	to_hex(digest, sizeof digest, hex);
}

/* The state as text with the component's name behind it. */
static void write_data(struct buf *out, const live_value *state, struct str name)
{
	buf_reset(out, 64 * 1024);
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
	struct str text = buf_str(&signer->data);

	if (text.len <= COMPRESS_ABOVE)
		return false;
	buf_reset(&signer->packed, 64 * 1024);
	if (gzip_pack_base64(&signer->packed, text) < 0)
		return false;
	return signer->packed.len * 10 < text.len * 9;
}

void signer_sign(struct signer *signer, const struct signing *what, struct buf *out)
{
	char hex[HEX_BYTES];

	write_data(&signer->data, what->state, what->component_name);
	if (buf_failed(&signer->data))
		return;
	bool compressed = compress_data(signer);
	struct str data = buf_str(compressed ? &signer->packed : &signer->data);
	mac_of(signer, what->component_id, what->version, what->wall_ms, data, (struct str){NULL, 0}, hex);

	buf_append_str(out, STR("{\"data\":"));
	json_write_string(out, data);
	buf_append_str(out, STR(",\"signature\":\""));
	buf_append(out, hex, sizeof hex);
	buf_append_str(out, STR("\",\"timestamp\":"));
	json_write_int(out, what->wall_ms);
	buf_append_str(out, STR(",\"version\":"));
	json_write_int(out, (long long)what->version);
	buf_append_str(out, STR(",\"componentId\":"));
	json_write_string(out, what->component_id);
	buf_append_str(out, compressed ? STR(",\"compressed\":true") : STR(",\"compressed\":false"));
	buf_append_str(out, STR(",\"encrypted\":false}"));
}

static struct str string_at(const live_value *object, const char *key)
{
	const live_value *value = live_get(object, key);
	return (struct str){live_as_string(value), live_as_string(value) ? live_len(value) : 0};
}

/* Verified data into a state. NULL or the protocol's text. */
static const char *unpack(struct signer *signer, struct str data, bool compressed, struct signed_state *out)
{
	const struct json_limits limits = {.max_depth = 256, .flags = JSON_DROP_PROTOTYPE_NAMES};

	if (compressed) {
		buf_reset(&signer->data, 64 * 1024);
		if (gzip_unpack_base64(&signer->data, data) < 0)
			return "Invalid state signature";
		data = buf_str(&signer->data);
	}
	if (json_parse(&out->source, data, &limits, NULL) < 0)
		return "Invalid state signature";
	out->component_name = string_at(out->source, NAME_KEY);
	if (live_value_type(out->source) != LIVE_OBJECT || !out->component_name.ptr) {
		live_value_unref(out->source);
		return "Invalid state signature";
	}
	out->state = live_without(out->source, NAME_KEY);
	return NULL;
}

const char *signer_open(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			struct signed_state *out)
{
	char hex[HEX_BYTES];
	struct str data = string_at(signed_state, "data");
	struct str given = string_at(signed_state, "signature");
	int64_t timestamp = live_as_int(live_get(signed_state, "timestamp"), -1);
	int64_t version = live_as_int(live_get(signed_state, "version"), -1);

	if (!data.ptr || timestamp < 0 || version < 0)
		return "Invalid state signature";
	if (wall_ms - timestamp > signer->keys->max_age_ms)
		return "State expired";
	mac_of(signer, string_at(signed_state, "componentId"), (uint64_t)version, timestamp, data,
	       string_at(signed_state, "nonce"), hex);
	if (given.len != sizeof hex || CRYPTO_memcmp(given.ptr, hex, sizeof hex))
		return "Invalid signature";
	/* The flags are not signed: they can only make unpacking fail. */
	if (live_as_bool(live_get(signed_state, "encrypted")))
		return "Invalid state signature";
	out->version = (uint64_t)version;
	return unpack(signer, data, live_as_bool(live_get(signed_state, "compressed")), out);
}
