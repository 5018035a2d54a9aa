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

static int open_container(struct builder *builder, bool object)
{
	if (builder->depth == builder->max_depth) {
		builder->reader->error.too_deep = true;
		return json_fail(builder->reader, builder->reader->at, "nested too deep");
	}
	builder->levels[builder->depth++] = (struct level){builder->count, object};
	builder->reader->at++;
	return 0;
}

/* Reads a member's name and the colon, and puts it on the stack. */
static int read_name(struct builder *builder)
{
	struct json_reader *reader = builder->reader;
	struct json_string name;

	if (json_next_byte(reader) != '"')
		return json_fail(reader, reader->at, "expected a member's name in double quotes");
	int rc = json_scan_string(reader, &name);
	if (rc < 0)
		return rc;
	struct str key = json_string_content(reader, &name);
	if (builder->drop_prototype_names && json_is_prototype_name(key))
		key.ptr = NULL;
	push(builder, NULL, key);
	if (json_next_byte(reader) != ':')
		return json_fail(reader, reader->at, "expected ':' after a member's name");
	reader->at++;
	return 0;
}

static int read_string(struct json_reader *reader, const live_value **out)
{
	struct json_string string;
	int rc = json_scan_string(reader, &string);
	if (rc < 0)
		return rc;
	if (!string.escaped) {
		*out = value_string(string.raw, true);
		return 0;
	}
	live_value *value = value_new(LIVE_STRING, string.raw.len + 1);
	char *bytes = (char *)(value + 1);
	value->len = json_unescape(bytes, string.raw);
	bytes[value->len] = 0;
	/* Escapes may be six times as long as what they stand for. */
	if (value->len < string.raw.len / 2)
		value = value_shrink(value);
	*out = value;
	return 0;
}

static int read_number(struct json_reader *reader, const live_value **out)
{
	struct json_number number;
	int64_t integer = json_scan_short_int(reader);
	if (integer) {
		*out = live_int(integer);
		return 0;
	}
	int rc = json_scan_number(reader, &number);
	if (rc < 0)
		return rc;
	*out = number.is_integer ? live_int(number.integer) : live_double(number.number);
	return 0;
}

static int read_literal(struct json_reader *reader, const live_value *value, struct str literal, const live_value **out)
{
	*out = value;
	return json_scan_literal(reader, literal);
}

/* Reads a value that is no container. */
static int read_scalar(struct json_reader *reader, int first, const live_value **out)
{
	switch (first) {
	case '"': return read_string(reader, out);
	case 't': return read_literal(reader, live_bool(true), STR("true"), out);
	case 'f': return read_literal(reader, live_bool(false), STR("false"), out);
	case 'n': return read_literal(reader, live_null(), STR("null"), out);
	case '-':
	case '0' ... '9': return read_number(reader, out);
	case -1: return json_fail(reader, reader->at, "unexpected end of the text");
	default: return json_fail(reader, reader->at, "expected a value");
	}
}

/* Opens containers until one is empty or a value that is none comes: that is *out. Names on the way are read. */
static int read_first(struct builder *builder, const live_value **out)
{
	struct json_reader *reader = builder->reader;
	for (;;) {
		int first = json_next_byte(reader);
		if (first != '{' && first != '[')
			return read_scalar(reader, first, out);
		int rc = open_container(builder, first == '{');
		if (rc < 0)
			return rc;
		if (json_next_byte(reader) == (first == '{' ? '}' : ']')) {
			reader->at++;
			*out = close_container(builder);
			return 0;
		}
		rc = first == '{' ? read_name(builder) : 0;
		if (rc < 0)
			return rc;
	}
}

/* After value: closes the containers that end here. 1 when another value follows, 0 when *value is the whole. */
static int read_after(struct builder *builder, const live_value **value)
{
	struct json_reader *reader = builder->reader;
	while (builder->depth) {
		bool object = builder->levels[builder->depth - 1].object;
		add(builder, *value);
		*value = NULL;
		int next = json_next_byte(reader);
		if (next == ',') {
			reader->at++;
			int rc = object ? read_name(builder) : 0;
			return rc < 0 ? rc : 1;
		}
		if (next != (object ? '}' : ']'))
			return json_fail(reader, reader->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
		reader->at++;
		*value = close_container(builder);
	}
	return 0;
}

int json_read_value(struct json_reader *reader, const live_value **out)
{
	struct builder builder;
	const live_value *value = NULL;
	int rc;

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
		rc = read_first(&builder, &value);
		if (rc == 0)
			rc = read_after(&builder, &value);
	} while (rc > 0);
	if (rc == 0) {
		*out = value;
	} else {
		for (size_t i = 0; i < builder.count; i++)
			live_value_unref(builder.pairs[i].value);
	}
	if (builder.pairs != builder.pairs_inline)
		free(builder.pairs);
	return rc;
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
