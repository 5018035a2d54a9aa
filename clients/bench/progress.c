#include "clients/bench/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clients/bench/clock.h"

#define EVERY_NS (NS_PER_SECOND / 4)

void progress_init(struct progress *progress, const struct bench *bench)
{
	*progress =
		(struct progress){.wanted = !bench->options.quiet && isatty(STDERR_FILENO), .at_ns = clock_now_ns()};
}

static uint64_t server_cpu(const struct bench *bench)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bench->options.pid_count; i++) {
		uint64_t cpu_ns;

		if (server_stat_cpu(bench->options.pids[i], &cpu_ns) == 0)
			sum += cpu_ns;
	}
	return sum;
}

void progress_show(struct progress *progress, const struct bench *bench, const struct totals *totals, const char *phase)
{
	uint64_t now_ns = progress->wanted ? clock_now_ns() : 0;
	struct progress before = *progress;
	double seconds;

	if (!progress->wanted || now_ns - before.at_ns < EVERY_NS)
		return;
	progress->at_ns = now_ns;
	progress->units = totals->delivered + totals->answered + totals->system;
	progress->server_ns = server_cpu(bench);
	progress->generator_ns = sample_generator_cpu();
	seconds = (double)(now_ns - before.at_ns) / NS_PER_SECOND;
	fprintf(stderr, "\r\033[K%s %s: %.1f s, %" PRIu64 " climbed, %" PRIu64 " received, %.0f/s",
		bench->options.scenario->name, phase, (double)(now_ns - bench->start_ns) / NS_PER_SECOND,
		totals->reached, progress->units, (double)(progress->units - before.units) / seconds);
	if (bench->options.pid_count && before.server_ns)
		fprintf(stderr, ", server %.0f%%", (double)(progress->server_ns - before.server_ns) / seconds / 1e7);
	fprintf(stderr, ", generator %.0f%%", (double)(progress->generator_ns - before.generator_ns) / seconds / 1e7);
}

void progress_clear(const struct progress *progress)
{
	if (progress->wanted)
		fprintf(stderr, "\r\033[K");
}
