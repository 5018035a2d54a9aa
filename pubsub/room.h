/*
 * room - the actor at a channel's home: its order, its state, who is in it.
 *
 * A room comes to life with the first join: it opens through the adapter, which may take a while, and mail that comes
 * meanwhile waits its turn, within bounds. From then on each mail is one step (room_steps.c): it changes the room and
 * tells the shards that have a seat. Since all that a shard gets from a room, snapshots and events, leaves here in one
 * order, a snapshot stands exactly between two events. An empty room keeps its state for a while and is then closed.
 *
 * A channel of the event bus is a room without members, state or adapter; it lives while a shard has handlers.
 *
 * For the files of pubsub alone. Threads: [shard] the home.
 */
#ifndef PUBSUB_ROOM_H
#define PUBSUB_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/map.h"
#include "core/str.h"
#include "pubsub/room_key.h"
#include "pubsub/room_members.h"
#include "pubsub/room_state.h"
#include "pubsub/rooms_private.h"
#include "shard/shard.h"
#include "shard/wheel.h"

struct room_commits;
struct room_dispatch;
struct room_mail;

enum room_phase {
	ROOM_OPENING, /* mail waits for the adapter's answer; the timer is the deadline for that */
	ROOM_OPEN,    /* the timer runs while it is empty */
};

struct room {
	struct map_entry by_key; /* rooms->homes */
	struct rooms *rooms;
	enum room_phase phase;
	bool is_room;        /* not of the event bus */
	bool is_server_only; /* clients may not set its state */
	struct room_members members;
	struct room_state state;
	uint32_t elsewhere;           /* members on other nodes, as the adapter knows */
	struct room_commits *commits; /* what waits to be committed outside; NULL: this room needs no such thing */
	struct mail *waiting;         /* oldest first */
	struct mail **waiting_end;
	uint32_t waiting_count;
	size_t waiting_bytes;
	struct timer timer;
	int64_t created_ms; /* wall clock */
	int64_t last_activity_ms;
	struct grave grave;
	struct str key;
	char bytes[];
};

static inline struct str room_id(const struct room *room)
{
	return room_key_id(room->key);
}

/* Members on all nodes. */
static inline uint32_t room_count(const struct room *room)
{
	return room_members_count(&room->members) + room->elsewhere;
}

static inline const struct rooms_options *room_options(const struct room *room)
{
	return &room->rooms->options;
}

/* Mail arrived at the home of its channel. Gives it away. */
void room_receive(struct rooms *rooms, struct room_mail *mail);
/* The shard of a room's home has handlers of its own for it, without a member, or no longer: it gets a seat. */
void room_set_listening(struct rooms *rooms, struct str key, bool listens);
/* Frees all homes here at once, without telling anybody. */
void room_free_all(struct rooms *rooms);

/* ---- the steps of an open room ---- */

/* The open or opening room of that id here, or NULL. */
struct room *room_find(struct rooms *rooms, struct str room_id);
/* It is there with this stored state (borrowed; NULL: none): does what waited. */
void room_finish_opening(struct room *room, const live_value *stored);
/* Does what mail asks for, or lets it wait for a commit. Gives it away. */
void room_step(struct room *room, struct room_mail *mail);
/* Does what mail asks for without a commit. Gives it away. */
void room_step_now(struct room *room, struct room_mail *mail);
/* Applies a planned change, which has a delta, and tells the members, but not the adapter. NULL or why not. */
const char *room_apply(struct room *room, struct room_change *change, struct room_origin exclude, int64_t wall_ms);
/* Tells the members of an event that was emitted, but not the adapter. Gives it away. */
void room_tell_event(struct room *room, struct room_dispatch *dispatch);
/* The change that patch makes to state. */
void room_plan(const struct room *room, const struct room_state *state, const live_value *patch,
	       struct room_change *change);
/* Tells the adapter of the state that a new room begins with. */
void room_publish_seed(struct room *room);
/* Closes the room, if it is empty now, after a while, unless somebody joins. */
void room_expect_empty(struct room *room);
/* Ends the room at the end of this tick; from now on nobody finds it. */
void room_close(struct room *room);

#endif
