#include "clients/bench/report.h"

#include <inttypes.h>

#include "clients/bench/clock.h"

#define PERCENTILES 6
#define THREAD_SHARE_SHOWN 0.01

static const double percentiles[PERCENTILES] = {50, 90, 99, 99.9, 99.99, 100};
static const char *const percentile_names[PERCENTILES] = {"p50", "p90", "p99", "p99.9", "p99.99", "max"};

/* What the table and the JSON object both tell, computed once. */
struct figures {
	double rate;         /* units a second */
	double server_us;    /* server CPU for each unit */
	double server_share; /* of one core */
	double user_share;   /* of the server's CPU */
	double generator_us;
	double generator_share;
	double bytes_each;   /* memory for each client */
	double growth_bytes; /* of memory while measuring */
	double reads_each;   /* recv calls for each unit */
};

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* The ticks of all servers between two samples, by kind. */
static double user_share(const struct bench *bench, const struct run_result *result)
{
	uint64_t user = 0, all = 0;

	for (size_t i = 0; i < bench->options.pid_count; i++) {
		const struct server_stat *from = &result->from.servers[i], *to = &result->to.servers[i];

		user += to->user_ticks - from->user_ticks;
		all += to->user_ticks - from->user_ticks + to->system_ticks - from->system_ticks;
	}
	return ratio((double)user, (double)all);
}

static struct figures figures_make(const struct bench *bench, const struct run_result *result)
{
	enum scenario_kind kind = bench->options.scenario->kind;
	double units = (double)result->units;
	double server_ns = (double)(sample_server_cpu(bench, &result->to) - sample_server_cpu(bench, &result->from));
	double generator_ns = (double)(result->to.generator_ns - result->from.generator_ns);
	double resident = (double)sample_server_resident(bench, &result->to);

	return (struct figures){
		.rate = kind == SCENARIO_HOLD ? 0 : ratio(units, result->seconds),
		.server_us = ratio(server_ns / 1e3, units),
		.server_share = ratio(server_ns / 1e9, result->seconds),
		.user_share = user_share(bench, result),
		.generator_us = ratio(generator_ns / 1e3, units),
		.generator_share = ratio(generator_ns / 1e9, result->seconds),
		.bytes_each = (resident - (double)sample_server_resident(bench, &result->empty)) /
			      bench->options.numbers.clients,
		.growth_bytes = resident - (double)sample_server_resident(bench, &result->from),
		.reads_each = ratio((double)(result->to.totals.reads - result->from.totals.reads), units),
	};
}

static void table_load(FILE *out, const struct bench *bench)
{
	const struct numbers *numbers = &bench->options.numbers;

	fprintf(out, "%s%s%s: %u clients", bench->options.scenario->name, *bench->options.label ? " " : "",
		bench->options.label, numbers->clients);
	if (numbers->members)
		fprintf(out, ", rooms of %u, %u senders each", numbers->members, numbers->senders);
	if (numbers->slow)
		fprintf(out, ", %u of them slow", numbers->slow);
	if (numbers->in_flight)
		fprintf(out, ", %u in flight", numbers->in_flight);
	else if (numbers->rate > 0)
		fprintf(out, ", %g a second", numbers->rate);
	fprintf(out, ", %u bytes of data, %u threads%s\n", numbers->data_bytes, numbers->threads,
		bench->options.raw ? ", raw" : "");
}

static void table_latency(FILE *out, const char *name, const struct histogram *histogram)
{
	if (!histogram->count)
		return;
	fprintf(out, "  %-18s", name);
	for (unsigned i = 0; i < PERCENTILES; i++)
		fprintf(out, " %s %.3f", percentile_names[i],
			(double)histogram_percentile(histogram, percentiles[i]) / NS_PER_MS);
	fprintf(out, "  mean %.3f ms\n", histogram_mean(histogram) / NS_PER_MS);
}

