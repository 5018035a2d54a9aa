/* What GET /metrics tells of the links to Redis that is no plain counter. */
#include "redis/node.h"
#include "server/monitor/metrics.h"
#include "server/monitor/metrics_write.h"

static void write_states(struct buf *out, const struct redis_node *node)
{
	metrics_family(out, "redis_link_state", "gauge",
		       "1 for the state that the shard's link to Redis is in, else 0.");
	for (unsigned i = 0; i < node->options.shards; i++) {
		int is = atomic_load_explicit(&node->figures[i].state, memory_order_relaxed);
		for (int state = 0; state < REDIS_STATES; state++)
			buf_printf(out, "liveshard_redis_link_state{shard=\"%u\",state=\"%s\"} %d\n", i,
				   redis_state_name((enum redis_state)state), is == state);
	}
}

static void write_round_trips(struct buf *out, const struct redis_node *node)
{
	double bounds[REDIS_ROUND_TRIP_BUCKETS - 1];
	uint64_t counts[REDIS_ROUND_TRIP_BUCKETS];

	for (unsigned bucket = 0; bucket < REDIS_ROUND_TRIP_BUCKETS - 1; bucket++)
		bounds[bucket] = (double)redis_round_trip_bound_us(bucket) / 1e6;
	metrics_family(out, "redis_round_trip_seconds", "histogram", "From a command to Redis' answer.");
	for (unsigned i = 0; i < node->options.shards; i++) {
		const struct redis_figures *figures = &node->figures[i];
		for (unsigned bucket = 0; bucket < REDIS_ROUND_TRIP_BUCKETS; bucket++)
			counts[bucket] = counter_read(&figures->round_trips[bucket]);
		metrics_histogram(out, "redis_round_trip_seconds", i, bounds, counts, REDIS_ROUND_TRIP_BUCKETS,
				  (double)counter_read(&figures->round_trips_us) / 1e6);
	}
}

void metrics_redis_write(struct buf *out, const struct redis_node *node)
{
	write_states(out, node);
	write_round_trips(out, node);
	metrics_family(out, "redis_queue_commands_limit", "gauge", "The setting redis_queue_commands, for each shard.");
	metrics_value(out, "redis_queue_commands_limit", NULL, node->options.queue_commands);
	metrics_family(out, "redis_queue_bytes_limit", "gauge", "The setting redis_queue_bytes, for each shard.");
	metrics_value(out, "redis_queue_bytes_limit", NULL, node->options.queue_bytes);
}
