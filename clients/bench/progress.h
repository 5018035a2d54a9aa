/*
 * progress - the line on a terminal that tells how the run is going.
 *
 * Written to standard error, only if that is a terminal and --quiet was not given. Threads: the main thread.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include "clients/bench/sample.h"

struct progress {
	bool wanted;
	uint64_t at_ns; /* of the last line, with what was counted then */
	uint64_t units;
	uint64_t server_ns;
	uint64_t generator_ns;
};

void progress_init(struct progress *progress, const struct bench *bench);

/* Writes the line anew if it is time to. `phase` is what the run is doing. */
void progress_show(struct progress *progress, const struct bench *bench, const struct totals *totals,
		   const char *phase);

/* Takes the line away. */
void progress_clear(const struct progress *progress);

#endif
