/*
 * metric_rows - what GET /metrics tells of each shard: one row for each figure, with its name in the words of
 * Prometheus, and where it is counted.
 *
 * Rows of one family stand together, since the text format wants it. Who adds a counter to one of the structs named
 * here adds a row: a test looks for those without. The table is read-only. Threads: [any].
 */
#ifndef SERVER_MONITOR_METRIC_ROWS_H
#define SERVER_MONITOR_METRIC_ROWS_H

#include <stddef.h>

#include "core/counter.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/* The structs of counters that each shard has. */
enum metric_place {
	METRIC_SHARD,
	METRIC_NET,
	METRIC_SESSION,
	METRIC_COMPONENT,
	METRIC_ROOM,
	METRIC_SIGNER,
	METRIC_REDIS, /* NULL when the node is alone, as is the next */
	METRIC_REDIS_ROOMS,
	METRIC_PLACES
};

struct metric_row {
	const char *family; /* behind "liveshard_" */
	const char *help;
	const char *label; /* name="value", or NULL */
	enum metric_type type;
	enum metric_place place;
	size_t offset; /* of the counter in the place's struct */
};

extern const struct metric_row metric_rows[];
extern const size_t metric_rows_count;

/* The figure of row; places has the structs of one shard, that of row among them. */
uint64_t metric_row_read(const struct metric_row *row, const void *const places[METRIC_PLACES]);

#endif
