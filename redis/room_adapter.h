/*
 * room_adapter - rooms that span nodes, by Redis: what the server puts behind pubsub/adapter.h.
 *
 * One adapter per process, with a part on each shard that has the rooms whose home is there. On the wire it is by
 * default what the reference's adapter writes (behaviour 14.1), so that both kinds of node may share a Redis. What it
 * adds: versions, by which a gap is noticed and mended, members counted over all nodes, and rooms whose changes are
 * committed in Redis before anybody hears of them. docs/internals/room-adapter.md tells how.
 *
 * Owner: the server. Threads: as tagged.
 */
#ifndef REDIS_ROOM_ADAPTER_H
#define REDIS_ROOM_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "pubsub/adapter.h"
#include "redis/figures.h"

struct redis_link;
struct redis_node;
struct redis_rooms;
struct shard;

struct redis_room_options { /* 0 gives the default, but for ttl */
	int64_t ttl;        /* seconds that a stored state lives after the last write; 0: for ever */
	bool msgpack;       /* to write; both are read */
	const char *secret; /* signs messages and states; NULL or "": nothing is signed, nothing refused */
	int64_t commit_ms;  /* that a change of a cluster room may wait; default 5000 */
	int64_t node_ms;    /* a node that is silent for so long is gone, and its members with it; default 10000 */
	const struct str *cluster_rooms; /* patterns with * and ? of the ids of cluster rooms; must outlive it */
	unsigned cluster_room_count;
};

/* The adapter for this node's rooms; its scripts go to node. Never NULL. [start] */
struct room_adapter *redis_room_adapter_new(struct redis_node *node, const struct redis_room_options *options);
/* After all shards have stopped theirs. NULL is fine. [start] */
void redis_room_adapter_free(struct room_adapter *adapter);
/* Begins on the shard of link, before its first room opens. [shard] */
void redis_room_adapter_start(struct room_adapter *adapter, struct redis_link *link);
/* Ends on this shard; before the link and after the rooms are freed. Fine when it was not begun. [shard] */
void redis_room_adapter_stop(struct room_adapter *adapter, struct shard *shard);
/* NULL where it was not begun. [any] */
const struct redis_rooms_figures *redis_room_adapter_figures(const struct room_adapter *adapter, unsigned shard);
/* Whether id is one of a cluster room. [any] */
bool redis_room_is_cluster(struct room_adapter *adapter, struct str id);

#endif
