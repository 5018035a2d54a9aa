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

#endif
