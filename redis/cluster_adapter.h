/*
 * cluster_adapter - singletons that are one for all nodes, by Redis: what the server puts behind pubsub/cluster.h.
 *
 * Keys and channels are those of the reference's cluster adapter (behaviour.md 14.2), so that both kinds of node may
 * share a Redis; what it adds is in cluster_scripts.h. One adapter per process, with a part on each shard, which speaks
 * by that shard's link. Redis with several masters (its own "cluster" mode) is not for it, since a script touches keys
 * of several names. What one may get wrong: starting a shard's components before its part has begun.
 *
 * Owner: the server. Threads: as tagged.
 */
#ifndef REDIS_CLUSTER_ADAPTER_H
#define REDIS_CLUSTER_ADAPTER_H

#include <stdint.h>

#include "pubsub/cluster.h"

struct redis_link;
struct redis_node;

struct redis_cluster_options { /* 0 gives the default, but for ttl */
	int64_t lease_ms;      /* that a claim is good for; default 30000 */
	int64_t ttl;           /* seconds that a state is kept after the last write; 0: for ever */
};

/* The adapter for this node's singletons; its scripts go to node. Never NULL. [start] */
struct cluster_adapter *redis_cluster_adapter_new(struct redis_node *node, const struct redis_cluster_options *options);
/* After all shards have stopped theirs. NULL is fine. [start] */
void redis_cluster_adapter_free(struct cluster_adapter *adapter);
/* Begins on the link's shard, before a port is opened there. [shard] */
void redis_cluster_adapter_start(struct cluster_adapter *adapter, struct redis_link *link);
/* Ends on the link's shard; after its port was closed, before the link is freed. [shard] */
void redis_cluster_adapter_stop(struct cluster_adapter *adapter, struct redis_link *link);

#endif
