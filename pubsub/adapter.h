/*
 * adapter - where rooms are kept and how other nodes hear of them, as interfaces.
 *
 * A room's home calls them, on its shard; answers come back on the same shard, at once or later. The in-memory adapter
 * (memory_adapter.h) keeps nothing beyond the process and has no other nodes. An adapter must never block: what it
 * cannot do now it queues within bounds or drops and counts.
 *
 * Threads: the functions of an adapter are called on many shards, each call by the shard that is home of the room
 * named; an adapter keeps its own state per shard.
 */
#ifndef PUBSUB_ADAPTER_H
#define PUBSUB_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/str.h"
#include "pubsub/room_event.h"

struct rooms;
struct room_adapter;

struct room_adapter_ops {
	/* A room comes to life at this home: subscribe to it and look up its stored state. Must end in exactly one call
	 * of rooms_adapter_opened, at once or later. */
	void (*open)(struct room_adapter *adapter, struct rooms *rooms, struct str room_id);
	/* The room is gone here: unsubscribe. The stored state stays as long as the adapter keeps it. */
	void (*close)(struct room_adapter *adapter, struct rooms *rooms, struct str room_id);
	/* Somebody emitted on this node: tell the others. */
	void (*publish_event)(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event);
	/* The state changed on this node, or a room begins with a state of its own: store it, tell the others. */
	void (*publish_state)(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event);
	/* A member joined or left on this node. */
	void (*publish_membership)(struct room_adapter *adapter, struct rooms *rooms, struct str room_id, bool joined,
				   struct str member_id);
	/* Nobody needs the stored state any more (the room was deleted on purpose). */
	void (*remove)(struct room_adapter *adapter, struct rooms *rooms, struct str room_id);
	/* Whether changes of this room must be committed outside before anybody is told of them; the same for the whole
	 * life of the room. NULL: of none. */
	bool (*is_cluster)(struct room_adapter *adapter, struct str room_id);
	/* Something waits in such a room to be committed: run it (below) when it can be. NULL when is_cluster is. */
	void (*commit)(struct room_adapter *adapter, struct rooms *rooms, struct str room_id);
};

struct room_adapter { /* embedded in the adapter's own struct */
	const struct room_adapter_ops *ops;
};

/*
 * Both of these are mail: what they bring about happens after they return, so they may be called from anywhere, also
 * from inside the adapter's own functions.
 */

/* [shard] The answer to open: state (borrowed) as stored, or NULL when nothing is stored or nothing can be reached. */
void rooms_adapter_opened(struct rooms *rooms, struct str room_id, const live_value *state);
/* [shard] Another node says: this happened. event (borrowed, copied; on the caller's stack, say) needs kind, room_id,
 * name and data; wall_ms 0 is now. Relayed to members and handlers here without being published again. For
 * ROOM_EVENT_STATE changes are merged, and data is not looked at; for ROOM_EVENT_SYSTEM, data names the member. */
void rooms_adapter_event(struct rooms *rooms, const struct room_event *event);

/*
 * The rest happens at once, at the home, which must be the shard here. Not to be called from inside the adapter's own
 * functions: a room is in the midst of something then.
 */

/* [shard] As rooms_adapter_event. */
void rooms_adapter_relay(struct rooms *rooms, const struct room_event *event);
/* [shard] From now on the room's state is state (borrowed, an object). Members are told delta (borrowed) if it is given
 * and leads there from the room's state, else the difference; keys that went are told as null. When the room opens yet,
 * this is its stored state. wall_ms 0 is now. 0, or -ENOENT when there is no such room. */
int rooms_adapter_adopt(struct rooms *rooms, struct str room_id, const live_value *state, const live_value *delta,
			int64_t wall_ms);
/* [shard] So many members are in the room on other nodes. */
void rooms_adapter_count(struct rooms *rooms, struct str room_id, uint32_t elsewhere);
/* [shard] Calls each for every member of the room on this node. */
void rooms_adapter_each_member(struct rooms *rooms, struct str room_id,
			       void (*each)(void *context, struct str member_id), void *context);

/* ---- rooms whose changes are committed outside [shard] ---- */

struct room_batch_item {
	const live_value *delta; /* a change of the state; NULL: an event */
	struct str name;         /* of the event */
	struct str data;
};

struct room_batch { /* what becomes of the room's state when all that waits (up to a bound) is done to it */
	const struct room_batch_item *items;
	unsigned count;
	unsigned changes;        /* of the items: those with a delta */
	const live_value *state; /* after all of them */
};

/*
 * Runs what waits against the room's state. The batch is a loan until it is committed, dropped or failed; nobody is
 * told anything yet. NULL: nothing waits that needs a commit (what needed none is answered). While a batch is out, the
 * room's state must not be adopted but after rooms_adapter_drop_batch.
 *
 * number, larger than all before it, is that of the commit. What is run keeps the number of the first commit that may
 * have been done with it, and each later batch holds all that has one: so whatever is stored holds just those of our
 * changes whose number is not above that of our last commit in there.
 */
const struct room_batch *rooms_adapter_run(struct rooms *rooms, struct str room_id, uint64_t number);
/* The batch that is out, or NULL. */
const struct room_batch *rooms_adapter_batch(struct rooms *rooms, struct str room_id);
/* The batch holds: changes the state, tells members, answers. */
void rooms_adapter_commit_batch(struct rooms *rooms, struct str room_id);
/* It does not, somebody else was first: what was run waits again. may_be_done: it may still turn out to be. */
void rooms_adapter_drop_batch(struct rooms *rooms, struct str room_id, bool may_be_done);
/* What is stored now (and adopted) holds our commits up to acked: what waits and is in it is done, its askers get error
 * (static text), since it is not known what it came to there. What was done and answered lately, and is not in it, is
 * done again, once. No batch may be out. */
void rooms_adapter_settle(struct rooms *rooms, struct str room_id, uint64_t acked, const char *error);
/* Gives up what has waited since before_ms (of the shard's monotonic clock) or longer: its askers get error (static
 * text), or out_error if it may have been done. When that concerns a batch that is out, all of it is given up with
 * out_error. Events are told within this node. What was answered before and is done again is never given up. Returns
 * the moment since which the oldest of the rest waits, or -1. */
int64_t rooms_adapter_expire(struct rooms *rooms, struct str room_id, int64_t before_ms, const char *error,
			     const char *out_error);

#endif
