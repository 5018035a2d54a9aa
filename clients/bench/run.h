/*
 * run - one run from the first connection to the verdict.
 *
 * The main thread prepares the clients, lets the scenario happen, takes samples before and after, waits for what is
 * still out, and checks that nothing is. Threads: the main thread.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "clients/bench/sample.h"

struct run_result {
	struct sample empty;    /* before the first connection */
	struct sample prepared; /* all clients where the scenario wants them */
	struct sample from;     /* what is measured lies between from */
	struct sample to;       /* and to */
	struct sample end;      /* when all had come that was out */
	uint64_t units;         /* of the scenario's unit, measured */
	double seconds;         /* they took */
	uint64_t missing;       /* deliveries that never came */
	uint64_t doubled;
	uint64_t reordered;
	char example[160]; /* one of those missing, in words */
	struct histogram latency;
	struct histogram remote;
	struct histogram lag;
};

/* Does it all; the bench is initialised and no worker runs yet. Failure shows in bench_has_failed. */
void run_scenario(struct bench *bench, struct run_result *result);

#endif
