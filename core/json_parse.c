#include "core/json_scan.h"

#include <errno.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "core/value.h"

/*
 * From text to a tree, in one pass and without recursion. Finished values wait on one stack; a closing bracket takes
 * those of its container off and leaves the container in their place. An object's member is put on the stack when its
 * name has been read, with a NULL for the value to come.
 */

enum { PAIRS_INLINE = 64 };

/* A container that is open. */
struct level {
	size_t first; /* its first item or member on the stack */
	bool object;
};

struct builder {
	struct json_reader *reader;
	struct value_pair *pairs; /* the stack: pairs_inline, or memory of its own; items of arrays have no key */
	size_t count, cap;
	unsigned depth, max_depth;
	bool drop_prototype_names;
	struct level levels[JSON_MAX_DEPTH];
	struct value_pair pairs_inline[PAIRS_INLINE];
};

static void builder_grow(struct builder *builder)
{
	builder->cap *= 2;
	struct value_pair *old = builder->pairs == builder->pairs_inline ? NULL : builder->pairs;
	builder->pairs = mem_realloc(old, builder->cap * sizeof *builder->pairs);
	if (!old)
		memcpy(builder->pairs, builder->pairs_inline, sizeof builder->pairs_inline);
}

static inline void push(struct builder *builder, const live_value *value, struct str key)
{
	if (builder->count == builder->cap)
		builder_grow(builder);
	builder->pairs[builder->count++] = (struct value_pair){value, key};
}

/* Gives value, which is complete, to the container that is open. */
static inline void add(struct builder *builder, const live_value *value)
{
	if (!builder->levels[builder->depth - 1].object) {
		push(builder, value, (struct str){0});
		return;
	}
	struct value_pair *member = &builder->pairs[builder->count - 1];
	if (member->key.ptr) {
		member->value = value;
	} else {
		/* A name to be dropped. */
		builder->count--;
		live_value_unref(value);
	}
}

/* Makes the innermost open container out of what is on the stack. */
static const live_value *close_container(struct builder *builder)
{
	struct level level = builder->levels[--builder->depth];
	struct value_pair *pairs = builder->pairs + level.first;
	size_t count = builder->count - level.first;

	builder->count = level.first;
	return level.object ? value_object(pairs, count) : value_array_of_pairs(pairs, count);
}

static inline const char *open_container(struct builder *builder, const char *at, bool object)
{
	if (builder->depth == builder->max_depth)
		return json_refuse_depth(builder->reader, at);
	builder->levels[builder->depth++] = (struct level){builder->count, object};
	return at + 1;
}

/* Reads a member's name and the colon, and puts it on the stack. */
static inline const char *read_name(struct builder *builder, const char *at)
{
	struct json_reader *reader = builder->reader;
	struct json_string name;

	at = json_skip_space(reader, at);
	if (json_byte(reader, at) != '"')
		return json_refuse(reader, at, "expected a member's name in double quotes");
	at = json_scan_string(reader, at, &name);
	if (!at)
		return NULL;
	struct str key = json_string_content(reader, &name);
	if (builder->drop_prototype_names && json_is_prototype_name(key))
		key.ptr = NULL;
	push(builder, NULL, key);
	at = json_skip_space(reader, at);
	if (json_byte(reader, at) != ':')
		return json_refuse(reader, at, "expected ':' after a member's name");
	return at + 1;
}

static const live_value *unescaped(struct str raw)
{
	live_value *value = value_new(LIVE_STRING, raw.len + 1);
	char *bytes = (char *)(value + 1);
	value->len = json_unescape(bytes, raw);
	bytes[value->len] = 0;
	/* Escapes may be six times as long as what they stand for. */
	return value->len < raw.len / 2 ? value_shrink(value) : value;
}

static inline const char *read_string(struct json_reader *reader, const char *at, const live_value **out)
{
	struct json_string string;
	at = json_scan_string(reader, at, &string);
	if (at)
		*out = string.escaped ? unescaped(string.raw) : value_string(string.raw, true);
	return at;
}

