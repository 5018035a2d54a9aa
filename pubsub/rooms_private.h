/*
 * rooms_private - struct rooms from the inside, for the files of pubsub alone.
 *
 * Threads: [shard] rooms->shard.
 */
#ifndef PUBSUB_ROOMS_PRIVATE_H
#define PUBSUB_ROOMS_PRIVATE_H

#include "core/buf.h"
#include "core/map.h"
#include "pubsub/room_answers.h"
#include "pubsub/rooms.h"
#include "shard/shard.h"

/* What the protocol says when something is not possible. */
#define ROOM_ERROR_INIT "Room initialization failed"
#define ROOM_ERROR_STATE_SIZE "Room state exceeds maximum size limit"
#define ROOM_ERROR_SERVER_ONLY "Room state is server-only"
#define ROOM_ERROR_UNKNOWN "Room not found"
#define ROOM_ERROR_BUSY "Room has too many updates waiting"

struct rooms {
	struct shard *shard;
	unsigned index; /* of shard */
	unsigned shard_count;
	struct rooms_options options;
	struct map homes;     /* struct room, by key */
	uint32_t room_count;  /* homes of type "room" */
	struct map views;     /* struct room_view, by key */
	uint64_t last_serial; /* of a member */
	struct room_answers answers;
	struct buf scratch; /* to print in; empty between calls */
	struct rooms_counters counters;
};

static inline struct rooms *rooms_of(struct shard *here)
{
	return shard_context(here, SHARD_ROOMS);
}

#endif
