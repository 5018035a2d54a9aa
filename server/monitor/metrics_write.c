#include "server/monitor/metrics_write.h"

#include "server/monitor/metric_rows.h"
#include "server/monitor/metrics.h"
#include "shard/acceptor.h"
#include "shard/pool.h"

void metrics_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP liveshard_%s %s\n# TYPE liveshard_%s %s\n", name, help, name, type);
}

void metrics_value(struct buf *out, const char *name, const char *label, uint64_t value)
{
	if (label)
		buf_printf(out, "liveshard_%s{%s} %llu\n", name, label, (unsigned long long)value);
	else
		buf_printf(out, "liveshard_%s %llu\n", name, (unsigned long long)value);
}

void metrics_histogram(struct buf *out, const char *name, unsigned shard, const double *bounds, const uint64_t *counts,
		       unsigned buckets, double sum)
{
	uint64_t count = 0;

	for (unsigned bucket = 0; bucket < buckets; bucket++) {
		count += counts[bucket];
		buf_printf(out, "liveshard_%s_bucket{shard=\"%u\",le=\"", name, shard);
		if (bucket + 1 == buckets)
			buf_append_str(out, STR("+Inf"));
		else
			buf_printf(out, "%.9g", bounds[bucket]);
		buf_printf(out, "\"} %llu\n", (unsigned long long)count);
	}
	buf_printf(out, "liveshard_%s_sum{shard=\"%u\"} %.9f\n", name, shard, sum);
	buf_printf(out, "liveshard_%s_count{shard=\"%u\"} %llu\n", name, shard, (unsigned long long)count);
}

/* A family of one value. */
static void write_single(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	metrics_family(out, name, type, help);
	metrics_value(out, name, NULL, value);
}

/* A label's value: backslash, quote and newline are escaped. */
static void write_label(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_append_char(out, '\\');
		buf_append_char(out, *text == '\n' ? ' ' : *text);
	}
}

static void write_node(struct buf *out, const struct metrics_source *source)
{
	metrics_family(out, "build_info", "gauge", "Always 1; the labels tell version and node.");
	buf_append_str(out, STR("liveshard_build_info{version=\""));
	write_label(out, source->version);
	buf_append_str(out, STR("\",node=\""));
	write_label(out, source->node);
	buf_append_str(out, STR("\"} 1\n"));
	write_single(out, "ready", "gauge", "Whether /readyz says so.",
		     atomic_load_explicit(source->is_ready, memory_order_relaxed));
	write_single(out, "connections_limit", "gauge", "The setting max_connections.",
		     (uint64_t)source->max_connections);
}

static void write_acceptor(struct buf *out, const struct acceptor *acceptor)
{
	const struct acceptor_counters *counters = acceptor_counters(acceptor);

	write_single(out, "accepted_total", "counter", "Connections accepted.", counter_read(&counters->accepted));
	write_single(out, "accept_failures_total", "counter", "Connections that could not be accepted.",
		     counter_read(&counters->failed));
	write_single(out, "accept_pauses_total", "counter",
		     "Times that accepting paused, at the limit or out of descriptors.",
		     counter_read(&counters->paused));
}

static void write_pool(struct buf *out, struct pool *pool)
{
	struct pool_figures figures;

	pool_figures(pool, &figures);
	write_single(out, "pool_threads", "gauge", "Threads for blocking work.", figures.threads);
	write_single(out, "pool_limit", "gauge", "The setting pool_depth.", figures.depth);
	write_single(out, "pool_waiting", "gauge", "Blocking work that waits for a thread.", figures.waiting);
	write_single(out, "pool_running", "gauge", "Blocking work under way.", figures.running);
	write_single(out, "pool_done_total", "counter", "Blocking work done.", figures.done);
	write_single(out, "pool_refused_total", "counter", "Blocking work refused because too much waited.",
		     figures.refused);
}

static void write_rows(struct buf *out, struct shard_figures *const *figures, unsigned count)
{
	static const char *const types[] = {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge"};

	for (size_t row = 0; row < metric_rows_count; row++) {
		const struct metric_row *is = &metric_rows[row];
		if (figures[0]->rows[row] == METRIC_ABSENT)
			continue; /* and so on all shards */
		if (row == 0 || strcmp(is->family, metric_rows[row - 1].family) != 0)
			metrics_family(out, is->family, types[is->type], is->help);
		for (unsigned i = 0; i < count; i++)
			buf_printf(out, "liveshard_%s{shard=\"%u\"%s%s} %llu\n", is->family, figures[i]->shard,
				   is->label ? "," : "", is->label ? is->label : "",
				   (unsigned long long)figures[i]->rows[row]);
	}
}

static void write_gauge(struct buf *out, const char *name, const char *help, struct shard_figures *const *figures,
			unsigned count, size_t offset)
{
	metrics_family(out, name, "gauge", help);
	for (unsigned i = 0; i < count; i++) {
		const uint64_t *value = (const uint64_t *)(const void *)((const char *)figures[i] + offset);
		buf_printf(out, "liveshard_%s{shard=\"%u\"} %llu\n", name, figures[i]->shard,
			   (unsigned long long)*value);
	}
}

/* Of all shards, also of those that were not asked. */
static void write_tick_ages(struct buf *out, const struct shard_group *group)
{
	metrics_family(out, "tick_age_seconds", "gauge",
		       "How long the tick under way has lasted, 0 between ticks: what is held tells nothing else.");
	for (unsigned i = 0; i < shard_group_count(group); i++)
		buf_printf(out, "liveshard_tick_age_seconds{shard=\"%u\"} %.9f\n", i,
			   (double)metrics_tick_age_ns(shard_group_at(group, i)) / 1e9);
}

static void write_ticks(struct buf *out, struct shard_figures *const *figures, unsigned count)
{
	double bounds[SHARD_TICK_BUCKETS - 1];

	for (unsigned bucket = 0; bucket < SHARD_TICK_BUCKETS - 1; bucket++)
		bounds[bucket] = (double)shard_tick_bound_ns(bucket) / 1e9;
	metrics_family(out, "tick_seconds", "histogram", "How long a tick's work took.");
	for (unsigned i = 0; i < count; i++)
		metrics_histogram(out, "tick_seconds", figures[i]->shard, bounds, figures[i]->tick_buckets,
				  SHARD_TICK_BUCKETS, (double)figures[i]->busy_ns / 1e9);
}

void metrics_write(struct buf *out, const struct metrics_source *source, const struct shard_group *group,
		   struct shard_figures *const *figures, unsigned count)
{
	write_node(out, source);
	write_rows(out, figures, count);
	write_gauge(out, "rooms", "Rooms and event channels whose home is the shard.", figures, count,
		    offsetof(struct shard_figures, rooms));
	write_gauge(out, "mail_waiting", "Mail of other shards that is not delivered yet.", figures, count,
		    offsetof(struct shard_figures, mail_waiting));
	write_ticks(out, figures, count);
	write_tick_ages(out, group);
	if (source->redis)
		metrics_redis_write(out, source->redis);
	write_acceptor(out, source->acceptor);
	write_pool(out, source->pool);
	for (unsigned i = 0; i < METRICS_MORE && source->more[i].write; i++)
		source->more[i].write(out, source->more[i].argument);
	process_metrics_write(out);
}
