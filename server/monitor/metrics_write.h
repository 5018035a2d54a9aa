/*
 * metrics_write - the text of GET /metrics, from what the shards told. Private to server/monitor. Threads: [shard].
 */
#ifndef SERVER_MONITOR_METRICS_WRITE_H
#define SERVER_MONITOR_METRICS_WRITE_H

#include "core/buf.h"
#include "shard/shard.h"

struct metrics_source;
struct redis_node;

/* In place of a figure that the shard does not have. */
#define METRIC_ABSENT UINT64_MAX

struct shard_figures {
	unsigned shard; /* its number */
	uint64_t tick_buckets[SHARD_TICK_BUCKETS];
	uint64_t busy_ns;
	uint64_t rooms;
	uint64_t mail_waiting; /* for the shard, from others */
	uint64_t rows[];       /* one for each of metric_rows */
};

/* figures: of those shards of group that told, count of them, in order. */
void metrics_write(struct buf *out, const struct metrics_source *source, const struct shard_group *group,
		   struct shard_figures *const *figures, unsigned count);
/* How long the tick has lasted that shard is at; 0: it waits for something to do. [any] */
int64_t metrics_tick_age_ns(const struct shard *shard);

/* ---- metrics_redis.c ---- */

/* The state of each shard's link, how long answers take, and what may wait. [any] */
void metrics_redis_write(struct buf *out, const struct redis_node *node);

/* ---- process.c ---- */

/* What the system knows of this process, under the names that all exporters use. [any] */
void process_metrics_write(struct buf *out);

#endif
