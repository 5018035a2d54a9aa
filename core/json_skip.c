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

/* As json_next_byte, but takes note of line breaks. */
static inline int next_byte(struct skipper *skipper)
{
	struct json_reader *reader = skipper->reader;
	if (reader->at < reader->end && (unsigned char)*reader->at > ' ')
		return (unsigned char)*reader->at;
	const char *start = reader->at;
	int next = json_next_byte(reader);
	for (; start < reader->at; start++)
		skipper->span->has_newlines |= *start == '\n' || *start == '\r';
	return next;
}

static int open_container(struct skipper *skipper, bool object)
{
	struct json_reader *reader = skipper->reader;
	if (skipper->depth == skipper->max_depth) {
		reader->error.too_deep = true;
		return json_fail(reader, reader->at, "nested too deep");
	}
	unsigned level = skipper->depth++;
	uint64_t bit = UINT64_C(1) << (level % 64);
	if (object)
		skipper->objects[level / 64] |= bit;
	else
		skipper->objects[level / 64] &= ~bit;
	reader->at++;
	return 0;
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

static int skip_name(struct skipper *skipper)
{
	struct json_reader *reader = skipper->reader;
	struct json_string name;

	if (next_byte(skipper) != '"')
		return json_fail(reader, reader->at, "expected a member's name in double quotes");
	int rc = json_scan_string(reader, &name);
	if (rc < 0)
		return rc;
	skipper->span->has_prototype_names |= is_prototype_name(&name);
	if (next_byte(skipper) != ':')
		return json_fail(reader, reader->at, "expected ':' after a member's name");
	reader->at++;
	return 0;
}

static int skip_scalar(struct json_reader *reader, int first)
{
	struct json_string string;
	switch (first) {
	case '"': return json_scan_string(reader, &string);
	case 't': return json_scan_literal(reader, STR("true"));
	case 'f': return json_scan_literal(reader, STR("false"));
	case 'n': return json_scan_literal(reader, STR("null"));
	case '-':
	case '0' ... '9': return json_scan_short_int(reader) ? 0 : json_skip_number(reader);
	case -1: return json_fail(reader, reader->at, "unexpected end of the text");
	default: return json_fail(reader, reader->at, "expected a value");
	}
}

/* Passes over the start of a value, up to its first scalar or empty container. */
static int skip_first(struct skipper *skipper)
{
	for (;;) {
		int first = next_byte(skipper);
		if (first != '{' && first != '[')
			return skip_scalar(skipper->reader, first);
		int rc = open_container(skipper, first == '{');
		if (rc < 0)
			return rc;
		if (next_byte(skipper) == (first == '{' ? '}' : ']')) {
			skipper->reader->at++;
			skipper->depth--;
			return 0;
		}
		rc = first == '{' ? skip_name(skipper) : 0;
		if (rc < 0)
			return rc;
	}
}

/* Passes over what follows a value. 1 when another value does, 0 at the end of the whole. */
static int skip_after(struct skipper *skipper)
{
	struct json_reader *reader = skipper->reader;
	while (skipper->depth) {
		bool object = in_object(skipper);
		int next = next_byte(skipper);
		if (next == ',') {
			reader->at++;
			int rc = object ? skip_name(skipper) : 0;
			return rc < 0 ? rc : 1;
		}
		if (next != (object ? '}' : ']'))
			return json_fail(reader, reader->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
		reader->at++;
		skipper->depth--;
	}
	return 0;
}

int json_skip(struct json_reader *reader, struct json_span *span)
{
	struct skipper skipper;
	int rc;

	*span = (struct json_span){0};
	if (reader->error.message)
		return -EINVAL;
	skipper.reader = reader;
	skipper.span = span;
	skipper.depth = 0;
	skipper.max_depth = reader->limits.max_depth - reader->depth;
	json_next_byte(reader);
	const char *start = reader->at;
	do {
		rc = skip_first(&skipper);
		if (rc == 0)
			rc = skip_after(&skipper);
	} while (rc > 0);
	if (rc == 0)
		span->raw = (struct str){start, (size_t)(reader->at - start)};
	return rc;
}