/* CPU time of a thread that is in `to` since it was in `from`, or since it began. */
static uint64_t thread_cpu(const struct server_stat *from, const struct server_thread *thread)
{
	for (size_t i = 0; i < from->thread_count; i++)
		if (from->threads[i].id == thread->id)
			return thread->cpu_ns - from->threads[i].cpu_ns;
	return thread->cpu_ns;
}

/* The threads that did anything worth telling, where there are several. */
static void table_threads(FILE *out, const struct server_stat *from, const struct server_stat *to, int pid)
{
	double whole = (double)(to->cpu_ns - from->cpu_ns);

	if (to->thread_count < 2 || whole <= 0)
		return;
	fprintf(out, "  threads of %-7d", pid);
	for (size_t i = 0; i < to->thread_count; i++) {
		double share = ratio((double)thread_cpu(from, &to->threads[i]), whole);

		if (share >= THREAD_SHARE_SHOWN)
			fprintf(out, " %s %.1f%%", to->threads[i].name, 100 * share);
	}
	fputc('\n', out);
}

static void table_memory(FILE *out, const struct bench *bench, const struct run_result *result,
			 const struct figures *figures)
{
	fprintf(out, "  %-18s %.1f MiB empty, %.1f prepared, %.1f after; %.2f KiB each client; grew by %.0f KiB\n",
		"server memory", (double)sample_server_resident(bench, &result->empty) / (1 << 20),
		(double)sample_server_resident(bench, &result->prepared) / (1 << 20),
		(double)sample_server_resident(bench, &result->to) / (1 << 20), figures->bytes_each / 1024,
		figures->growth_bytes / 1024);
}

void report_table(FILE *out, const struct bench *bench, const struct run_result *result)
{
	struct figures figures = figures_make(bench, result);
	const char *unit = bench->options.scenario->unit;

	table_load(out, bench);
	fprintf(out, "  %-18s %" PRIu64 " %s in %.3f s, %.0f a second\n", "measured", result->units,
		bench->options.scenario->units, result->seconds, figures.rate);
	table_latency(out, "latency", &result->latency);
	table_latency(out, "of other nodes", &result->remote);
	table_latency(out, "generator late", &result->lag);
	if (bench->options.pid_count) {
		fprintf(out, "  %-18s %.3f us each %s (%.0f%% user), %.1f%% of a core\n", "server CPU",
			figures.server_us, unit, 100 * figures.user_share, 100 * figures.server_share);
		for (size_t i = 0; i < bench->options.pid_count; i++)
			table_threads(out, &result->from.servers[i], &result->to.servers[i],
				      (int)bench->options.pids[i]);
		table_memory(out, bench, result, &figures);
	}
	fprintf(out, "  %-18s %.3f us each %s, %.1f%% of a core, %.3f reads each\n", "generator CPU",
		figures.generator_us, unit, 100 * figures.generator_share, figures.reads_each);
	if (bench->options.numbers.slow)
		fprintf(out, "  %-18s %" PRIu64 " closed by the server; %" PRIu64 " events read late\n", "slow members",
			result->end.totals.closed, result->end.totals.to_slow);
	if (bench_has_failed(bench))
		fprintf(out, "  %-18s FAILED: %s\n", "check", bench->failure);
	else
		fprintf(out, "  %-18s ok: %" PRIu64 " deliveries, %" PRIu64 " replies, %" PRIu64 " notices\n", "check",
			result->end.totals.delivered, result->end.totals.answered, result->end.totals.system);
}

static void json_string(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\":\"", name);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ')
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void json_options(FILE *out, const struct bench *bench)
{
	const struct numbers *numbers = &bench->options.numbers;

	json_string(out, "scenario", bench->options.scenario->name);
	fputc(',', out);
	json_string(out, "label", bench->options.label);
	fprintf(out,
		",\"raw\":%s,\"urls\":%zu,\"threads\":%u,\"clients\":%u,\"members\":%u,\"senders\":%u,\"slow\":%u,"
		"\"rate\":%g,\"inFlight\":%u,\"rounds\":%u,\"dataBytes\":%u,",
		bench->options.raw ? "true" : "false", bench->options.url_count, numbers->threads, numbers->clients,
		numbers->members, numbers->senders, numbers->slow, numbers->rate, numbers->in_flight, numbers->rounds,
		numbers->data_bytes);
}

