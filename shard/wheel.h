/*
 * wheel - a shard's timers: thousands of deadlines at the cost of one libevent timer.
 *
 * A hierarchical timer wheel of one-millisecond slots; arming, moving and disarming take constant time and no memory: the
 * timer is embedded in what waits. A timer fires never early, and late by no more than the shard's tick. It is disarmed
 * before its function runs, which may arm it again. What one may get wrong: freeing a thing whose timer is armed.
 * Threads: [shard].
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
/* Forgets all timers without firing. NULL is fine. */
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
/* A moment before which nothing fires (exact for the next 64 ms, else a lower bound), or -1 when nothing is armed. */
int64_t wheel_next_ms(const struct wheel *wheel);

#endif
