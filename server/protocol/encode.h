/*
 * encode - every message that the server writes, as JSON text, byte by byte as protocol.md has it.
 *
 * Each function appends one JSON object to a buffer; buf_failed tells of a limit at the end. Fields that would be
 * undefined are absent. Strings of peers are escaped; component ids need no escaping by construction. Threads: [any].
 */
#ifndef SERVER_PROTOCOL_ENCODE_H
#define SERVER_PROTOCOL_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/frame.h"
#include "core/str.h"

struct room_event;

/* Who pushes: the part of a component's envelope that never changes. Lengths of 0 leave the field out. */
struct sender {
	struct str id;
	struct str user_id;
	struct str room;
};

/* A reply of the generic path (protocol section 5). */
struct reply {
	const char *type;        /* "MESSAGE_RESPONSE", ... */
	struct str component_id; /* ptr NULL: absent */
	struct str request_id;   /* ptr NULL: absent */
	bool success;
	struct str error;         /* of a failure */
	const live_value *result; /* NULL: absent; a loan */
	struct str result_json;   /* instead of result: JSON text; ptr NULL: absent */
};

void encode_reply(struct buf *out, const struct reply *reply);
/* {"type":"ERROR",...,"success":false}: the answer to a request that could not be handled; ptr NULL leaves a field out.
 */
void encode_error(struct buf *out, struct str component_id, struct str error, struct str request_id);
/* The result of a mount (protocol 6.1), for reply.result_json. signed_state is JSON; empty: null. */
void encode_mount_result(struct buf *out, struct str id, const live_value *state, struct str signed_state);
void encode_connection_established(struct buf *out, struct str connection_id, bool authenticated);
/* AUTH_RESPONSE for all generations of clients (protocol section 10); user NULL: no provider took the credentials. */
void encode_auth_response(struct buf *out, const live_value *user, struct str request_id);
void encode_pong(struct buf *out, struct str component_id, struct str request_id, int64_t wall_ms);

/* ---- pushes of a component ---- */

/* signed_state: JSON, left out when empty. */
void encode_state_update(struct buf *out, const struct sender *sender, const live_value *state,
			 struct str signed_state);
void encode_state_delta(struct buf *out, const struct sender *sender, const live_value *delta);
void encode_state_signature(struct buf *out, const struct sender *sender, struct str signed_state);
void encode_state_rehydrated(struct buf *out, const struct sender *sender, const live_value *state,
			     struct str signed_state, struct str old_id);
/* {"type":type,...,"payload":payload}; payload NULL leaves it out. */
void encode_emit(struct buf *out, const struct sender *sender, struct str type, const live_value *payload);
/* The ERROR push; action may be empty. The text stands at both places where clients look for it (protocol 7.5). */
void encode_error_push(struct buf *out, const struct sender *sender, struct str action, struct str error);

/* ---- rooms ---- */

/* The part of a room's push that all its members share: everything behind the member's id, whose quote it begins with.
 * The caller owns it. */
struct frame *encode_room_event(const struct room_event *event);
/* The same for a ROOM_EVENT_STATE to clients that merge data itself, and only its top level (protocol 19, rows 10 and
 * 11). */
struct frame *encode_room_event_legacy(const struct room_event *event);
/* The push for one member: its id in front of the part that encode_room_event made. */
void encode_room_frame(struct buf *out, struct str member_id, struct str shared);
/* What stands in front of the shared part. */
void encode_room_head(struct buf *out, struct str member_id);
/* ROOM_JOINED with the layout that all clients read (protocol 19, row 5). */
void encode_room_joined(struct buf *out, struct str component_id, struct str room_id, const live_value *state,
			struct str request_id);
void encode_room_left(struct buf *out, struct str component_id, struct str room_id, struct str request_id);
void encode_room_state(struct buf *out, struct str component_id, struct str room_id, const live_value *state,
		       struct str request_id);

#endif