static inline const char *read_number(struct json_reader *reader, const char *at, const live_value **out)
{
	struct json_number number;
	int64_t integer;
	const char *end = json_scan_short_int(reader, at, &integer);
	if (end) {
		*out = live_int(integer);
		return end;
	}
	at = json_scan_number(reader, at, &number);
	if (at)
		*out = number.is_integer ? live_int(number.integer) : live_double(number.number);
	return at;
}

static inline const char *read_literal(struct json_reader *reader, const char *at, struct str literal,
				       const live_value *value, const live_value **out)
{
	*out = value;
	return json_scan_literal(reader, at, literal);
}

/* Reads a value that is no container. */
static inline const char *read_scalar(struct json_reader *reader, const char *at, const live_value **out)
{
	switch (json_byte(reader, at)) {
	case '"': return read_string(reader, at, out);
	case 't': return read_literal(reader, at, STR("true"), live_bool(true), out);
	case 'f': return read_literal(reader, at, STR("false"), live_bool(false), out);
	case 'n': return read_literal(reader, at, STR("null"), live_null(), out);
	case '-':
	case '0' ... '9': return read_number(reader, at, out);
	default: return json_refuse_value(reader, at);
	}
}

/* Opens containers until one is empty or a value that is none comes: that is *out. Names on the way are read. */
static inline const char *read_first(struct builder *builder, const char *at, const live_value **out)
{
	struct json_reader *reader = builder->reader;
	for (;;) {
		at = json_skip_space(reader, at);
		int first = json_byte(reader, at);
		if (first != '{' && first != '[')
			return read_scalar(reader, at, out);
		at = open_container(builder, at, first == '{');
		if (!at)
			return NULL;
		at = json_skip_space(reader, at);
		if (json_byte(reader, at) == (first == '{' ? '}' : ']')) {
			*out = close_container(builder);
			return at + 1;
		}
		if (first == '{')
			at = read_name(builder, at);
		if (!at)
			return NULL;
	}
}

/* After *value: closes the containers that end here, up to where another value begins, or to the end of the whole,
 * which *value is then: no container is open any more. */
static inline const char *read_after(struct builder *builder, const char *at, const live_value **value)
{
	struct json_reader *reader = builder->reader;
	while (builder->depth) {
		bool object = builder->levels[builder->depth - 1].object;
		add(builder, *value);
		at = json_skip_space(reader, at);
		int next = json_byte(reader, at);
		if (next == ',')
			return object ? read_name(builder, at + 1) : at + 1;
		if (next != (object ? '}' : ']'))
			return json_refuse(reader, at, object ? "expected ',' or '}'" : "expected ',' or ']'");
		at++;
		*value = close_container(builder);
	}
	return at;
}

int json_read_value(struct json_reader *reader, const live_value **out)
{
	struct builder builder;
	const live_value *value = NULL;
	const char *at = reader->at;

	*out = NULL;
	if (reader->error.message)
		return -EINVAL;
	builder.reader = reader;
	builder.pairs = builder.pairs_inline;
	builder.count = 0;
	builder.cap = PAIRS_INLINE;
	builder.depth = 0;
	builder.max_depth = reader->limits.max_depth - reader->depth;
	builder.drop_prototype_names = reader->limits.flags & JSON_DROP_PROTOTYPE_NAMES;
	do {
		at = read_first(&builder, at, &value);
		if (at)
			at = read_after(&builder, at, &value);
	} while (at && builder.depth);
	if (at) {
		reader->at = at;
		*out = value;
	} else {
		for (size_t i = 0; i < builder.count; i++)
			live_value_unref(builder.pairs[i].value);
	}
	if (builder.pairs != builder.pairs_inline)
		free(builder.pairs);
	return at ? 0 : -EINVAL;
}

int json_parse(const live_value **out, struct str text, const struct json_limits *limits, struct json_error *error)
{
	struct json_reader reader;
	json_reader_init(&reader, text, NULL, limits);
	int rc = json_read_value(&reader, out);
	if (rc == 0) {
		rc = json_finish(&reader);
		if (rc < 0) {
			live_value_unref(*out);
			*out = NULL;
		}
	}
	if (rc < 0 && error)
		*error = reader.error;
	arena_free(reader.arena);
	return rc;
}