static void json_latency(FILE *out, const char *name, const struct histogram *histogram)
{
	fprintf(out, "\"%s\":{\"count\":%" PRIu64 ",\"mean\":%.6f", name, histogram->count,
		histogram_mean(histogram) / NS_PER_MS);
	for (unsigned i = 0; i < PERCENTILES; i++)
		fprintf(out, ",\"%s\":%.6f", percentile_names[i],
			(double)histogram_percentile(histogram, percentiles[i]) / NS_PER_MS);
	fputs("},", out);
}

static void json_threads(FILE *out, const struct server_stat *from, const struct server_stat *to)
{
	fputs("\"threads\":[", out);
	for (size_t i = 0; i < to->thread_count; i++) {
		fputs(i ? ",{" : "{", out);
		json_string(out, "name", to->threads[i].name);
		fprintf(out, ",\"cpuUs\":%.3f}", (double)thread_cpu(from, &to->threads[i]) / 1e3);
	}
	fputc(']', out);
}

static void json_servers(FILE *out, const struct bench *bench, const struct run_result *result)
{
	fputs("\"servers\":[", out);
	for (size_t i = 0; i < bench->options.pid_count; i++) {
		const struct server_stat *from = &result->from.servers[i], *to = &result->to.servers[i];

		fprintf(out,
			"%s{\"cpuUs\":%.3f,\"residentEmpty\":%" PRIu64 ",\"residentFrom\":%" PRIu64
			",\"residentTo\":%" PRIu64 ",",
			i ? "," : "", (double)(to->cpu_ns - from->cpu_ns) / 1e3,
			result->empty.servers[i].resident_bytes, from->resident_bytes, to->resident_bytes);
		json_threads(out, from, to);
		fputc('}', out);
	}
	fputs("],", out);
}

void report_json(FILE *out, const struct bench *bench, const struct run_result *result)
{
	struct figures figures = figures_make(bench, result);
	const struct totals *end = &result->end.totals;

	fputc('{', out);
	json_options(out, bench);
	fprintf(out, "\"unit\":\"%s\",\"units\":%" PRIu64 ",\"seconds\":%.6f,\"perSecond\":%.3f,",
		bench->options.scenario->unit, result->units, result->seconds, figures.rate);
	json_latency(out, "latencyMs", &result->latency);
	json_latency(out, "remoteLatencyMs", &result->remote);
	json_latency(out, "lagMs", &result->lag);
	json_servers(out, bench, result);
	fprintf(out, "\"serverCpuUsPerUnit\":%.6f,\"serverShare\":%.6f,\"serverUserShare\":%.4f,", figures.server_us,
		figures.server_share, figures.user_share);
	fprintf(out, "\"generatorCpuUsPerUnit\":%.6f,\"generatorShare\":%.6f,\"readsPerUnit\":%.6f,",
		figures.generator_us, figures.generator_share, figures.reads_each);
	fprintf(out, "\"bytesPerClient\":%.1f,\"growthBytes\":%.0f,", figures.bytes_each, figures.growth_bytes);
	fprintf(out,
		"\"sent\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"notices\":%" PRIu64
		",\"slowClosed\":%" PRIu64 ",\"toSlow\":%" PRIu64 ",",
		end->sent, end->delivered, end->answered, end->system, end->closed, end->to_slow);
	fprintf(out, "\"missing\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"reordered\":%" PRIu64 ",", result->missing,
		result->doubled, result->reordered);
	json_string(out, "failure", bench_has_failed(bench) ? bench->failure : "");
	fprintf(out, ",\"ok\":%s}\n", bench_has_failed(bench) ? "false" : "true");
}
