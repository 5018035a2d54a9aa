/*
 * chaos_count - how tests/chaos.sh has things counted. Each increment carries a token. For each client "<who>" its
 * count n:<who> and the sum of its tokens s:<who> are kept, and t, the count of all: so that each increment can be
 * accounted for, and has a place of its own among all.
 */
#ifndef CHAOS_COUNT_H
#define CHAOS_COUNT_H

#include <live/live.h>
#include <stdio.h>

static inline int64_t count_of(const live_value *counts, const char *key)
{
	return live_as_int(live_get(counts, key), 0);
}

/* The keys of counts (a loan) as they are after one more increment; payload is {who, token}. *result: what is told to
 * who asked for it: its place among all, and what is counted for that client. */
static inline const live_value *count_one(const live_value *counts, const live_value *payload,
					  const live_value **result)
{
	const char *who = live_as_string(live_get(payload, "who"));
	char n[64], sum[64];

	snprintf(n, sizeof n, "n:%s", who ? who : "");
	snprintf(sum, sizeof sum, "s:%s", who ? who : "");
	int64_t total = count_of(counts, "t") + 1, count = count_of(counts, n) + 1;
	int64_t tokens = count_of(counts, sum) + live_as_int(live_get(payload, "token"), 0);
	*result = live_object("at", live_int(total), "n", live_int(count), "s", live_int(tokens), NULL);
	return live_object("t", live_int(total), n, live_int(count), sum, live_int(tokens), NULL);
}

#endif
