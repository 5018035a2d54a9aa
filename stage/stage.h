/*
 * stage - shards stepped by hand on one thread, in an order that a seed decides: ordering bugs become repeatable.
 *
 * A stage is a manual shard group. stage_run steps its shards in random order until none has anything left to do; the
 * same seed steps them in the same order and with the same budgets. Time stands still until stage_advance moves it. A
 * seed that nobody gave is that of the process: TEST_SEED in the environment, or one that is drawn and printed. The
 * order of maps follows from it, too. What one may get wrong: calling a [shard] function that asks shard_here() without
 * stage_enter. Threads: the test's alone.
 *
 *	struct stage *stage = stage_new(2, 0);
 *	shard_post(stage_enter(stage, 0), 1, &hello);
 *	stage_run(stage);
 *	ck_assert(hello_arrived);
 *	stage_free(stage);
 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include <stdint.h>

#include "shard/shard.h"

struct stage;

/* seed, or for 0 that of the process, which it prints. For property tests without a stage, too. */
uint64_t stage_seed(uint64_t seed);
/* The next number below bound (at least 1) of the generator at *state, which started as a seed. */
uint32_t stage_random_below(uint64_t *state, uint32_t bound);

/* A stage of so many shards, with a seed as for stage_seed. Its clocks begin at STAGE_WALL_MS and STAGE_MONO_MS. */
struct stage *stage_new(unsigned shards, uint64_t seed);
/* Runs what is left, then frees; what was not delivered is discarded. NULL is fine. */
void stage_free(struct stage *stage);

struct shard_group *stage_group(const struct stage *stage);
/* Makes shard number index the one that shard_here finds until the next stage_* call; returns it. */
struct shard *stage_enter(struct stage *stage, unsigned index);
/* Steps shards until none has anything left to do; returns the number of things they did. Aborts when that does not
 * end. */
unsigned stage_run(struct stage *stage);
/* Moves all clocks on by ms, halting (and running) at each moment at which a timer is due. */
void stage_advance(struct stage *stage, int64_t ms);
/* Moves all clocks on by ms at once, as a process finds them that was stopped meanwhile. */
void stage_jump(struct stage *stage, int64_t ms);

#define STAGE_WALL_MS INT64_C(1700000000000)
#define STAGE_MONO_MS INT64_C(1000000)

#endif
