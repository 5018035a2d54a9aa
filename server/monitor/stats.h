/*
 * stats - what GET <prefix>/stats tells (protocol.md section 17): asked of every shard by mail, put together where the
 * request is.
 *
 * Threads: [shard].
 */
#ifndef SERVER_MONITOR_STATS_H
#define SERVER_MONITOR_STATS_H

struct http_request;
struct net_counters;
struct session_shard;
struct shard;

struct stats_source {
	/* Where a shard's sessions are. */
	struct session_shard *(*sessions_of)(struct shard *shard);
	/* Where a shard's connections are counted. */
	const struct net_counters *(*net_of)(struct shard *shard);
	long long max_connections;
};

/* Answers request when all shards have told; source must outlive the server's shards. */
void stats_answer(struct http_request *request, const struct stats_source *source);

#endif
