/*
 * metrics_write - the text of GET /metrics, from what the shards told. Private to server/monitor. Threads: [shard].
 */
#ifndef SERVER_MONITOR_METRICS_WRITE_H
#define SERVER_MONITOR_METRICS_WRITE_H

#include "core/buf.h"
#include "shard/shard.h"

struct metrics_source;

struct shard_figures {
	uint64_t tick_buckets[SHARD_TICK_BUCKETS];
	uint64_t busy_ns;
	uint64_t rooms;
	uint64_t mail_waiting; /* for the shard, from others */
	uint64_t rows[];       /* one for each of metric_rows */
};

/* figures: one for each shard. */
void metrics_write(struct buf *out, const struct metrics_source *source, struct shard_figures *const *figures,
		   unsigned shards);

/* ---- process.c ---- */

/* What the system knows of this process, under the names that all exporters use. [any] */
void process_metrics_write(struct buf *out);

#endif
