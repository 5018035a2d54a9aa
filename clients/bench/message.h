/*
 * message - what a client of the protocol says, written ready to send.
 *
 * Each function appends one masked text frame (or, for the floor, the raw form of the same step) to `out`. A request's
 * id is its number as eight hexadecimal digits, the length that the reference's clients use; replies are matched by it.
 * Threads: [any], one at a time for each writer.
 */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/bench/buffer.h"

#define MESSAGE_REQUEST_ID 8
#define MESSAGE_ROOM_MAX 64
#define MESSAGE_DATA_MIN 72 /* the smallest data that holds sender, number and time */

struct message_writer {
	struct buffer text;
	uint64_t random; /* for masking keys */
};

struct message_room {
	const char *name;
	uint32_t number;
};

struct message_event {
	uint32_t sender;
	uint32_t number;
	uint64_t intended_ns;
	size_t data_bytes; /* of the data object, from MESSAGE_DATA_MIN up */
};

/* `seed` makes the masking keys differ between workers. */
void message_writer_init(struct message_writer *writer, uint64_t seed);
void message_writer_deinit(struct message_writer *writer);

/* Appends a frame of any kind. */
void message_frame(struct message_writer *writer, struct buffer *out, uint8_t opcode, const void *payload,
		   size_t length);

/* Eight hexadecimal digits, not terminated. */
void message_request_id(uint32_t request, char id[MESSAGE_REQUEST_ID]);

/* The number that message_request_id wrote; false if the text is none. */
bool message_request_number(const char *text, size_t length, uint32_t *request);

void message_mount(struct message_writer *writer, struct buffer *out, const char *component, uint32_t request);
void message_join(struct message_writer *writer, struct buffer *out, const char *component_id,
		  const struct message_room *room, uint32_t request);
void message_action(struct message_writer *writer, struct buffer *out, const char *component_id, const char *action,
		    uint32_t request);
void message_emit(struct message_writer *writer, struct buffer *out, const char *component_id,
		  const struct message_room *room, const struct message_event *event);

/* For the floor: join room `room`; with a notice, a text as long as a real ROOM_SYSTEM for the members already there.
 */
void message_raw_join(struct message_writer *writer, struct buffer *out, const struct message_room *room, bool notice);

/* For the floor: the very text that a member of a real server would receive, which the floor passes on as it is. */
void message_raw_emit(struct message_writer *writer, struct buffer *out, const struct message_room *room,
		      const struct message_event *event);

#endif
