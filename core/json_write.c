#include "core/json.h"

#include "core/base64.h"
#include "core/json_put.h"
#include "core/plain.h"
#include "core/value_walk.h"

/*
 * A tree is printed container by container. What needs no look, which the values know, is put in place at once with its
 * name and comma when the buffer has the room for all three; all else goes the general way, which appends piece by
 * piece, makes room and keeps the buffer's limit to the byte.
 */

/* ---- strings ---- */

/* The first byte from at on that cannot be written as it is: the end of what is plain, but for sequences that are
 * not ASCII, of which only those that may be surrogates (ED ...) matter. */
static const char *verbatim_end(const char *at, const char *end)
{
	for (;;) {
		at = plain_end(at, end);
		if (at == end || (unsigned char)*at < 0x80 || *at == '\xed')
			return at;
		while (at < end && (unsigned char)*at >= 0x80 && *at != '\xed')
			at++;
	}
}

/* Writes the escape for the byte or surrogate at at to to (6 bytes of room); *len is how long the escape is. Returns
 * the bytes of at that it stands for. */
static size_t escape(char *to, size_t *len, const char *at, const char *end)
{
	static const char hex[16] = "0123456789abcdef";
	static const char short_forms[] = "btn?fr"; /* from 0x08 on */
	unsigned char byte = (unsigned char)*at;

	*len = 2;
	to[0] = '\\';
	if (byte == '"' || byte == '\\') {
		to[1] = *at;
		return 1;
	}
	if (byte >= '\b' && byte <= '\r' && byte != '\v') {
		to[1] = short_forms[byte - '\b'];
		return 1;
	}
	unsigned unit = byte;
	size_t taken = 1;
	if (byte == 0xed) {
		bool surrogate = end - at >= 3 && (unsigned char)at[1] >= 0xa0;
		if (!surrogate) {
			to[0] = *at;
			*len = 1;
			return 1;
		}
		unit = 0xd000u | ((unsigned)at[1] & 0x3f) << 6 | ((unsigned)at[2] & 0x3f);
		taken = 3;
	}
	to[1] = 'u';
	for (int i = 0; i < 4; i++)
		to[2 + i] = hex[unit >> (12 - 4 * i) & 15];
	*len = 6;
	return taken;
}

/* Any string, piece by piece. */
static void write_escaped(struct buf *to, struct str s)
{
	const char *at = s.ptr, *end = s.ptr + s.len;

	buf_append_char(to, '"');
	while (at < end) {
		const char *stop = verbatim_end(at, end);
		buf_append(to, at, (size_t)(stop - at));
		if (stop == end)
			break;
		char escaped[6];
		size_t len;
		at = stop + escape(escaped, &len, stop, end);
		buf_append(to, escaped, len);
	}
	buf_append_char(to, '"');
}

/* Room for want bytes, or NULL when there is not so much, which need not be an error: then the exact way is taken. */
static inline char *spare(struct buf *to, size_t want)
{
	if (to->failed || (to->cap - to->len < want && !buf_try_reserve(to, want)))
		return NULL;
	return to->ptr + to->len;
}

void json_write_string(struct buf *to, struct str s)
{
	char *at = spare(to, s.len + 2);
	if (!at || !plain_copy(at + 1, s)) {
		write_escaped(to, s);
		return;
	}
	at[0] = '"';
	at[s.len + 1] = '"';
	to->len += s.len + 2;
}

/* ---- numbers ---- */

void json_write_int(struct buf *to, long long number)
{
	char text[JSON_NUMBER_ROOM];
	buf_append(to, text, (size_t)(json_put_int(text, number) - text));
}

void json_write_double(struct buf *to, double number)
{
	char text[JSON_NUMBER_ROOM];
	buf_append(to, text, (size_t)(json_put_double(text, number) - text));
}

/* ---- trees ---- */

static void write_base64(struct buf *to, struct str bytes)
{
	buf_append_char(to, '"');
	base64_encode(to, bytes);
	buf_append_char(to, '"');
}

/* Writes value; of a container that is not empty the opening bracket alone. */
static void write_value(struct buf *to, const live_value *value)
{
	switch ((live_type)value->type) {
	case LIVE_NULL: buf_append_str(to, STR("null")); break;
	case LIVE_BOOL: buf_append_str(to, value->boolean ? STR("true") : STR("false")); break;
	case LIVE_INT: json_write_int(to, value->integer); break;
	case LIVE_DOUBLE: json_write_double(to, value->number); break;
	case LIVE_STRING: json_write_string(to, value_str(value)); break;
	case LIVE_BINARY: write_base64(to, value_str(value)); break;
	case LIVE_ARRAY: buf_append_str(to, value->len ? STR("[") : STR("[]")); break;
	case LIVE_OBJECT: buf_append_str(to, value->len ? STR("{") : STR("{}")); break;
	}
}

