/*
 * debug_event - one thing that happened, as the debugger keeps and sends it (protocol.md section 18).
 *
 * Its data is JSON text from the start: written where it happened, cut to size there (behaviour.md section 12), and not
 * looked into again. On its way to the shard that keeps the events it is mail. Threads: [any], whoever has it.
 */
#ifndef SERVER_DEBUG_DEBUG_EVENT_H
#define SERVER_DEBUG_DEBUG_EVENT_H

#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/str.h"
#include "shard/mailbox.h"

struct debug_tap;

enum debug_type {
	DEBUG_COMPONENT_MOUNT,
	DEBUG_COMPONENT_UNMOUNT,
	DEBUG_COMPONENT_REHYDRATE,
	DEBUG_STATE_CHANGE,
	DEBUG_ACTION_CALL,
	DEBUG_ACTION_RESULT,
	DEBUG_ACTION_ERROR,
	DEBUG_ROOM_JOIN,
	DEBUG_ROOM_LEAVE,
	DEBUG_ROOM_EMIT,
	DEBUG_ROOM_EVENT_RECEIVED,
	DEBUG_WS_CONNECT,
	DEBUG_WS_DISCONNECT,
	DEBUG_ERROR,
	DEBUG_LOG,
	DEBUG_TYPES,
};

struct debug_subject {             /* whom it is about; ptr NULL: no component */
	struct str component_id;   /* of the instance */
	struct str component_name; /* of its definition */
};

struct debug_event {
	struct mail mail;
	struct debug_tap *tap; /* where it came from */
	enum debug_type type;
	int64_t wall_ms;
	struct debug_subject subject; /* in text, as is data */
	struct str data;
	char text[];
};

/* "COMPONENT_MOUNT" */
struct str debug_type_name(enum debug_type type);
/* An event; data is JSON text that is cut to size by now. NULL without memory. */
struct debug_event *debug_event_new(enum debug_type type, const struct debug_subject *subject, struct str data);
/* Appends event as number id of all: {"id":"dbg-<id>","timestamp":..,"type":..,"componentId":..,"componentName":..,
 * "data":..}. */
void debug_event_write(struct buf *out, const struct debug_event *event, uint64_t id);

/* ---- data, cut to size ---- */

/* Appends a state, or what stands for one that is too long: {"_truncated":true,"_size":<n>}. */
void debug_put_state(struct buf *out, const live_value *state);
/* What is written to data is an event's data: when it is too long {"_truncated":true,"_size":<n>,"_preview":"<first 500
 * characters>..."} takes its place, when it could not be written {"_serialization_error":true}. */
void debug_fit_data(struct buf *data);

#endif
