#include "stage/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/hash.h"
#include "core/id.h"
#include "core/mem.h"

enum { MOST_STEPS = 10 * 1000 * 1000 };

struct stage {
	struct shard_group *group;
	unsigned count;
	uint64_t random; /* the generator's state */
	struct tick_clock clock;
};

static uint64_t process_seed;
static bool is_printed;

/* Before main: no map has been made yet. */
__attribute__((constructor)) static void seed_process(void)
{
	const char *given = getenv("TEST_SEED");

	process_seed = given ? strtoull(given, NULL, 0) : 0;
	while (process_seed == 0)
		process_seed = id_random_below(UINT32_MAX);
	hash_seed(process_seed);
}

uint64_t stage_seed(uint64_t seed)
{
	if (seed)
		return seed;
	if (!is_printed)
		fprintf(stderr, "seed %" PRIu64 " (TEST_SEED=%" PRIu64 " repeats this)\n", process_seed, process_seed);
	is_printed = true;
	return process_seed;
}

/* splitmix64: any seed is a good one. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t stage_random_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(random_next(state) % bound);
}

static void set_clocks(struct stage *stage)
{
	for (unsigned i = 0; i < stage->count; i++)
		shard_set_time(shard_group_at(stage->group, i), stage->clock.wall_ms, stage->clock.mono_ms);
}

struct stage *stage_new(unsigned shards, uint64_t seed)
{
	struct stage *stage = mem_alloc(sizeof *stage);
	stage->count = shards;
	stage->random = stage_seed(seed);
	struct shard_options options = {
		.count = shards,
		.mailbox_depth = 1 << 20,
		/* A small budget cuts the traffic at other places in each run. */
		.mail_budget = 1 + stage_random_below(&stage->random, 8),
		.manual = true,
	};
	int rc = shard_group_new(&stage->group, &options);
	assert_always(rc == 0);
	stage->clock = (struct tick_clock){.wall_ms = STAGE_WALL_MS, .mono_ms = STAGE_MONO_MS};
	set_clocks(stage);
	return stage;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	stage_run(stage);
	shard_group_free(stage->group);
	free(stage);
}

struct shard_group *stage_group(const struct stage *stage)
{
	return stage->group;
}

struct shard *stage_enter(struct stage *stage, unsigned index)
{
	struct shard *shard = shard_group_at(stage->group, index);
	shard_enter(shard);
	return shard;
}

unsigned stage_run(struct stage *stage)
{
	shard_enter(NULL);
	unsigned did = 0;
	unsigned steps = 0;
	/* Quiet once every shard has done nothing since the last one that did something. */
	bool *quiet = mem_alloc(stage->count * sizeof *quiet);
	for (unsigned quiet_count = 0; quiet_count < stage->count;) {
		assert_always(++steps < MOST_STEPS);
		unsigned index = stage_random_below(&stage->random, stage->count);
		unsigned now = shard_step(shard_group_at(stage->group, index));
		did += now;
		if (now > 0) {
			for (unsigned i = 0; i < stage->count; i++)
				quiet[i] = false;
			quiet_count = 0;
		} else if (!quiet[index]) {
			quiet[index] = true;
			quiet_count++;
		}
	}
	free(quiet);
	return did;
}

/* The first moment at which a timer may be due on any shard, or last if that is sooner. */
static int64_t next_moment(struct stage *stage, int64_t last)
{
	int64_t next = last;
	for (unsigned i = 0; i < stage->count; i++) {
		int64_t due = wheel_next_ms(shard_wheel(shard_group_at(stage->group, i)));
		if (due >= 0 && due < next)
			next = due;
	}
	return next > stage->clock.mono_ms ? next : stage->clock.mono_ms;
}

void stage_advance(struct stage *stage, int64_t ms)
{
	stage_run(stage);
	int64_t last = stage->clock.mono_ms + ms;
	while (stage->clock.mono_ms < last) {
		int64_t next = next_moment(stage, last);
		/* What is due already fires in the run; a timer that is due at once, again and again, must not hold
		 * time. */
		if (next == stage->clock.mono_ms)
			next++;
		stage->clock.wall_ms += next - stage->clock.mono_ms;
		stage->clock.mono_ms = next;
		set_clocks(stage);
		stage_run(stage);
	}
}

void stage_jump(struct stage *stage, int64_t ms)
{
	stage->clock.wall_ms += ms;
	stage->clock.mono_ms += ms;
	set_clocks(stage);
}