/* Writes child number index of container, with its comma and name, the general way. */
static __attribute__((noinline)) void write_child(struct buf *to, const live_value *container, size_t index)
{
	if (index)
		buf_append_char(to, ',');
	if (container->type == LIVE_ARRAY) {
		write_value(to, value_items(container)[index]);
		return;
	}
	const struct value_member *member = value_members(container) + index;
	json_write_string(to, value_key(container, member));
	buf_append_char(to, ':');
	write_value(to, member->value);
}

/* The free end of a buffer; of one that failed nothing is free. */
struct room {
	char *at, *end;
};

static inline struct room room_in(const struct buf *buf)
{
	char *at = buf->ptr + buf->len;
	return (struct room){at, buf->failed ? at : buf->ptr + buf->cap};
}

static inline size_t room_left(struct room room)
{
	return (size_t)(room.end - room.at);
}

/* room, in which to was written up to room.at, made larger for want bytes where the buffer's limit lets it. */
static __attribute__((noinline)) struct room more_room(struct buf *to, struct room room, size_t want)
{
	to->len = (size_t)(room.at - to->ptr);
	if (!to->failed)
		buf_try_reserve(to, want);
	return room_in(to);
}

/* Puts a plain string with its quotes. It is copied in whole units, of which its value's memory is made, so that its
 * length hardly matters; to has room for that. */
static inline char *put_plain(char *to, struct str s)
{
	*to++ = '"';
	for (size_t i = 0; i < s.len; i += VALUE_UNIT)
		memcpy(to + i, s.ptr + i, VALUE_UNIT);
	to += s.len;
	*to++ = '"';
	return to;
}

/* What write_value writes, put at to when it needs no look; else NULL. */
static inline char *put_value(char *to, const live_value *value)
{
	switch ((live_type)value->type) {
	case LIVE_NULL: memcpy(to, "null", 4); return to + 4;
	case LIVE_BOOL: memcpy(to, value->boolean ? "true " : "false", 5); return to + 5 - value->boolean;
	case LIVE_INT: return json_put_int(to, value->integer);
	case LIVE_DOUBLE: return json_put_double(to, value->number);
	case LIVE_STRING: return value->plain ? put_plain(to, value_str(value)) : NULL;
	case LIVE_ARRAY: memcpy(to, "[]", 2); return to + 2 - (value->len > 0);
	case LIVE_OBJECT: memcpy(to, "{}", 2); return to + 2 - (value->len > 0);
	default: return NULL;
	}
}

/* How much room put_child needs to be called for a value with a name of name_len bytes. */
static inline size_t room_for(const live_value *value, size_t name_len)
{
	enum { VALUE_ROOM = JSON_NUMBER_ROOM, NAME_ROOM = 4 + VALUE_UNIT };
	_Static_assert(VALUE_ROOM > 2 + VALUE_UNIT, "enough for a string of no length");
	return VALUE_ROOM + NAME_ROOM + name_len + (value->type == LIVE_STRING ? value->len : 0);
}

/* As write_child, at to, when the child needs no look; else NULL. name is NULL in an array. */
static inline char *put_child(char *to, bool comma, struct str name, const live_value *value)
{
	*to = ',';
	to += comma;
	if (name.ptr) {
		to = put_plain(to, name);
		*to++ = ':';
	}
	return put_value(to, value);
}

/* Writes the children of the innermost container up to the first that is a container to go into, which is returned; or
 * all of them and the closing bracket: NULL. */
static const live_value *write_children(struct buf *to, struct value_level *level)
{
	const live_value *container = level->container;
	bool in_object = container->type == LIVE_OBJECT, quick = !in_object || container->plain;
	struct room room = room_in(to);

	while (level->next < container->len) {
		size_t index = level->next++;
		const live_value *value = value_child(container, index);
		struct str name = {0};
		if (in_object)
			name = value_key(container, value_members(container) + index);
		size_t need = room_for(value, name.len);
		if (room_left(room) < need)
			room = more_room(to, room, need);
		char *after = NULL;
		if (quick && room.at && room_left(room) >= need)
			after = put_child(room.at, index > 0, name, value);
		if (after) {
			room.at = after;
		} else {
			to->len = (size_t)(room.at - to->ptr);
			write_child(to, container, index);
			room = room_in(to);
		}
		if (value->type >= LIVE_ARRAY && value->len) {
			to->len = (size_t)(room.at - to->ptr);
			return value;
		}
	}
	to->len = (size_t)(room.at - to->ptr);
	buf_append_char(to, in_object ? '}' : ']');
	return NULL;
}

void json_write(struct buf *to, const live_value *value)
{
	struct value_walk walk;

	value_walk_init(&walk);
	value = value_or_null(value);
	write_value(to, value);
	if (value->type >= LIVE_ARRAY && value->len)
		value_walk_enter(&walk, value);
	while (walk.depth && !buf_failed(to)) {
		const live_value *child = write_children(to, value_walk_top(&walk));
		if (child)
			value_walk_enter(&walk, child);
		else
			walk.depth--;
	}
	value_walk_deinit(&walk);
}
