#include "core/json_scan.h"

#include <errno.h>

#include "core/assert.h"

/* ---- a value in pieces ---- */

void json_reader_init(struct json_reader *reader, struct str text, struct arena *arena,
		      const struct json_limits *limits)
{
	*reader = (struct json_reader){
		.at = text.ptr,
		.end = text.ptr,
		.start = text.ptr,
		.arena = arena,
		.limits = *limits,
	};
	if (reader->limits.max_depth > JSON_MAX_DEPTH)
		reader->limits.max_depth = JSON_MAX_DEPTH;
	if (text.len > JSON_MAX_TEXT)
		json_fail(reader, text.ptr, "text too long");
	else if (text.len)
		reader->end += text.len;
}

/* Moves over white space; the byte after it, or -1 at the end of the text. */
static inline int next_byte(struct json_reader *reader)
{
	reader->at = json_skip_space(reader, reader->at);
	return json_byte(reader, reader->at);
}

/* Moves to where a scanner got to, NULL after an error. 0 or -EINVAL. */
static inline int move(struct json_reader *reader, const char *to)
{
	if (!to)
		return -EINVAL;
	reader->at = to;
	return 0;
}

int json_peek(struct json_reader *reader)
{
	if (reader->error.message)
		return -EINVAL;
	switch (next_byte(reader)) {
	case '{': return LIVE_OBJECT;
	case '[': return LIVE_ARRAY;
	case '"': return LIVE_STRING;
	case 't':
	case 'f': return LIVE_BOOL;
	case 'n': return LIVE_NULL;
	case '-':
	case '0' ... '9': return LIVE_INT;
	default: return move(reader, json_refuse_value(reader, reader->at));
	}
}

static int enter(struct json_reader *reader, char bracket, const char *otherwise)
{
	if (reader->error.message)
		return -EINVAL;
	if (next_byte(reader) != bracket)
		return json_fail(reader, reader->at, otherwise);
	if (reader->depth == reader->limits.max_depth)
		return move(reader, json_refuse_depth(reader, reader->at));
	reader->at++;
	reader->depth++;
	reader->entered = true;
	return 0;
}

int json_enter_object(struct json_reader *reader)
{
	return enter(reader, '{', "expected an object");
}

int json_enter_array(struct json_reader *reader)
{
	return enter(reader, '[', "expected an array");
}

/* Moves to the next member or item. 1, or 0 when close ended the container, -EINVAL. */
static int advance(struct json_reader *reader, char close, const char *otherwise)
{
	if (reader->error.message)
		return -EINVAL;
	debug_assert(reader->depth > 0);
	bool first = reader->entered;
	int next = next_byte(reader);

	reader->entered = false;
	if (next == close) {
		reader->at++;
		reader->depth--;
		return 0;
	}
	if (first)
		return 1;
	if (next != ',')
		return json_fail(reader, reader->at, otherwise);
	reader->at++;
	return 1;
}

int json_next_item(struct json_reader *reader)
{
	return advance(reader, ']', "expected ',' or ']'");
}

int json_next_key(struct json_reader *reader, struct str *key)
{
	for (;;) {
		int rc = advance(reader, '}', "expected ',' or '}'");
		if (rc <= 0)
			return rc;
		if (next_byte(reader) != '"')
			return json_fail(reader, reader->at, "expected a member's name in double quotes");
		rc = json_read_string(reader, key);
		if (rc < 0)
			return rc;
		if (next_byte(reader) != ':')
			return json_fail(reader, reader->at, "expected ':' after a member's name");
		reader->at++;
		if (!(reader->limits.flags & JSON_DROP_PROTOTYPE_NAMES) || !json_is_prototype_name(*key))
			return 1;
		struct json_span dropped;
		rc = json_skip(reader, &dropped);
		if (rc < 0)
			return rc;
	}
}

int json_read_string(struct json_reader *reader, struct str *out)
{
	struct json_string string;
	if (reader->error.message)
		return -EINVAL;
	if (next_byte(reader) != '"')
		return json_fail(reader, reader->at, "expected a string");
	int rc = move(reader, json_scan_string(reader, reader->at, &string));
	if (rc < 0)
		return rc;
	assert_always(!string.escaped || reader->arena);
	*out = json_string_content(reader, &string);
	return 0;
}

int json_read_double(struct json_reader *reader, double *out)
{
	struct json_number number;
	int type = json_peek(reader);
	if (type < 0)
		return type;
	if (type != LIVE_INT)
		return json_fail(reader, reader->at, "expected a number");
	int rc = move(reader, json_scan_number(reader, reader->at, &number));
	if (rc < 0)
		return rc;
	*out = number.is_integer ? (double)number.integer : number.number;
	return 0;
}

int json_read_bool(struct json_reader *reader, bool *out)
{
	int type = json_peek(reader);
	if (type < 0)
		return type;
	if (type != LIVE_BOOL)
		return json_fail(reader, reader->at, "expected true or false");
	*out = *reader->at == 't';
	return move(reader, json_scan_literal(reader, reader->at, *out ? STR("true") : STR("false")));
}

int json_finish(struct json_reader *reader)
{
	if (reader->error.message)
		return -EINVAL;
	if (next_byte(reader) != -1)
		return json_fail(reader, reader->at, "text after the value");
	return 0;
}
