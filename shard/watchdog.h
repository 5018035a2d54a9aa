/*
 * watchdog - a thread that notices a shard whose tick does not end, and says what holds it.
 *
 * A shard publishes when its tick began and which function of an author runs (shard_say_job), with plain relaxed
 * stores; the watchdog looks a few times within its limit. A tick that lasts longer is reported, again after twice the
 * time and so on (at most a minute apart), and once more when it has ended, with how long it took in all. What one may
 * get wrong: the report is called on the watchdog's thread, which is no shard. Threads: [start], but where another tag
 * stands.
 */
#ifndef SHARD_WATCHDOG_H
#define SHARD_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "shard/shard.h"

struct watchdog;

struct watchdog_report {
	unsigned shard;
	struct shard_job job; /* what runs; who NULL: no author's function; a loan for the report, cut at 159 bytes */
	int64_t held_ms;      /* since the tick began */
	bool ended;           /* the shard is free again; held_ms is all of it, job what was seen last */
};

struct watchdog_options {
	int64_t limit_ms; /* at least 1 */
	void (*report)(void *argument, const struct watchdog_report *report);
	void *argument;
};

/* Starts to watch the shards of group, which must not run yet, nor be freed before watchdog_free. 0 or -errno. */
int watchdog_new(struct watchdog **out, struct shard_group *group, const struct watchdog_options *options)
	__attribute__((warn_unused_result));
/* The names of an author's function are read while a look lasts, perhaps after the function has returned. Before they
 * go (the code is closed) ask, after the last such function; once the number that this gives has passed nobody reads
 * them. [any]; NULL has passed always. */
uint64_t watchdog_ask(struct watchdog *watchdog);
bool watchdog_has_passed(const struct watchdog *watchdog, uint64_t look);
/* Ends the thread; a tick that was reported and has ended meanwhile is told first. NULL is fine. */
void watchdog_free(struct watchdog *watchdog);

#endif
