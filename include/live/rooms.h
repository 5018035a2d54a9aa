/*
 * rooms - the rooms of a server, for the program that embeds it: their events, members and state; and the event bus.
 *
 * Three faces of one thing, as the reference has them. Events (live_events_*): handlers of the program, called when
 * something is emitted in a channel, which is a room when its type is "room" and else a channel of the event bus, where
 * components and the program are among themselves. The room manager (live_room_manager_*): who is in a room, and what
 * is sent to whom. Room states (live_room_states_*): the data that rooms keep. What happens here happens in the room's
 * own order, between the events of clients, whoever asks from wherever.
 *
 * A room is there from its first member on, and for a while after the last (setting room_empty_ms). Room ids are 1 to
 * 64 of a-z A-Z 0-9 _ : . - .
 *
 * Threads: [any], but for what says [shard].
 */
#ifndef LIVE_ROOMS_H
#define LIVE_ROOMS_H

#include <live/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- events ---- */

typedef struct live_subscription live_subscription;

/* [shard] An event of a channel. data is a loan; "$state:update" comes with {state: changes}, "$sub:join" and
 * "$sub:leave" with {subscriberId, count}. Must not block. */
typedef void live_channel_fn(void *argument, const char *room, const char *event, const live_value *data);
/* Calls fn for each such event ("*" for all) of the channel (type, room), until live_events_off. Events emitted before
 * this returned may be missed. NULL: the server does not run. */
LIVE_API live_subscription *live_events_on(live_server *server, const char *type, const char *room, const char *event,
					   live_channel_fn *fn, void *argument);
/* Ends it and gives it away: done (may be NULL) is told when fn is surely not called any more. Before
 * live_server_free. */
LIVE_API void live_events_off(live_subscription *subscription, live_done_fn *done, void *argument);
/* Emits event in a channel to all handlers, and for type "room" to all members as well; data is given away. 0, or
 * -ENOTCONN: the server does not run. */
LIVE_API int live_events_emit(live_server *server, const char *type, const char *room, const char *event,
			      const live_value *data);
/* Ends all subscriptions of the program in a channel; they still must be given to live_events_off. The result is how
 * many there were. */
LIVE_API void live_events_clear(live_server *server, const char *type, const char *room, live_done_fn *done,
				void *argument);
/* {totalSubscriptions, rooms: {<type>:<room>: {events: {<event>: <subscriptions>}}}}, of the program's. */
LIVE_API void live_events_stats(live_server *server, live_done_fn *done, void *argument);

/* ---- the room manager ---- */

/* Has a component join a room; initial_state (given away, may be NULL) is the room's if this creates it. The result is
 * whether it was new there. Its on_room_join tells when it is done. */
LIVE_API void live_room_manager_join(live_server *server, const char *component, const char *room,
				     const live_value *initial_state, live_done_fn *done, void *argument);
LIVE_API void live_room_manager_leave(live_server *server, const char *component, const char *room, live_done_fn *done,
				      void *argument);
/* Emits event to all members of a room; data is given away. 0, -EINVAL: no valid room id, -ENOTCONN: the server does
 * not run. */
LIVE_API int live_room_manager_emit(live_server *server, const char *room, const char *event, const live_value *data);
/* Whether a component is in a room. */
LIVE_API void live_room_manager_is_member(live_server *server, const char *component, const char *room,
					  live_done_fn *done, void *argument);
/* The rooms that a component is in, as an array. */
LIVE_API void live_room_manager_rooms_of(live_server *server, const char *component, live_done_fn *done,
					 void *argument);
/* The ids of a room's members on this node, as an array. */
LIVE_API void live_room_manager_members(live_server *server, const char *room, live_done_fn *done, void *argument);
/* {totalRooms, rooms: {<id>: {members, createdAt, lastActivity}}}; times in ms since 1970. */
LIVE_API void live_room_manager_stats(live_server *server, live_done_fn *done, void *argument);

/* ---- room states ---- */

/* The state of a room; {} for one that is not there. */
LIVE_API void live_room_states_get(live_server *server, const char *room, live_done_fn *done, void *argument);
/* Merges updates (given away) into it; all members are told. The result is the new state. "Room not found" when nobody
 * made it yet. */
LIVE_API void live_room_states_update(live_server *server, const char *room, const live_value *updates,
				      live_done_fn *done, void *argument);
/* Puts state (given away) in its place: what it does not name becomes null, since clients cannot drop a key. The result
 * is the new state. */
LIVE_API void live_room_states_set(live_server *server, const char *room, const live_value *state, live_done_fn *done,
				   void *argument);
/* Runs change (component.h) where the room lives; question is given away; the result is what it set *result to. */
LIVE_API void live_room_states_change(live_server *server, const char *room, live_room_update_fn *change,
				      const live_value *question, live_done_fn *done, void *argument);
/* Whether there is such a room. */
LIVE_API void live_room_states_has(live_server *server, const char *room, live_done_fn *done, void *argument);
/* Drops a room that has no members now, with its state. The result is whether there was one. */
LIVE_API void live_room_states_delete(live_server *server, const char *room, live_done_fn *done, void *argument);
/* {totalRooms, rooms: {<id>: {componentCount, stateKeys}}}. */
LIVE_API void live_room_states_stats(live_server *server, live_done_fn *done, void *argument);

#ifdef __cplusplus
}
#endif

#endif
