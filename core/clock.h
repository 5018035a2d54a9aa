/*
 * clock - the time, read once a tick and then as often as one likes.
 *
 * Each shard has a tick clock that it refreshes when its loop wakes; code in the tick reads that. Threads: clock_now_*
 * [any]; a tick_clock is its shard's.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

struct tick_clock {
	int64_t wall_ms; /* since 1970, UTC: what the protocol calls timestamp */
	int64_t mono_ms; /* never runs backwards: for deadlines and intervals */
};

/* Reads both clocks. */
void tick_clock_refresh(struct tick_clock *clock);
int64_t clock_now_wall_ms(void);
int64_t clock_now_mono_ms(void);
/* Nanoseconds of the monotonic clock, to measure with. */
int64_t clock_now_mono_ns(void);

#endif
