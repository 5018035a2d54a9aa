/*
 * stats - what GET <prefix>/stats tells (protocol.md section 17): asked of every shard by mail, put together where the
 * request is.
 *
 * Threads: [shard].
 */
#ifndef SERVER_MONITOR_STATS_H
#define SERVER_MONITOR_STATS_H

#include <live/http.h>

struct debug_hub;
struct net_counters;
struct session_shard;
struct registry;
struct shard;
struct shard_group;

struct stats_source {
	/* Where a shard's sessions are. */
	struct session_shard *(*sessions_of)(struct shard *shard);
	/* Where a shard's connections are counted. */
	const struct net_counters *(*net_of)(struct shard *shard);
	struct debug_hub *debug;
	long long max_connections;
	const struct redis_node *redis;          /* NULL: the node is alone */
	const struct room_adapter *shared_rooms; /* NULL with it */
};

/* Answers request (given away) when all shards of group have told; source must outlive them. [any] */
void stats_answer(live_request *request, struct shard_group *group, const struct stats_source *source);

#endif
