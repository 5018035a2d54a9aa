/*
 * message - one frame of a client, taken apart in one pass and checked by the rules of protocol.md section 4.
 *
 * Strings are slices of the frame or of the tick's arena, so a message lives as long as its frame and no longer than
 * the tick. The payload becomes a value, but for ROOM_EMIT, whose data stays the text that the client sent: checked and
 * cleaned, not built. Names that would reach into a JavaScript prototype are gone from payload and data.
 *
 * What one may get wrong: using fields of a message whose invalid is set. Threads: [shard].
 */
#ifndef SERVER_PROTOCOL_MESSAGE_H
#define SERVER_PROTOCOL_MESSAGE_H

#include <stdbool.h>

#include <live/value.h>

#include "core/arena.h"
#include "core/str.h"

enum message_type {
	MESSAGE_UNKNOWN,
	MESSAGE_MOUNT,
	MESSAGE_UNMOUNT,
	MESSAGE_REHYDRATE,
	MESSAGE_ACTION,
	MESSAGE_PROPERTY,
	MESSAGE_STATE,
	MESSAGE_AUTH,
	MESSAGE_ROOM_JOIN,
	MESSAGE_ROOM_LEAVE,
	MESSAGE_ROOM_EMIT,
	MESSAGE_ROOM_SET,
	MESSAGE_ROOM_GET,
	MESSAGE_PING,
	MESSAGE_COMPONENT_PING,
};

struct message {
	enum message_type type;
	struct str type_name;
	struct str component_id; /* this and the next: ptr NULL when absent or no string */
	struct str action;
	struct str property;
	struct str request_id;
	struct str room_id; /* top level, else payload.roomId */
	bool expect_response;
	bool is_legacy;            /* numeric timestamp, and a requestId that starts with "req-" (protocol 1) */
	const live_value *payload; /* NULL when absent; message_deinit drops it. For rooms: state or initialState */
	struct str event;          /* ROOM_EMIT */
	struct str data;           /* ROOM_EMIT: JSON text; len 0 when absent */
	const char *invalid;       /* the text behind "Invalid message: ", or NULL */
};

enum message_result { MESSAGE_OK, MESSAGE_NOT_JSON, MESSAGE_TOO_DEEP, MESSAGE_NOT_OBJECT };

/* Takes text apart into *out, which message_deinit must end whatever the result. max_depth: of nesting. arena: the
 * tick's. */
enum message_result message_decode(struct message *out, struct str text, struct arena *arena, unsigned max_depth);
void message_deinit(struct message *message);

#endif
