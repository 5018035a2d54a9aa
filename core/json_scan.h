/*
 * json_scan - the pieces that json's parser, reader and skipper share: white space, strings, numbers, errors.
 *
 * Private to core/json_*.c. Each takes the place where its piece begins and returns the place after it, or NULL with
 * reader->error set and the reader's position where the trouble is. The place goes from hand to hand and is not kept in
 * the reader meanwhile: by way of memory every token would wait for the one before. Threads: [any], each its own
 * reader.
 */
#ifndef CORE_JSON_SCAN_H
#define CORE_JSON_SCAN_H

#include <stdint.h>

#include "core/json.h"
#include "core/plain.h"

/* Deeper than this no text may nest, whatever its limits say: the scanners keep their levels on the stack. */
enum { JSON_MAX_DEPTH = 512 };
/* Longer texts are refused: offsets within one object are 32 bits wide. */
#define JSON_MAX_TEXT ((size_t)256 << 20)

/* Sets the error, at the position at; returns -EINVAL. */
int json_fail(struct json_reader *reader, const char *at, const char *message) __attribute__((cold));
/* The same for a scanner; returns NULL. */
const char *json_refuse(struct json_reader *reader, const char *at, const char *message) __attribute__((cold));
/* The same when a container nests too deep. */
const char *json_refuse_depth(struct json_reader *reader, const char *at) __attribute__((cold));
/* The same at a byte that begins no value, or at the end of the text. */
const char *json_refuse_value(struct json_reader *reader, const char *at) __attribute__((cold));

/* A string in the text. */
struct json_string {
	struct str raw; /* between the quotes */
	bool escaped;   /* raw holds escapes, all of them valid */
};

/* Reads the rest of the string that began at start, its quote included; all before at is plain. */
const char *json_scan_string_from(struct json_reader *reader, const char *start, const char *at,
				  struct json_string *string);
/* Writes string's content, which is never longer than its raw text, to to; returns its length. */
size_t json_unescape(char *to, struct str raw);
/* The same in the reader's arena, which is made when there is none. */
struct str json_unescaped(struct json_reader *reader, struct str raw);

/* A number in the text: an integer when it has neither fraction nor exponent and JavaScript holds it exactly. */
struct json_number {
	bool is_integer;
	union {
		int64_t integer;
		double number;
	};
};

/* Reads a number, which begins with a digit or '-'. */
const char *json_scan_number(struct json_reader *reader, const char *at, struct json_number *number);
/* The same without its value. */
const char *json_skip_number(struct json_reader *reader, const char *at);
static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Passes over white space, of which there is mostly none. */
static inline const char *json_skip_space(const struct json_reader *reader, const char *at)
{
	if (__builtin_expect(at < reader->end && (unsigned char)*at > ' ', 1))
		return at;
	while (at < reader->end && json_is_space(*at))
		at++;
	return at;
}

/* The byte at at, or -1 at the end of the text. */
static inline int json_byte(const struct json_reader *reader, const char *at)
{
	return at < reader->end ? (unsigned char)*at : -1;
}

/* Reads a string, which begins with a quote. */
static inline const char *json_scan_string(struct json_reader *reader, const char *start, struct json_string *string)
{
	const char *at = plain_end(start + 1, reader->end);
	if (__builtin_expect(at == reader->end || *at != '"', 0))
		return json_scan_string_from(reader, start, at, string);
	string->raw = (struct str){start + 1, (size_t)(at - start - 1)};
	string->escaped = false;
	return at + 1;
}

/* The content of string: its raw text, or a copy in the reader's arena. */
static inline struct str json_string_content(struct json_reader *reader, const struct json_string *string)
{
	return string->escaped ? json_unescaped(reader, string->raw) : string->raw;
}

static inline bool json_is_prototype_name(struct str name)
{
	switch (name.len) {
	case 9: return memcmp(name.ptr, "__proto__", 9) == 0 || memcmp(name.ptr, "prototype", 9) == 0;
	case 11: return memcmp(name.ptr, "constructor", 11) == 0;
	default: return false;
	}
}

/* Reads a literal. */
static inline const char *json_scan_literal(struct json_reader *reader, const char *at, struct str literal)
{
	struct str rest = {at, (size_t)(reader->end - at)};
	return str_starts_with(rest, literal) ? at + literal.len : json_refuse(reader, at, "expected a value");
}

/* Reads a short integer other than 0, which is what most numbers are. NULL when it is something else, and no error. */
static inline const char *json_scan_short_int(const struct json_reader *reader, const char *at, int64_t *number)
{
	int64_t sum = 0;
	if (reader->end - at < 17 || *at < '1' || *at > '9')
		return NULL;
	/* 15 digits at most: within what JavaScript holds exactly. */
	for (int digits = 0; digits < 15 && *at >= '0' && *at <= '9'; digits++)
		sum = sum * 10 + (*at++ - '0');
	if ((*at >= '0' && *at <= '9') || *at == '.' || (*at | 0x20) == 'e')
		return NULL;
	*number = sum;
	return at;
}

#endif
