/*
 * scenario - the things this generator can do, as a table.
 *
 * A scenario is a way to prepare the clients and then one of a few kinds of measuring; all else is a number that the
 * command line may change. Threads: [start] to choose, read-only afterwards.
 */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include <stdint.h>

#include "clients/bench/client.h"

enum scenario_kind {
	SCENARIO_CLIMB,   /* all clients go from one stage to another: that is measured */
	SCENARIO_ACTIONS, /* requests and their replies */
	SCENARIO_EVENTS,  /* room events and their deliveries, for a time */
	SCENARIO_ROUNDS,  /* each sender one event, until all have all; repeated */
	SCENARIO_HOLD,    /* nothing happens; memory is measured */
	SCENARIO_CHURN,   /* clients come, mount, join and go, for a time */
};

/* What the command line may change; see options.c for the meaning and range of each. */
struct numbers {
	uint32_t clients;
	uint32_t members;
	uint32_t senders;
	uint32_t slow;
	uint32_t in_flight;
	uint32_t rounds;
	uint32_t concurrency;
	uint32_t threads;
	uint32_t sources;
	uint32_t data_bytes;
	double rate;
	double duration;
	double warmup;
	double drain;
};

struct scenario {
	const char *name;
	const char *summary;
	const char *unit;  /* what is counted */
	const char *units; /* the same, in the plural */
	enum scenario_kind kind;
	enum client_stage setup; /* where clients stand when measuring starts */
	enum client_stage goal;  /* where they climb to, for CLIMB and CHURN */
	struct numbers defaults; /* 0: the usual */
};

/* By name, or NULL. */
const struct scenario *scenario_find(const char *name);

/* What the command line starts from: the scenario's own numbers, and the usual ones where it has none. */
void scenario_numbers(const struct scenario *scenario, struct numbers *out);

/* The n-th scenario, or NULL after the last. */
const struct scenario *scenario_at(unsigned n);

#endif
