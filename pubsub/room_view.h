/*
 * room_view - a channel as one shard sees it: its own members, its handlers, and the room's state as last heard.
 *
 * A view is there as long as it has a member or a handler; it dies at the end of the tick in which the last one goes,
 * so it stays good for whoever is in the midst of a delivery. For the files of pubsub alone. Threads: [shard].
 */
#ifndef PUBSUB_ROOM_VIEW_H
#define PUBSUB_ROOM_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "core/map.h"
#include "pubsub/room_event.h"
#include "pubsub/rooms.h"
#include "shard/shard.h"

struct room_dispatch;
struct room_request;

struct room_view {
	struct map_entry by_key;
	struct rooms *rooms;
	struct list members; /* those that are IN, in order of joining */
	struct list joining; /* those that are JOINING, in order of asking */
	const live_value *state;
	uint64_t version;
	uint32_t member_count; /* on all shards, as last heard */
	struct list handlers;  /* struct room_handler, in order of registering; ended ones too while delivering */
	uint32_t live_handlers;
	uint32_t listeners; /* of those of a room: without a member, here at its home */
	bool delivering;
	bool has_ended_handlers;
	struct grave grave;
	struct str key;
	char bytes[];
};

/* The view of that channel here, or NULL; hash is map_hash of key. */
struct room_view *room_view_find(struct rooms *rooms, struct str key, uint32_t hash);
/* The same, made when there is none; call room_view_settle if nothing is put on it. */
struct room_view *room_view_open(struct rooms *rooms, struct str key, uint32_t hash);
/* Whether handlers here, at the home of the room of that key, listen to it without being members. */
bool room_view_listens(struct rooms *rooms, struct str key);
/* Ends the view when nothing is on it any more. */
void room_view_settle(struct room_view *view);
/* Frees it at once, with its handlers. */
void room_view_free(struct room_view *view);

/* The home's answer to a join (a loan). */
void room_view_welcome(struct rooms *rooms, struct room_request *answer);
/* An event came from the home (a loan). */
void room_view_receive(struct rooms *rooms, struct room_dispatch *dispatch);

static inline bool room_view_has_members(const struct room_view *view)
{
	return !list_is_empty(&view->members);
}

#endif
