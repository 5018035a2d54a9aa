/*
 * chaos_count - how tests/chaos.sh has things counted: each increment carries a token, and for each client "<who>" its
 * count n:<who> and the sum of its tokens s:<who> are kept, so that afterwards each increment can be accounted for.
 */
#ifndef CHAOS_COUNT_H
#define CHAOS_COUNT_H

#include <live/live.h>
#include <stdio.h>

/* The two keys of counts (a loan) as they are after one more increment; payload is {who, token}. */
static inline const live_value *count_one(const live_value *counts, const live_value *payload)
{
	const char *who = live_as_string(live_get(payload, "who"));
	char n[64], sum[64];

	snprintf(n, sizeof n, "n:%s", who ? who : "");
	snprintf(sum, sizeof sum, "s:%s", who ? who : "");
	return live_object(n, live_int(live_as_int(live_get(counts, n), 0) + 1), sum,
			   live_int(live_as_int(live_get(counts, sum), 0) + live_as_int(live_get(payload, "token"), 0)),
			   NULL);
}

#endif
