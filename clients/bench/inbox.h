/*
 * inbox - a stream of bytes from a server, turned into messages.
 *
 * Owned by one client. It holds memory only between two reads, when a frame is unfinished, or while a message comes in
 * fragments; whole frames are handed on from the caller's bytes without a copy. Threads: [any], one at a time.
 */
#ifndef BENCH_INBOX_H
#define BENCH_INBOX_H

#include "clients/bench/frame.h"

struct inbox {
	struct buffer tail;      /* the start of a frame whose end has not come */
	struct buffer message;   /* the fragments of a message so far */
	uint8_t fragment_opcode; /* of that message; 0 when there is none */
};

/*
 * Called for each message (text, binary) and each control frame, in order. The payload is good for the call only.
 * Anything but 0 stops the feed, which returns it.
 */
typedef int (*inbox_deliver)(void *owner, uint8_t opcode, uint8_t *payload, size_t length);

/*
 * Takes the next `length` bytes of the stream. Returns 0, what `deliver` returned, or the error of frame_parse; after
 * an error the stream is of no more use.
 */
int inbox_feed(struct inbox *inbox, uint8_t *bytes, size_t length, inbox_deliver deliver, void *owner);

/* Forgets everything; the inbox can start another stream. */
void inbox_deinit(struct inbox *inbox);

#endif
