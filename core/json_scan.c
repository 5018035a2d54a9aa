#include "core/json_scan.h"

#include <errno.h>

#include "core/hex.h"
#include "core/utf8.h"

int json_fail(struct json_reader *reader, const char *at, const char *message)
{
	if (!reader->error.message) {
		reader->error.message = message;
		reader->error.offset = (size_t)(at - reader->start);
	}
	reader->at = at;
	return -EINVAL;
}

const char *json_refuse(struct json_reader *reader, const char *at, const char *message)
{
	json_fail(reader, at, message);
	return NULL;
}

const char *json_refuse_depth(struct json_reader *reader, const char *at)
{
	reader->error.too_deep = true;
	return json_refuse(reader, at, "nested too deep");
}

const char *json_refuse_value(struct json_reader *reader, const char *at)
{
	return json_refuse(reader, at, at == reader->end ? "unexpected end of the text" : "expected a value");
}

/* ---- strings ---- */

/* The code unit of the four digits at at, or -1. */
static int hex_unit(const char *at)
{
	int unit = 0;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* The bytes of the escape whose backslash is at at, or 0 when it is none. */
static size_t escape_len(const char *at, const char *end)
{
	if (end - at < 2)
		return 0;
	if (at[1] == 'u')
		return end - at >= 6 && hex_unit(at + 2) >= 0 ? 6 : 0;
	return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
}

const char *json_scan_string_from(struct json_reader *reader, const char *start, const char *at,
				  struct json_string *string)
{
	const char *end = reader->end;

	string->escaped = false;
	for (;; at = plain_end(at, end)) {
		if (at == end)
			return json_refuse(reader, at, "string without an end");
		size_t len;
		if (*at == '"')
			break;
		if (*at == '\\') {
			string->escaped = true;
			len = escape_len(at, end);
			if (!len)
				return json_refuse(reader, at, "bad escape in a string");
		} else if ((unsigned char)*at < ' ') {
			return json_refuse(reader, at, "control character in a string");
		} else {
			len = utf8_sequence((struct str){at, (size_t)(end - at)});
			if (!len)
				return json_refuse(reader, at, "ill-formed UTF-8");
		}
		at += len;
	}
	string->raw = (struct str){start + 1, (size_t)(at - start - 1)};
	return at + 1;
}

static char simple_escape(char letter)
{
	switch (letter) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return letter;
	}
}

/* Writes code point as UTF-8; a surrogate in the same three-byte form. */
static char *put_utf8(char *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (char)point;
		return to;
	}
	if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*to++ = (char)(0xe0 | point >> 12);
		} else {
			*to++ = (char)(0xf0 | point >> 18);
			*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (point & 0x3f));
	return to;
}

/* The code point of the \u escape at *at, which moves past it, and past the next one if the two are a pair. */
static uint32_t unicode_escape(const char **at, const char *end)
{
	uint32_t unit = (uint32_t)hex_unit(*at + 2);
	*at += 6;
	if (unit < 0xd800 || unit > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return unit;
	uint32_t low = (uint32_t)hex_unit(*at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return unit;
	*at += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

size_t json_unescape(char *to, struct str raw)
{
	const char *at = raw.ptr, *end = raw.ptr + raw.len;
	char *start = to;

	while (at < end) {
		const char *backslash = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((backslash ? backslash : end) - at);
		memcpy(to, at, plain);
		to += plain;
		at += plain;
		if (at == end)
			break;
		if (at[1] == 'u') {
			to = put_utf8(to, unicode_escape(&at, end));
		} else {
			*to++ = simple_escape(at[1]);
			at += 2;
		}
	}
	return (size_t)(to - start);
}

struct str json_unescaped(struct json_reader *reader, struct str raw)
{
	if (!reader->arena)
		reader->arena = arena_new(4096);
	char *to = arena_alloc(reader->arena, raw.len);
	return (struct str){to, json_unescape(to, raw)};
}
