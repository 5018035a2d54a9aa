#include "redis/room_message.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/assert.h"
#include "core/json.h"
#include "core/msgpack.h"

/* A byte that no MessagePack value begins with: what follows one is the signature. */
#define TRAILER '\xc1'
#define SIGNATURE_NAME ",\"sig\":\""

enum {
	HEX_BYTES = 2 * ROOM_SIGNATURE_BYTES,
	/* ,"sig":"<hex>"} */
	JSON_SIGNATURE_BYTES = sizeof SIGNATURE_NAME - 1 + HEX_BYTES + 2,
	TRAILER_BYTES = 1 + ROOM_SIGNATURE_BYTES,
};

/* ---- signatures ---- */

static void hmac(unsigned char out[ROOM_SIGNATURE_BYTES], struct str secret, struct str bytes)
{
	unsigned len = 0;
	const void *ok =
		HMAC(EVP_sha256(), secret.ptr, (int)secret.len, (const unsigned char *)bytes.ptr, bytes.len, out, &len);

	assert_always(ok && len == ROOM_SIGNATURE_BYTES);
}

static void to_hex(char *to, const unsigned char *bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < ROOM_SIGNATURE_BYTES; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
}

bool room_signature_is_equal(struct str a, struct str b)
{
	return a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Signs what to holds from start on. */
static void sign(struct buf *to, size_t start, const struct room_format *format)
{
	unsigned char signature[ROOM_SIGNATURE_BYTES];
	char hex[HEX_BYTES];

	if (format->secret.len == 0 || buf_failed(to))
		return;
	hmac(signature, format->secret, (struct str){to->ptr + start, to->len - start});
	if (format->msgpack) {
		buf_append_char(to, TRAILER);
		buf_append(to, signature, sizeof signature);
		return;
	}
	/* The closing brace is signed, too, and comes again behind the signature. */
	to_hex(hex, signature);
	to->len--;
	buf_append_str(to, STR(SIGNATURE_NAME));
	buf_append(to, hex, sizeof hex);
	buf_append_str(to, STR("\"}"));
}

static bool is_msgpack(struct str bytes)
{
	return bytes.len && (unsigned char)bytes.ptr[0] >= 0x80;
}

static int check_json(struct str bytes, const struct room_format *format)
{
	unsigned char signature[ROOM_SIGNATURE_BYTES];
	char hex[HEX_BYTES];

	if (bytes.len <= JSON_SIGNATURE_BYTES)
		return -EACCES;
	struct str text = {bytes.ptr, bytes.len - JSON_SIGNATURE_BYTES};
	struct str tail = {bytes.ptr + text.len, JSON_SIGNATURE_BYTES};
	if (!str_starts_with(tail, STR(SIGNATURE_NAME)))
		return -EACCES;
	buf_append_str(format->scratch, text);
	buf_append_char(format->scratch, '}');
	hmac(signature, format->secret, buf_str(format->scratch));
	buf_reset(format->scratch, 65536);
	to_hex(hex, signature);
	struct str given = {tail.ptr + sizeof SIGNATURE_NAME - 1, HEX_BYTES};
	return room_signature_is_equal(given, (struct str){hex, sizeof hex}) ? 0 : -EACCES;
}

/* Cuts a trailer off *bytes, if it has one, and checks it when signatures are wanted. */
static int check_msgpack(struct str *bytes, const struct room_format *format)
{
	unsigned char signature[ROOM_SIGNATURE_BYTES];
	bool has_trailer = bytes->len > TRAILER_BYTES && bytes->ptr[bytes->len - TRAILER_BYTES] == TRAILER;

	if (format->secret.len == 0) {
		/* A 0xc1 there may be by chance; then the whole is a value, and without its end it is none. */
		const live_value *whole;
		if (has_trailer && msgpack_parse(&whole, *bytes, MSGPACK_MAX_DEPTH) == 0)
			live_value_unref(whole);
		else if (has_trailer)
			bytes->len -= TRAILER_BYTES;
		return 0;
	}
	if (!has_trailer)
		return -EACCES;
	bytes->len -= TRAILER_BYTES;
	hmac(signature, format->secret, *bytes);
	struct str given = {bytes->ptr + bytes->len + 1, ROOM_SIGNATURE_BYTES};
	return room_signature_is_equal(given, (struct str){(char *)signature, sizeof signature}) ? 0 : -EACCES;
}

/* ---- writing ---- */

static const char *const type_names[] = {
	[ROOM_MESSAGE_EVENT] = "event",
	[ROOM_MESSAGE_STATE] = "state",
	[ROOM_MESSAGE_MEMBERSHIP] = "membership",
	[ROOM_MESSAGE_PRESENCE] = "presence",
};

static void put_text(struct buf *to, struct str name, struct str text)
{
	buf_append_str(to, name);
	json_write_string(to, text);
}

static bool begins_lineage(const struct room_message *m)
{
	return m->after.len && !str_equal(m->after, m->lineage);
}

static void put_json(struct buf *to, const struct room_message *m)
{
	put_text(to, STR("{\"type\":"), str_of(type_names[m->type]));
	put_text(to, STR(",\"roomId\":"), m->room_id);
	if (m->type == ROOM_MESSAGE_EVENT) {
		put_text(to, STR(",\"event\":"), m->event);
		if (m->data.len) { /* undefined is left out */
			buf_append_str(to, STR(",\"data\":"));
			buf_append_str(to, m->data);
		}
	} else if (m->type == ROOM_MESSAGE_STATE) {
		buf_append_str(to, STR(",\"updates\":"));
		json_write(to, m->updates);
	} else if (m->type == ROOM_MESSAGE_MEMBERSHIP) {
		put_text(to, STR(",\"action\":"), m->joined ? STR("join") : STR("leave"));
		put_text(to, STR(",\"componentId\":"), m->member_id);
	}
	put_text(to, STR(",\"origin\":"), m->origin);
	if (m->version) {
		buf_printf(to, ",\"v\":%" PRIu64, m->version);
		put_text(to, STR(",\"e\":"), m->lineage);
		if (begins_lineage(m))
			put_text(to, STR(",\"p\":"), m->after);
		if (m->commit)
			buf_printf(to, ",\"c\":%" PRIu64, m->commit);
	}
	if (m->node.len)
		put_text(to, STR(",\"node\":"), m->node);
	if (m->members >= 0)
		buf_printf(to, ",\"members\":%" PRId64, m->members);
	buf_append_char(to, '}');
}

static const live_value *text_value(struct str text)
{
	return live_string_len(text.ptr, text.len);
}

static const live_value *with(const live_value *object, const char *key, const live_value *value)
{
	const live_value *next = live_with(object, key, value);

	live_value_unref(object);
	return next;
}

static const live_value *data_value(struct str data, const struct room_format *format)
{
	const struct json_limits limits = {.max_depth = format->max_depth, .flags = JSON_WIDE_INTEGERS};
	const live_value *value;

	return json_parse(&value, data, &limits, NULL) == 0 ? value : live_null();
}

static void put_msgpack(struct buf *to, const struct room_message *m, const struct room_format *format)
{
	const live_value *map =
		live_object("type", live_string(type_names[m->type]), "roomId", text_value(m->room_id), NULL);

	if (m->type == ROOM_MESSAGE_EVENT) {
		map = with(map, "event", text_value(m->event));
		if (m->data.len)
			map = with(map, "data", data_value(m->data, format));
	} else if (m->type == ROOM_MESSAGE_STATE) {
		map = with(map, "updates", live_value_ref(m->updates));
	} else if (m->type == ROOM_MESSAGE_MEMBERSHIP) {
		map = with(map, "action", live_string(m->joined ? "join" : "leave"));
		map = with(map, "componentId", text_value(m->member_id));
	}
	map = with(map, "origin", text_value(m->origin));
	if (m->version) {
		map = with(map, "v", live_int((int64_t)m->version));
		map = with(map, "e", text_value(m->lineage));
		if (begins_lineage(m))
			map = with(map, "p", text_value(m->after));
		if (m->commit)
			map = with(map, "c", live_int((int64_t)m->commit));
	}
	if (m->node.len)
		map = with(map, "node", text_value(m->node));
	if (m->members >= 0)
		map = with(map, "members", live_int(m->members));
	msgpack_write_wide(to, map);
	live_value_unref(map);
}

void room_message_encode(struct buf *to, const struct room_message *message, const struct room_format *format)
{
	size_t start = to->len;

	if (format->msgpack)
		put_msgpack(to, message, format);
	else
		put_json(to, message);
	sign(to, start, format);
}

/* ---- reading ---- */

/* Texts of the tree go to text, since the tree goes. As offsets first, since text may move. */
struct text_place {
	struct str *to;
	size_t at;
	size_t len;
};

static void place_text(struct text_place *place, struct str *to, struct buf *text, const live_value *value)
{
	*place = (struct text_place){to, text->len, 0};
	if (live_value_type(value) == LIVE_STRING)
		buf_append(text, live_as_string(value), live_len(value));
	place->len = text->len - place->at;
}

static int take_tree(struct room_message *m, const live_value *tree, struct buf *text)
{
	struct text_place places[8];
	const live_value *type = live_get(tree, "type");
	const live_value *data = live_get(tree, "data");
	const char *name = live_as_string(type);

	*m = (struct room_message){.members = live_as_int(live_get(tree, "members"), -1)};
	for (m->type = 0; name && m->type <= ROOM_MESSAGE_PRESENCE; m->type++) {
		if (!strcmp(name, type_names[m->type]))
			break;
	}
	if (!name || m->type > ROOM_MESSAGE_PRESENCE)
		return -EINVAL;
	place_text(&places[0], &m->room_id, text, live_get(tree, "roomId"));
	place_text(&places[1], &m->event, text, live_get(tree, "event"));
	place_text(&places[2], &m->member_id, text, live_get(tree, "componentId"));
	place_text(&places[3], &m->origin, text, live_get(tree, "origin"));
	place_text(&places[4], &m->lineage, text, live_get(tree, "e"));
	place_text(&places[5], &m->node, text, live_get(tree, "node"));
	place_text(&places[6], &m->after, text, live_get(tree, live_get(tree, "p") ? "p" : "e"));
	places[7] = (struct text_place){&m->data, text->len, 0};
	if (data)
		json_write(text, data);
	places[7].len = text->len - places[7].at;
	if (buf_failed(text))
		return -EINVAL;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		*places[i].to = places[i].len ? (struct str){text->ptr + places[i].at, places[i].len} : STR("");
	const char *action = live_as_string(live_get(tree, "action"));
	m->joined = action && !strcmp(action, "join");
	int64_t version = live_as_int(live_get(tree, "v"), 0), commit = live_as_int(live_get(tree, "c"), 0);
	if (version < 0 || commit < 0)
		return -EINVAL;
	m->version = (uint64_t)version;
	m->commit = (uint64_t)commit;
	if (m->type == ROOM_MESSAGE_STATE) {
		const live_value *updates = live_get(tree, "updates");
		if (live_value_type(updates) != LIVE_OBJECT)
			return -EINVAL;
		m->updates = live_value_ref(updates);
	}
	return 0;
}

int room_message_decode(struct room_message *message, struct str bytes, const struct room_format *format,
			struct buf *text)
{
	const struct json_limits limits = {.max_depth = format->max_depth,
					   .flags = JSON_DROP_PROTOTYPE_NAMES | JSON_WIDE_INTEGERS};
	const live_value *tree;
	int rc;

	if (is_msgpack(bytes)) {
		rc = check_msgpack(&bytes, format);
		if (rc == 0)
			rc = msgpack_parse(&tree, bytes, MSGPACK_MAX_DEPTH);
	} else {
		rc = format->secret.len ? check_json(bytes, format) : 0;
		if (rc == 0)
			rc = json_parse(&tree, bytes, &limits, NULL);
	}
	if (rc < 0)
		return rc == -EACCES ? rc : -EINVAL;
	rc = take_tree(message, tree, text);
	live_value_unref(tree);
	return rc;
}

/* ---- stored states ---- */

void room_state_encode(struct buf *to, const live_value *state, const struct room_format *format)
{
	if (format->msgpack)
		msgpack_write_wide(to, state);
	else
		json_write(to, state);
}

const live_value *room_state_decode(struct str bytes, const struct room_format *format)
{
	const struct json_limits limits = {.max_depth = format->max_depth,
					   .flags = JSON_DROP_PROTOTYPE_NAMES | JSON_WIDE_INTEGERS};
	const live_value *state = NULL;
	int rc = is_msgpack(bytes) ? msgpack_parse(&state, bytes, MSGPACK_MAX_DEPTH)
				   : json_parse(&state, bytes, &limits, NULL);

	if (rc == 0 && live_value_type(state) == LIVE_OBJECT)
		return state;
	if (rc == 0)
		live_value_unref(state);
	return NULL;
}

void room_state_sign(char hex[HEX_BYTES], struct str room_id, uint64_t version, struct str bytes,
		     const struct room_format *format)
{
	unsigned char signature[ROOM_SIGNATURE_BYTES];

	buf_printf(format->scratch, "%.*s %" PRIu64 " ", STR_ARG(room_id), version);
	buf_append_str(format->scratch, bytes);
	hmac(signature, format->secret, buf_str(format->scratch));
	buf_reset(format->scratch, 65536);
	to_hex(hex, signature);
}
