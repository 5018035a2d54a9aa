/*
 * trace - what components and clients do, told to the log and to the debugger.
 *
 * A line is printed when its component asks for the category (live_definition.logging), or, for what concerns no
 * component, when the setting `logging` does; the debugger, while it is on, hears of everything. Ask trace_wants first:
 * it is one branch, and all that is paid while nobody listens. Threads: [shard] of the first argument.
 */
#ifndef SERVER_COMPONENT_TRACE_H
#define SERVER_COMPONENT_TRACE_H

#include "server/component/instance.h"
#include "server/debug/debug_event.h"

struct alert;
struct call;
struct membership;
struct mount_request;

/* Whether anybody wants to hear of that category of self. */
static inline bool trace_wants(const live_component *self, unsigned category)
{
	return __builtin_expect(((self->definition->api->logging | self->home->trace) & category) != 0, 0);
}

/* The same of what concerns no component. */
static inline bool trace_wants_here(const struct component_shard *here, unsigned category)
{
	return __builtin_expect(((here->settings->logging | here->trace) & category) != 0, 0);
}

/* ---- a component's life: LIVE_LOG_LIFECYCLE ---- */

/* previous: the state that it came back with, or NULL. */
void trace_mounted(live_component *self, const struct mount_request *request, const live_value *previous);
void trace_mount_answered(live_component *self, int64_t took_ns);
void trace_hook_failed(live_component *self, struct str hook, struct str error);
void trace_destroyed(live_component *self);
/* No component was made: LIVE_LOG_LIFECYCLE of here. */
void trace_mount_refused(struct component_shard *here, const struct mount_request *request, struct str error);

/* ---- what it does ---- */

/* LIVE_LOG_STATE; source: "proxy", "setState" or "rehydrate". */
void trace_changed(live_component *self, const live_value *delta, const char *source);
/* LIVE_LOG_MESSAGES, like the next. */
void trace_called(live_component *self, struct str action, const live_value *payload);
/* error ptr NULL: it went well, with result (may be NULL). LIVE_LOG_PERFORMANCE as well. */
void trace_answered(live_component *self, struct str action, const live_value *result, struct str error,
		    int64_t took_ns);
/* A message of that type was pushed to its clients: LIVE_LOG_MESSAGES. */
void trace_pushed(live_component *self, struct str type);
/* What befell its client's connection: LIVE_LOG_WEBSOCKET. */
void trace_connection(live_component *self, const char *what);
/* LIVE_LOG_PERFORMANCE. */
void trace_alert(live_component *self, const struct alert *alert);

/* ---- rooms: LIVE_LOG_ROOMS (trace_rooms.c) ---- */

/* Whether anybody wants to hear of what a member does. */
bool trace_wants_rooms(const struct membership *membership);
/* type: DEBUG_ROOM_JOIN or DEBUG_ROOM_LEAVE. */
void trace_room(const struct membership *membership, enum debug_type type);
/* data: JSON text, may be empty. */
void trace_emitted(const struct membership *membership, struct str event, struct str data);
/* The same on the event bus, in the component's own room. */
void trace_emitted_on_bus(live_component *self, struct str event, struct str data);
/* It changed the room's state. */
void trace_room_state(const struct membership *membership);
/* A handler of a member, or of a component on the event bus, is called. */
void trace_received(live_component *self, struct str room, struct str event, const live_value *data);

/* ---- clients: LIVE_LOG_WEBSOCKET of here ---- */

void trace_connected(struct component_shard *here, struct str connection_id);
void trace_disconnected(struct component_shard *here, struct str connection_id, unsigned components);
/* A message that was answered with an error before it reached anybody; LIVE_LOG_MESSAGES of here. */
void trace_refused(struct component_shard *here, struct str connection_id, struct str error);

/* ---- for the debugger's snapshot (trace_snapshot.c) ---- */

/* What the debugger shows of a component besides: kept only while it is on. */
struct trace_notes {
	int64_t mounted_ms; /* wall */
	int64_t active_ms;  /* wall */
	struct str label;   /* in text; ptr NULL: none */
	char text[];
};

/* As struct debug_options says. */
void trace_collect(struct shard *shard, struct buf *out, size_t limit);

#endif
