/*
 * validate - the shape that a message must have (protocol.md section 4.1), with the exact words when it has not.
 *
 * Used by decode alone. Threads: [any].
 */
#ifndef SERVER_PROTOCOL_VALIDATE_H
#define SERVER_PROTOCOL_VALIDATE_H

#include "server/protocol/message.h"

enum { ENVELOPE_ABSENT = -1 };

/* The JSON type that each field of the envelope had (LIVE_INT for any number), or ENVELOPE_ABSENT. */
struct envelope {
	int type, component_id, request_id, response_id, expect_response, timestamp, user_id, room;
	int action, property, room_id, event, data, payload;
	int payload_event, payload_room_id;
};

#define ENVELOPE_EMPTY                                                         \
	{                                                                      \
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 \
	}

/* The text behind "Invalid message: ", static, or NULL for a message in good shape. */
const char *validate_message(const struct message *message, const struct envelope *envelope);

#endif
