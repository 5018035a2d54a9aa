#include "clients/bench/sample.h"

#include <string.h>
#include <time.h>

#include "clients/bench/clock.h"

static uint64_t count_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void sample_totals(const struct bench *bench, struct totals *out)
{
	*out = (struct totals){0};
	for (uint32_t i = 0; i < bench->options.numbers.threads; i++) {
		const struct counters *counters = &bench->workers[i].counters;
		uint64_t last_ns = count_read(&counters->last_ns);

		/* Deliveries before sends: read the other way round, more could have come than are expected. */
		out->delivered += count_read(&counters->delivered);
		out->answered += count_read(&counters->answered);
		out->reached += count_read(&counters->reached);
		out->to_slow += count_read(&counters->to_slow);
		out->system += count_read(&counters->system);
		out->other += count_read(&counters->other);
		out->bytes += count_read(&counters->bytes);
		out->reads += count_read(&counters->reads);
		out->closed += count_read(&counters->closed);
		out->asked += count_read(&counters->asked);
		out->sent += count_read(&counters->sent);
		out->expected += count_read(&counters->expected);
		if (last_ns > out->last_ns)
			out->last_ns = last_ns;
	}
}

uint64_t sample_generator_cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

void sample_take(struct bench *bench, struct sample *out)
{
	out->at_ns = clock_now_ns();
	sample_totals(bench, &out->totals);
	/* CPU first, at the same moment as the counters; the rest takes longer and changes slowly. */
	for (size_t i = 0; i < bench->options.pid_count; i++) {
		uint64_t cpu_ns = 0;
		int rc = server_stat_cpu(bench->options.pids[i], &cpu_ns);

		if (rc == 0)
			rc = server_stat_read(bench->options.pids[i], &out->servers[i]);
		if (rc < 0)
			bench_fail(bench, "cannot measure server process %d: %s", (int)bench->options.pids[i],
				   strerror(-rc));
		out->servers[i].cpu_ns = cpu_ns;
	}
	out->generator_ns = sample_generator_cpu();
}

uint64_t sample_server_cpu(const struct bench *bench, const struct sample *sample)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bench->options.pid_count; i++)
		sum += sample->servers[i].cpu_ns;
	return sum;
}

uint64_t sample_server_resident(const struct bench *bench, const struct sample *sample)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bench->options.pid_count; i++)
		sum += sample->servers[i].resident_bytes;
	return sum;
}
