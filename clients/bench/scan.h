/*
 * scan - reads what a server of the protocol sends, without building anything.
 *
 * A text frame holds one JSON object or an array of them (a batch). The scanner walks over each object once and notes
 * where the values of the known top-level fields lie; everything else is stepped over, strings by memchr. What it
 * yields points into the frame. What people get wrong: a string's text is raw, still with its escapes, since all that
 * is compared here (ids, types, event names) has none. Threads: [any].
 */
#ifndef BENCH_SCAN_H
#define BENCH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct scan_text {
	const char *at; /* NULL: absent */
	size_t length;
};

enum scan_flag {
	SCAN_ABSENT,
	SCAN_TRUE,
	SCAN_FALSE,
};

struct scan_message {
	struct scan_text type; /* strings: without their quotes; absent when not a string */
	struct scan_text component_id;
	struct scan_text request_id;
	struct scan_text room_id;
	struct scan_text event;
	struct scan_text error;
	struct scan_text data; /* any value: its JSON text */
	struct scan_text payload;
	struct scan_text result;
	enum scan_flag success;
};

struct scan {
	const char *at;
	const char *end;
	bool in_array;
	bool finished;
};

/* What the load generator puts into the data of an event. */
struct scan_event {
	uint32_t sender;
	uint32_t number;
	uint64_t intended_ns; /* when it should have been sent, since the start of the run */
};

/* Starts on the text of one frame. */
void scan_begin(struct scan *scan, const char *text, size_t length);

/* The next message of the frame: 1 and `*out`, 0 at the end, -EPROTO when the text is no such JSON. */
int scan_next(struct scan *scan, struct scan_message *out);

/* The JSON text of field `name` of `object`; false when it has none, or is no object. */
bool scan_field(struct scan_text object, const char *name, struct scan_text *out);

/* As scan_field, for a string: its text without quotes. */
bool scan_string_field(struct scan_text object, const char *name, struct scan_text *out);

/* A non-negative integer without sign, fraction or exponent. */
bool scan_unsigned(struct scan_text text, uint64_t *out);

/* Reads fields "s", "n" and "t" of an event's data. 0, or -EPROTO when one is missing or no number. */
int scan_event_data(struct scan_text data, struct scan_event *out);

/*
 * The shortcut for what comes most: the next message is the event with the same `start` (its text up to the value of
 * "data") as one that was read and checked before, and with data as this generator writes it. 1: `*out` is filled and
 * the message is behind us. 0: it is something else, or written differently, and scan_next must read it. -EPROTO as
 * scan_next.
 */
int scan_event_again(struct scan *scan, struct scan_text start, struct scan_event *out);

static inline bool scan_equals(struct scan_text text, const void *bytes, size_t length)
{
	return text.at && text.length == length && !memcmp(text.at, bytes, length);
}

/* Compares with a string literal. */
#define SCAN_IS(text, literal) scan_equals((text), (literal), sizeof(literal) - 1)

#endif
