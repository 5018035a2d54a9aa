/*
 * rooms - the rooms as one shard sees them.
 *
 * A room is one actor on one shard, its home (chosen by hash of type and id): order, state, counts of members per
 * shard. Every shard with members or handlers of that room keeps a view: the list of its own members and the room's
 * last state. All that changes a room travels as mail to its home, also from the home's own shard, so there is one path
 * and one order; what results travels from the home to the views as room_events. Hence: a member gets the snapshot
 * before any later event, and all members on a node see the events of a room in the same order.
 *
 * Channels of a type other than "room" are the event bus: handlers only, no members, no clients.
 *
 * One struct rooms per shard, owned by the server; everything is [shard] unless marked. What one may get wrong:
 * expecting a result before the call returns; all answers come by callback, later in the tick or in another one.
 */
#ifndef PUBSUB_ROOMS_H
#define PUBSUB_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/counter.h"
#include "core/list.h"
#include "core/str.h"
#include "pubsub/room_event.h"

struct rooms;
struct room_view;
struct room_member;
struct shard;
struct room_adapter;

enum {
	ROOM_NAME_MAX = 64, /* bytes of a room id */
};

struct rooms_options {                /* 0 gives the default */
	size_t max_state_bytes;       /* JSON text of a room's state; default 10 MiB */
	int64_t empty_ms;             /* an empty room keeps its state this long; default 5 minutes */
	uint32_t max_rooms;           /* homes of rooms per shard, above which joins are refused; default 2^20 */
	unsigned diff_depth;          /* nested levels that a state change is compared in; default 3 */
	struct room_adapter *adapter; /* where state is kept and other nodes are reached; never NULL */
	const struct rooms_hooks *hooks;
};

/* What the floor above does. All [shard]. */
struct rooms_hooks {
	/* At the home: the frame shared by all members of "room" channels, or NULL. The caller owns the result. */
	struct frame *(*encode)(const struct room_event *event);
	/* Once per event and shard, after the handlers, for a view that has members besides the excluded one: hand the
	 * event to them (room_view_next_member), but not to event->exclude (rooms_excluded_serial). */
	void (*deliver)(struct rooms *rooms, struct room_view *view, struct room_event *event);
	/* The answer to rooms_join. error NULL: joined, and room_view_state is the snapshot. Else the protocol's text,
	 * and the member is free again. Not called for a member that left meanwhile. */
	void (*joined)(struct rooms *rooms, struct room_member *member, const char *error);
};

/* [shard] The rooms of shard, which finds them by shard_context(shard, SHARD_ROOMS). Never NULL. */
struct rooms *rooms_new(struct shard *shard, const struct rooms_options *options);
/* All members must have left. NULL is fine. */
void rooms_free(struct rooms *rooms);
struct shard *rooms_shard(const struct rooms *rooms);
/* Whether id is 1 to 64 of a-z A-Z 0-9 _ : . - [any] */
bool room_name_is_valid(struct str id);
/* The shard that is home of the channel (type, room_id) in a group of shard_count shards. The same in every process.
 * [any] */
unsigned rooms_home_shard(struct str type, struct str room_id, unsigned shard_count);

/* ---- members: embedded in what the floor above keeps per component and room ---- */

enum room_member_state { ROOM_MEMBER_OUT, ROOM_MEMBER_JOINING, ROOM_MEMBER_IN };

struct room_member {            /* zeroed before first use */
	struct list link;       /* the view's */
	struct room_view *view; /* the view's; NULL when out */
	uint64_t serial;        /* the rooms': names it as an origin */
	struct str id; /* the component's id; set by the owner before the join, stays put until after the leave */
	enum room_member_state state;
	bool is_server_only; /* set by the owner before the join: a room that it creates takes state from no client */
};

/* Joins; hooks->joined answers, with "Room initialization failed" when there are too many rooms, too much waits for
 * this one to open, or its initial state is too large. The member must be OUT. initial_state (borrowed, may be NULL)
 * seeds a room that this join creates. 0, or -EINVAL for an invalid name, -EALREADY when the member is not OUT. */
int rooms_join(struct rooms *rooms, struct room_member *member, struct str room_id, const live_value *initial_state)
	__attribute__((warn_unused_result));
/* Leaves at once: nothing is delivered to member any more and it may be freed. Fine when it is OUT. */
void rooms_leave(struct rooms *rooms, struct room_member *member);

/* Names member as one who must not get an event. A member that never joined is given a name here, so that its handlers
 * in the event bus can be left out too; each join gives it a new one. */
struct room_origin rooms_origin(struct rooms *rooms, struct room_member *member);
/* The serial of the member here that must not get event, or 0 when it is not one of this shard. */
uint64_t rooms_excluded_serial(const struct rooms *rooms, const struct room_event *event);

struct str room_view_id(const struct room_view *view);
/* The room's state as last heard, a loan until the next event; {} before. */
const live_value *room_view_state(const struct room_view *view);
uint64_t room_view_version(const struct room_view *view);
/* Members of the room on all shards, as last heard. */
uint32_t room_view_member_count(const struct room_view *view);
/* The view's members here that are IN, in order of joining: member NULL gives the first; NULL at the end. Members may
 * be removed during the walk, but for the one that the next call names. */
