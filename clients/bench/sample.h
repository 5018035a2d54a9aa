/*
 * sample - all numbers of a run at one moment: what the workers counted, and what server and generator used.
 *
 * A measurement is the difference of two samples. Threads: the main thread.
 */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include "clients/bench/bench.h"
#include "clients/bench/server_stat.h"

/* The workers' counters, summed; last_ns is the latest. Named as in struct counters. */
struct totals {
	uint64_t reached;
	uint64_t asked;
	uint64_t answered;
	uint64_t sent;
	uint64_t expected;
	uint64_t delivered;
	uint64_t to_slow;
	uint64_t system;
	uint64_t other;
	uint64_t bytes;
	uint64_t reads;
	uint64_t closed;
	uint64_t last_ns;
};

struct sample {
	uint64_t at_ns;
	uint64_t generator_ns; /* CPU time of this process */
	struct totals totals;
	struct server_stat servers[OPTIONS_PIDS_MAX]; /* in the order of --server-pid */
};

void sample_totals(const struct bench *bench, struct totals *out);

/* Takes everything. A server that cannot be read fails the run. */
void sample_take(struct bench *bench, struct sample *out);

/* CPU time of this process so far, in nanoseconds. */
uint64_t sample_generator_cpu(void);

/* Sums over the servers: CPU time, and resident memory. */
uint64_t sample_server_cpu(const struct bench *bench, const struct sample *sample);
uint64_t sample_server_resident(const struct bench *bench, const struct sample *sample);

#endif
