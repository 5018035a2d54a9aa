/*
 * json - JSON text (RFC 8259) read and written as JavaScript does, strictly.
 *
 * Three ways to read: json_parse makes a live_value; json_skip checks one value and passes over it; a json_reader walks
 * through text one piece at a time, which is how protocol/decode takes a message apart in one pass without building
 * what it does not need. Input is UTF-8 and checked. Numbers are read as JavaScript reads them (int64 within +-2^53,
 * else the nearest double) and written in their shortest round-trip form. A lone surrogate escape (\ud800) is kept:
 * held inside as its three-byte form, written as the same escape. Of duplicate keys the last wins, at the first one's
 * place.
 *
 * The caller owns the text and it must outlive slices. Threads: [any].
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <live/value.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/str.h"

enum json_flags {
	JSON_DROP_PROTOTYPE_NAMES = 1, /* leave out members named __proto__, constructor, prototype, at any depth */
	JSON_WIDE_INTEGERS = 2,        /* integers beyond +-2^53 stay exact as long as they fit an int64 */
};

struct json_limits {
	unsigned max_depth; /* nested arrays and objects, at least 1; a scalar needs 0; above 512 counts as 512 */
	unsigned flags;     /* enum json_flags */
};

struct json_error {
	const char *message; /* static text, such as "unexpected character" */
	size_t offset;       /* byte, from 0 */
	bool too_deep;       /* the depth limit was it, not the grammar */
};

/* What json_skip saw on its way. */
struct json_span {
	struct str raw;           /* the value's text, without surrounding white space */
	bool has_prototype_names; /* a member __proto__, constructor or prototype, at any depth, however escaped */
	bool has_newlines;        /* a raw CR or LF between tokens: matters to line-based transports */
};

/*
 * Parses text, which must be one value and white space around it, into *out, which the caller then owns.
 * 0, or -EINVAL with *error filled (error may be NULL).
 */
int json_parse(const live_value **out, struct str text, const struct json_limits *limits, struct json_error *error)
	__attribute__((warn_unused_result));

/* ---- reader: pull one piece after the other; after the first error every call fails with it ---- */

struct json_reader {
	const char *at; /* next byte; read-only outside */
	const char *end;
	const char *start;
	struct arena *arena; /* for strings that hold escapes */
	unsigned depth;      /* of containers entered by the reader */
	bool entered;        /* a container was entered and nothing of it read yet */
	struct json_limits limits;
	struct json_error error; /* message is NULL while all is well */
};

/* Starts at text, of at most 256 MiB. Strings with escapes are unescaped into arena. */
void json_reader_init(struct json_reader *reader, struct str text, struct arena *arena,
		      const struct json_limits *limits);
/* The type of the next value, from its first byte (LIVE_INT for any number), or -EINVAL. Moves over white space only.
 */
int json_peek(struct json_reader *reader);
/* Enters an object: the next value must be one. 0 or -EINVAL. */
int json_enter_object(struct json_reader *reader);
/* The next member's name in *key; then read its value. 1, or 0 after the last member (the object is left), -EINVAL. Of
 * duplicate names the caller sees each; names that JSON_DROP_PROTOTYPE_NAMES drops it sees not. */
int json_next_key(struct json_reader *reader, struct str *key);
/* Enters an array: the next value must be one. 0 or -EINVAL. */
int json_enter_array(struct json_reader *reader);
/* Moves to the next item; then read it. 1, or 0 after the last item (the array is left), -EINVAL. */
int json_next_item(struct json_reader *reader);
/* A string's content: a slice of the text when it holds no escape, else a copy in the arena. 0 or -EINVAL. */
int json_read_string(struct json_reader *reader, struct str *out);
/* A number as a double. 0 or -EINVAL. */
int json_read_double(struct json_reader *reader, double *out);
int json_read_bool(struct json_reader *reader, bool *out);
/* Any value as a tree that the caller owns. 0 or -EINVAL. */
int json_read_value(struct json_reader *reader, const live_value **out);
/* Checks any value and passes over it. 0 or -EINVAL. */
int json_skip(struct json_reader *reader, struct json_span *span);
/* Nothing but white space may be left. 0 or -EINVAL. */
int json_finish(struct json_reader *reader);

/* ---- writing ---- */

/* Appends value; binary as a base64 string; a double that is not finite as null. Check buf_failed when done. */
void json_write(struct buf *to, const live_value *value);
/* Appends s as a JSON string, quotes included, escaped as JSON.stringify does. */
void json_write_string(struct buf *to, struct str s);
/* Appends a number in its shortest round-trip form, as JavaScript prints it. */
void json_write_double(struct buf *to, double number);
void json_write_int(struct buf *to, long long number);

#endif
