/*
 * wheel - a shard's timers: thousands of deadlines at the cost of one libevent timer.
 *
 * A hierarchical timer wheel of one-millisecond slots; arming, moving and disarming take constant time and no memory:
 * the timer is embedded in what waits. A timer fires never early, and late by no more than the shard's tick. Those that
 * are due together fire in the order of their moments, and in the order of arming for the same moment. A timer is
 * disarmed before its function runs, which may arm it again, arm others and disarm others; what it arms fires at the
 * next advance at the soonest. What one may get wrong: freeing a thing whose timer is armed. Threads: [shard].
 */
#ifndef SHARD_WHEEL_H
#define SHARD_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"

struct wheel;

struct timer {
	struct list link; /* the wheel's */
	int64_t due_ms;   /* monotonic; the wheel's */
	void (*fire)(struct timer *self);
};

/* now_ms: of the monotonic clock. */
struct wheel *wheel_new(int64_t now_ms);
/* Disarms all timers without firing. NULL is fine. */
void wheel_free(struct wheel *wheel);
/* Makes timer ready for use, disarmed. [any] */
void timer_init(struct timer *timer, void (*fire)(struct timer *self));
/* Arms timer to fire at due_ms (at once when that is past); moves it when it is armed. */
void timer_arm(struct wheel *wheel, struct timer *timer, int64_t due_ms);
/* Disarms; fine when it is not armed. */
void timer_disarm(struct timer *timer);
bool timer_is_armed(const struct timer *timer);
/* Fires all that is due at now_ms; returns how many. */
unsigned wheel_advance(struct wheel *wheel, int64_t now_ms);
/* A moment before which nothing fires, or -1 when nothing is armed. Exact when the moment lies in the same 64 ms as the
 * last advance or few timers wait near it; else a lower bound, at which wheel_advance fires nothing but sorts finer. */
int64_t wheel_next_ms(struct wheel *wheel);

#endif
