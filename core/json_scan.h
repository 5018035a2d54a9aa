/*
 * json_scan - the pieces that json's parser, reader and skipper share: white space, strings, numbers, errors.
 *
 * Private to core/json_*.c. Everything works on the reader's position: on success it moves past the piece, on an error
 * reader->error is set and the position is where the trouble is. Threads: the reader's owner.
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

/* A string in the text. */
struct json_string {
	struct str raw; /* between the quotes */
	bool escaped;   /* raw holds escapes, all of them valid */
};

/* Reads the rest of the string whose opening quote is the next byte; all before at is plain. 0 or -EINVAL. */
int json_scan_string_from(struct json_reader *reader, const char *at, struct json_string *string);
/* Writes string's content, which is never longer than its raw text, to to; returns its length. */
size_t json_unescape(char *to, struct str raw);
/* The content of string: its raw text, or a copy in the reader's arena, which is made when there is none. */
struct str json_string_content(struct json_reader *reader, const struct json_string *string);
bool json_is_prototype_name(struct str name);

/* A number in the text: an integer when it has neither fraction nor exponent and JavaScript holds it exactly. */
struct json_number {
	bool is_integer;
	union {
		int64_t integer;
		double number;
	};
};

/* Reads the number that starts at the next byte (a digit or '-'). 0 or -EINVAL. */
int json_scan_number(struct json_reader *reader, struct json_number *number);
/* The same without its value. */
int json_skip_number(struct json_reader *reader);

/* Reads the rest of a literal: the next byte is its first. 0 or -EINVAL. */
int json_scan_literal(struct json_reader *reader, struct str literal);

static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void json_skip_space(struct json_reader *reader)
{
	const char *at = reader->at;
	while (at < reader->end && json_is_space(*at))
		at++;
	reader->at = at;
}

/* Skips white space; the byte after it, or -1 at the end of the text. */
static inline int json_next_byte(struct json_reader *reader)
{
	if (__builtin_expect(reader->at < reader->end && (unsigned char)*reader->at > ' ', 1))
		return (unsigned char)*reader->at;
	json_skip_space(reader);
	return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

/* Reads the string whose opening quote is the next byte. 0 or -EINVAL. */
static inline int json_scan_string(struct json_reader *reader, struct json_string *string)
{
	const char *start = reader->at + 1;
	const char *at = plain_end(start, reader->end);
	if (__builtin_expect(at == reader->end || *at != '"', 0))
		return json_scan_string_from(reader, at, string);
	string->raw = (struct str){start, (size_t)(at - start)};
	string->escaped = false;
	reader->at = at + 1;
	return 0;
}

/* Reads a short integer at the next byte, which is what most numbers are; or 0, and nothing was read: it is something
 * else, 0 itself included. */
static inline int64_t json_scan_short_int(struct json_reader *reader)
{
	const char *at = reader->at;
	int64_t number = 0;
	if (reader->end - at < 17 || *at < '1' || *at > '9')
		return 0;
	/* 15 digits at most: within what JavaScript holds exactly. */
	for (int digits = 0; digits < 15 && *at >= '0' && *at <= '9'; digits++)
		number = number * 10 + (*at++ - '0');
	if ((*at >= '0' && *at <= '9') || *at == '.' || (*at | 0x20) == 'e')
		return 0;
	reader->at = at;
	return number;
}

#endif
