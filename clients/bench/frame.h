/*
 * frame - WebSocket frames (RFC 6455, section 5).
 *
 * A client sends masked frames and must refuse masked ones; a server the other way round. Parsing does not copy: a
 * parsed frame points into the bytes it was parsed from (frames from a client are unmasked in place, once). Threads:
 * [any].
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clients/bench/buffer.h"

#define FRAME_HEAD_MAX 14
#define FRAME_PAYLOAD_MAX ((size_t)64 << 20)

enum frame_opcode {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

enum frame_origin {
	FRAME_FROM_SERVER, /* must not be masked */
	FRAME_FROM_CLIENT, /* must be masked */
};

struct frame {
	uint8_t opcode;
	bool final;
	uint8_t *payload;
	size_t length;
};

/*
 * Parses the frame at the start of `bytes`. Returns its whole size, 0 when more bytes are needed, or -EPROTO when no
 * honest peer sends this: reserved bits or opcodes, the wrong masking, a length not in its shortest form, a fragmented
 * or long control frame. -EMSGSIZE above FRAME_PAYLOAD_MAX.
 */
ssize_t frame_parse(uint8_t *bytes, size_t available, enum frame_origin origin, struct frame *out);

/* Appends a final frame as a client sends it, masked with `key`. */
void frame_append_masked(struct buffer *out, uint8_t opcode, const void *payload, size_t length, uint32_t key);

/* Appends a final frame as a server sends it. */
void frame_append_plain(struct buffer *out, uint8_t opcode, const void *payload, size_t length);

#endif
