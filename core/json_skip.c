#include "core/json_scan.h"

#include <errno.h>

/*
 * Checks a value without building it: the same grammar as json_parse, with one bit per level instead of a tree.
 */

struct skipper {
	struct json_reader *reader;
	struct json_span *span;
	unsigned depth, max_depth;
	uint64_t objects[JSON_MAX_DEPTH / 64]; /* bit n: level n is an object */
};

static inline bool in_object(const struct skipper *skipper)
{
	unsigned level = skipper->depth - 1;
	return skipper->objects[level / 64] >> (level % 64) & 1;
}

/* As json_skip_space, but takes note of line breaks. */
static inline const char *skip_space(struct skipper *skipper, const char *at)
{
	const char *next = json_skip_space(skipper->reader, at);
	for (; at < next; at++)
		skipper->span->has_newlines |= *at == '\n' || *at == '\r';
	return next;
}

static inline const char *open_container(struct skipper *skipper, const char *at, bool object)
{
	if (skipper->depth == skipper->max_depth)
		return json_refuse_depth(skipper->reader, at);
	unsigned level = skipper->depth++;
	uint64_t bit = UINT64_C(1) << (level % 64);
	if (object)
		skipper->objects[level / 64] |= bit;
	else
		skipper->objects[level / 64] &= ~bit;
	return at + 1;
}

static bool is_prototype_name(const struct json_string *name)
{
	enum { LONGEST_ESCAPED = 6 * 11 }; /* "constructor", each letter as \u.... */
	char content[LONGEST_ESCAPED];
	if (!name->escaped)
		return json_is_prototype_name(name->raw);
	if (name->raw.len > sizeof content)
		return false;
	return json_is_prototype_name((struct str){content, json_unescape(content, name->raw)});
}

/* Passes over a member's name and the colon. */
static inline const char *skip_name(struct skipper *skipper, const char *at)
{
	struct json_reader *reader = skipper->reader;
	struct json_string name;

	at = skip_space(skipper, at);
	if (json_byte(reader, at) != '"')
		return json_refuse(reader, at, "expected a member's name in double quotes");
	at = json_scan_string(reader, at, &name);
	if (!at)
		return NULL;
	skipper->span->has_prototype_names |= is_prototype_name(&name);
	at = skip_space(skipper, at);
	if (json_byte(reader, at) != ':')
		return json_refuse(reader, at, "expected ':' after a member's name");
	return at + 1;
}

static inline const char *skip_number(struct json_reader *reader, const char *at)
{
	int64_t number;
	const char *end = json_scan_short_int(reader, at, &number);
	return end ? end : json_skip_number(reader, at);
}

static inline const char *skip_scalar(struct json_reader *reader, const char *at)
{
	struct json_string string;
	switch (json_byte(reader, at)) {
	case '"': return json_scan_string(reader, at, &string);
	case 't': return json_scan_literal(reader, at, STR("true"));
	case 'f': return json_scan_literal(reader, at, STR("false"));
	case 'n': return json_scan_literal(reader, at, STR("null"));
	case '-':
	case '0' ... '9': return skip_number(reader, at);
	default: return json_refuse_value(reader, at);
	}
}

/* Passes over the start of a value, up to its first scalar or empty container. */
static inline const char *skip_first(struct skipper *skipper, const char *at)
{
	struct json_reader *reader = skipper->reader;
	for (;;) {
		at = skip_space(skipper, at);
		int first = json_byte(reader, at);
		if (first != '{' && first != '[')
			return skip_scalar(reader, at);
		at = open_container(skipper, at, first == '{');
		if (!at)
			return NULL;
		at = skip_space(skipper, at);
		if (json_byte(reader, at) == (first == '{' ? '}' : ']')) {
			skipper->depth--;
			return at + 1;
		}
		if (first == '{')
			at = skip_name(skipper, at);
		if (!at)
			return NULL;
	}
}

/* Passes over what follows a value, up to the next one or, when no container is open any more, to the end. */
static inline const char *skip_after(struct skipper *skipper, const char *at)
{
	struct json_reader *reader = skipper->reader;
	while (skipper->depth) {
		bool object = in_object(skipper);
		at = skip_space(skipper, at);
		int next = json_byte(reader, at);
		if (next == ',')
			return object ? skip_name(skipper, at + 1) : at + 1;
		if (next != (object ? '}' : ']'))
			return json_refuse(reader, at, object ? "expected ',' or '}'" : "expected ',' or ']'");
		at++;
		skipper->depth--;
	}
	return at;
}

int json_skip(struct json_reader *reader, struct json_span *span)
{
	struct skipper skipper;

	*span = (struct json_span){0};
	if (reader->error.message)
		return -EINVAL;
	skipper.reader = reader;
	skipper.span = span;
	skipper.depth = 0;
	skipper.max_depth = reader->limits.max_depth - reader->depth;
	const char *start = json_skip_space(reader, reader->at), *at = start;
	do {
		at = skip_first(&skipper, at);
		if (at)
			at = skip_after(&skipper, at);
	} while (at && skipper.depth);
	if (!at)
		return -EINVAL;
	span->raw = (struct str){start, (size_t)(at - start)};
	reader->at = at;
	return 0;
}
