#include "server/monitor/stats_redis.h"

#include "core/json.h"
#include "redis/node.h"
#include "redis/room_adapter.h"
#include "server/monitor/stats.h"
#include "shard/shard.h"

void stats_redis_add(uint64_t *sums, const struct stats_source *source, const struct shard *here)
{
	const struct redis_rooms_figures *figures = NULL;

	if (source->shared_rooms)
		figures = redis_room_adapter_figures(source->shared_rooms, shard_index(here));
	for (size_t row = 0; figures && row < redis_rooms_figure_rows_count; row++)
		sums[row] += redis_figure_read(figures, &redis_rooms_figure_rows[row]);
}

static void write_states(struct buf *out, const struct redis_node *node)
{
	buf_printf(out, "\"state\":\"%s\",\"shards\":[", redis_state_name(redis_node_state(node)));
	for (unsigned i = 0; i < node->options.shards; i++) {
		int state = atomic_load_explicit(&node->figures[i].state, memory_order_relaxed);
		buf_printf(out, "%s\"%s\"", i ? "," : "", redis_state_name((enum redis_state)state));
	}
	buf_append_char(out, ']');
}

/* The mean of all answers since the start. */
static void write_round_trip(struct buf *out, const struct redis_node *node)
{
	uint64_t count = 0, us = 0;

	for (unsigned i = 0; i < node->options.shards; i++) {
		us += counter_read(&node->figures[i].round_trips_us);
		for (unsigned bucket = 0; bucket < REDIS_ROUND_TRIP_BUCKETS; bucket++)
			count += counter_read(&node->figures[i].round_trips[bucket]);
	}
	buf_append_str(out, STR(",\"roundTripMs\":"));
	json_write_double(out, count ? (double)us / 1000 / (double)count : 0);
}

static void write_link(struct buf *out, const struct redis_node *node)
{
	for (size_t row = 0; row < redis_figure_rows_count; row++) {
		uint64_t sum = 0;
		for (unsigned i = 0; i < node->options.shards; i++)
			sum += redis_figure_read(&node->figures[i], &redis_figure_rows[row]);
		buf_printf(out, "%s\"%s\":%llu", row ? "," : "", redis_figure_rows[row].name, (unsigned long long)sum);
	}
}

void stats_redis_write(struct buf *out, const struct stats_source *source, const uint64_t *sums)
{
	if (!source->redis) {
		buf_append_str(out, STR("null"));
		return;
	}
	buf_append_char(out, '{');
	write_states(out, source->redis);
	write_round_trip(out, source->redis);
	buf_append_str(out, STR(",\"link\":{"));
	write_link(out, source->redis);
	buf_append_str(out, STR("},\"rooms\":{"));
	for (size_t row = 0; row < redis_rooms_figure_rows_count; row++)
		buf_printf(out, "%s\"%s\":%llu", row ? "," : "", redis_rooms_figure_rows[row].name,
			   (unsigned long long)sums[row]);
	buf_append_str(out, STR("}}"));
}