struct room_member *room_view_next_member(struct room_view *view, struct room_member *member);
/* The view of a room here, or NULL when nobody here is in it. */
struct room_view *rooms_find_view(struct rooms *rooms, struct str type, struct str room_id);

/* ---- what happens in rooms ---- */

/* The answer to a request; error NULL: done, and value is the result (a loan), else the protocol's text. */
typedef void room_answer(void *context, const char *error, const live_value *value);

struct room_emit {
	struct str type; /* "room" or an event-bus type */
	struct str room_id;
	struct str event;
	struct str data; /* JSON text, checked and cleaned; copied */
	struct room_origin exclude;
};

/* Emits; members of the room get it in the room's order. Unknown rooms swallow it, and are not made. 0, or -ENOMEM for
 * data that is too large to copy. */
int rooms_emit(struct rooms *rooms, const struct room_emit *emit) __attribute__((warn_unused_result));
/* As rooms_emit, from a thread that is no shard of the group or from a shard without members: [any]. */
int rooms_emit_outside(struct shard *any_shard_of_group, const struct room_emit *emit)
	__attribute__((warn_unused_result));

/* Merges updates (borrowed) into the room's state by the rules of protocol 7.3 and sends the changes to all members but
 * exclude. answer (may be NULL) gets the new state or an error: "Room state exceeds maximum size limit", or "Room not
 * found" when no such room exists. */
void rooms_set_state(struct rooms *rooms, struct str room_id, const live_value *updates, struct room_origin exclude,
		     room_answer *answer, void *context);
/* The same in the name of a client, who may get the error "Room state is server-only", too. */
void rooms_set_state_by_client(struct rooms *rooms, struct str room_id, const live_value *updates,
			       struct room_origin exclude, room_answer *answer, void *context);
/* The room's state, from its home, after all that was sent before from here. {} for an unknown room. */
void rooms_get_state(struct rooms *rooms, struct str room_id, room_answer *answer, void *context);

/* Runs at the room's home: reads state, returns the new state (a reference that is given away; state itself,
 * referenced, means no change) and may set *reply (given away). It must touch nothing but its arguments. */
typedef const live_value *room_update_fn(const live_value *state, const live_value *argument, const live_value **reply);
/* Read-and-change in one step, so that no update is lost. argument is borrowed. The new state is taken as a patch of
 * the old (protocol 7.3): nested keys that are missing are deleted, but top-level keys that are missing stay, since
 * clients cannot delete those either; set them to null. The room must exist (somebody is in it or it is kept). answer
 * gets *reply, or an error as of rooms_set_state. */
void rooms_update(struct rooms *rooms, struct str room_id, room_update_fn *update, const live_value *argument,
		  struct room_origin exclude, room_answer *answer, void *context);

/* Answers still due to context will not come any more (the asker is gone). */
void rooms_forget_answers(struct rooms *rooms, void *context);

/* ---- handlers: the event bus ---- */

struct room_handler;
/* data: parsed once per shard and event; a loan. */
typedef void room_handler_fn(void *context, const struct room_event *event, const live_value *data);

/* Calls fn for each event of that name in the channel (type, room_id), system and state events too; name "*" for all.
 * For channels of type "room", events come only while somebody here is a member, or, without a member, when here is the
 * room's home, whether it exists yet or not. A handler with a member gets nothing
 * that excludes that member, nor, while its join is under way, what came before; it must end before the member does.
 * Pass NULL for none. A handler begun by another one gets the next event first. The caller owns the handler and ends it
 * with rooms_off. */
struct room_handler *rooms_on(struct rooms *rooms, struct str type, struct str room_id, struct str name,
			      const struct room_member *member, room_handler_fn *fn, void *context);
/* Ends it: fn is not called any more. NULL is fine; also from inside fn. */
void rooms_off(struct rooms *rooms, struct room_handler *handler);

/* ---- figures ---- */

struct room_stats {
	struct str id;
	uint32_t members;
	int64_t created_ms; /* wall clock */
	int64_t last_activity_ms;
	const live_value *state; /* a loan */
};

/* When the oldest update was asked for whose function may still be called, monotonic; INT64_MAX: there is none. Only
 * rooms that are committed outside keep any, those that were done for a minute. */
int64_t rooms_updates_since_ms(struct rooms *rooms);
/* Walks the rooms of type "room" whose home is here: calls each for every one. */
void rooms_each_home(struct rooms *rooms, void (*each)(void *context, const struct room_stats *stats), void *context);
/* Whether the room's home, which must be here, exists. */
bool rooms_has_home(const struct rooms *rooms, struct str room_id);
/* Ends the room whose home is here, if it has no members: whether there was such a room. */
bool rooms_drop_home(struct rooms *rooms, struct str room_id);
/* Homes here (all types). */
uint32_t rooms_home_count(const struct rooms *rooms);

struct rooms_counters {     /* written by the shard, read [any] */
	counter events;     /* told by homes here */
	counter deliveries; /* of events to this shard */
	counter refused;    /* mail that found too many rooms, or too much waiting for one to open */
};

const struct rooms_counters *rooms_counters(const struct rooms *rooms);

#endif
