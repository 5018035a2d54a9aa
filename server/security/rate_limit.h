/*
 * rate_limit - a token bucket: so many at once, refilled at a steady rate (protocol.md section 4.2).
 *
 * 16 bytes, embedded in what is limited. A clock that goes backwards counts as no time. Threads: the owner's.
 */
#ifndef SERVER_SECURITY_RATE_LIMIT_H
#define SERVER_SECURITY_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {          /* how much: shared, read-only */
	uint32_t tokens;     /* capacity; 0: no limit */
	uint32_t per_second; /* refill */
};

struct rate_bucket {
	double tokens;
	int64_t last_ms; /* monotonic */
};

static inline void rate_bucket_init(struct rate_bucket *bucket, const struct rate_limit *limit, int64_t mono_ms)
{
	*bucket = (struct rate_bucket){limit->tokens, mono_ms};
}

/* Takes count tokens at mono_ms; false, and takes none, when there are not so many. */
static inline bool rate_bucket_take_some(struct rate_bucket *bucket, const struct rate_limit *limit, int64_t mono_ms,
					 unsigned count)
{
	if (!limit->tokens) {
		bucket->last_ms = mono_ms;
		return true;
	}
	if (mono_ms > bucket->last_ms) {
		bucket->tokens += (double)(mono_ms - bucket->last_ms) * limit->per_second / 1000.0;
		if (bucket->tokens > limit->tokens)
			bucket->tokens = limit->tokens;
		bucket->last_ms = mono_ms;
	}
	if (bucket->tokens < count)
		return false;
	bucket->tokens -= count;
	return true;
}

/* Takes one. */
static inline bool rate_bucket_take(struct rate_bucket *bucket, const struct rate_limit *limit, int64_t mono_ms)
{
	return rate_bucket_take_some(bucket, limit, mono_ms, 1);
}

#endif
