/*
 * stats_redis - what GET /api/live/stats tells of the way to other nodes. Private to server/monitor. Threads: as
 * tagged.
 */
#ifndef SERVER_MONITOR_STATS_REDIS_H
#define SERVER_MONITOR_STATS_REDIS_H

#include <stdint.h>

#include "core/buf.h"

struct shard;
struct stats_source;

/* Adds the figures of here's shared rooms to sums, one for each of redis_rooms_figure_rows. [shard] */
void stats_redis_add(uint64_t *sums, const struct stats_source *source, const struct shard *here);
/* The object, or null when the node is alone; sums of all shards. [any] */
void stats_redis_write(struct buf *out, const struct stats_source *source, const uint64_t *sums);

#endif
