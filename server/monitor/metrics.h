/*
 * metrics - what GET /metrics tells, in the text format of Prometheus (version 0.0.4): asked of every shard by mail,
 * put together where the request is.
 *
 * A shard that is held by one of its ticks is not waited for: its series are missing until it is free again, but for
 * liveshard_tick_age_seconds, which tells how long it has been held.
 *
 * The names are in metric_rows.c (of each shard), metrics_write.c (of the whole), metrics_redis.c, process.c and
 * server_metrics.c; the dashboard and the alerts in deploy/ use no others, which a test checks. Threads: [shard].
 */
#ifndef SERVER_MONITOR_METRICS_H
#define SERVER_MONITOR_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <live/http.h>
#include <stdint.h>

struct acceptor;
struct buf;
struct net_counters;
struct pool;
struct redis_node;
struct room_adapter;
struct session_shard;
struct shard;
struct shard_group;

enum { METRICS_MORE = 4 };

/* Parts of the server that have figures of their own. */
struct metrics_part {
	/* Appends whole families (metrics_family, metrics_value). On the shard that was asked: reads only what [any]
	 * thread may. */
	void (*write)(struct buf *out, void *argument);
	void *argument;
};

/* Where the figures are; filled before the shards start, read-only then. */
struct metrics_source {
	struct session_shard *(*sessions_of)(struct shard *shard);
	const struct net_counters *(*net_of)(struct shard *shard);
	const struct acceptor *acceptor;
	struct pool *pool;
	const _Atomic bool *is_ready;
	const char *version, *node;
	long long max_connections;
	const struct redis_node *redis;          /* NULL: the node is alone */
	const struct room_adapter *shared_rooms; /* NULL with it */
	struct metrics_part more[METRICS_MORE];  /* up to the first without write */
};

/* Answers request when all shards have told that are not held; source must outlive the server's shards. */
void metrics_answer(live_request *request, struct shard_group *group, const struct metrics_source *source);

/* ---- for parts: lines of the format [any] ---- */

/* Begins a family: type is "counter", "gauge" or "histogram"; name stands behind "liveshard_". */
void metrics_family(struct buf *out, const char *name, const char *type, const char *help);
/* A value of the family; label is name="value" or NULL. */
void metrics_value(struct buf *out, const char *name, const char *label, uint64_t value);
/* The series of one shard in a family of type "histogram": counts of each bucket by itself, the last one without a
 * bound; sum in the unit of the bounds. */
void metrics_histogram(struct buf *out, const char *name, unsigned shard, const double *bounds, const uint64_t *counts,
		       unsigned buckets, double sum);

#endif
