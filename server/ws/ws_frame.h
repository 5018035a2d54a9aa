/*
 * ws_frame - the header of a frame (RFC 6455 section 5.2), read and written, and the mask. Pure functions. Threads:
 * [any].
 */
#ifndef SERVER_WS_WS_FRAME_H
#define SERVER_WS_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/ws/ws.h"

enum { WS_HEADER_MAX = 10, WS_CLIENT_HEADER_MAX = 14, WS_CONTROL_MAX = 125 };

struct ws_frame {
	uint64_t len; /* of the payload */
	uint8_t mask[4];
	uint8_t opcode; /* enum ws_opcode */
	uint8_t size;   /* of the header */
	bool fin;
	bool rsv1; /* compressed, where that was agreed */
};

/*
 * Reads the header of a client's frame from len bytes. 1 when it is complete, 0 when more bytes are needed (faults that
 * show already are told at once), -WS_PROTOCOL_ERROR with *why (static text).
 */
int ws_frame_read(struct ws_frame *frame, const unsigned char *bytes, size_t len, bool rsv1_allowed, const char **why);
/* Writes a server's header (FIN set, no mask) with the shortest length; returns its size, 2 to WS_HEADER_MAX. */
size_t ws_frame_write(char out[WS_HEADER_MAX], enum ws_opcode opcode, bool rsv1, uint64_t len);
/* The length of a frame of ours, header and all. */
size_t ws_frame_len(const unsigned char *frame);
/* Takes the mask off len bytes, the first of which is number phase of the payload. */
void ws_unmask(char *bytes, size_t len, const uint8_t mask[4], uint64_t phase);
/* Whether a peer may send code in a close frame (RFC 6455 section 7.4). */
bool ws_code_is_valid(unsigned code);

#endif
