/*
 * pool - threads for work that blocks (files, name look-ups, hashing, author code that is slow), so that no shard does.
 *
 * A shard submits work; a thread of the pool runs it; the result comes back to the same shard as mail. Work not yet
 * begun can be dropped when the pool ends. The queue is bounded: a full one refuses, and the caller tells its client.
 */
#ifndef SHARD_POOL_H
#define SHARD_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "shard/mailbox.h"

struct pool;
struct shard;

struct work {
	struct mail done;   /* done.deliver is called on the submitting shard afterwards; done.discard if it is gone */
	struct work *next;  /* the pool's */
	struct shard *home; /* the pool's */
	/* [pool thread] Does the work; touches nothing but self. */
	void (*run)(struct work *self);
};

/* threads: up to 256; with none the work waits for pool_work. depth: work that may wait, at least 1. 0 or -errno
 * (-EINVAL: out of range). [start] */
int pool_new(struct pool **out, unsigned threads, unsigned depth) __attribute__((warn_unused_result));
/* Waits for running work, discards what did not begin (on the caller's thread). No shard may submit any more; the group
 * must still be there. NULL is fine. [start] */
void pool_free(struct pool *pool);
/* [shard] Submits work, which must stay until done is delivered. 0, or -EAGAIN when the queue is full (work is still
 * the caller's). */
int pool_submit(struct pool *pool, struct shard *here, struct work *work) __attribute__((warn_unused_result));
/* Does the oldest work that waits, here and now: for pools without threads, in tests. false: there is none. [start] */
bool pool_work(struct pool *pool);

struct pool_figures {
	unsigned threads;
	unsigned depth;   /* as given to pool_new */
	unsigned waiting; /* for a thread */
	unsigned running;
	uint64_t done;
	uint64_t refused; /* because the queue was full */
};

/* [any] What it does now and did so far. */
void pool_figures(struct pool *pool, struct pool_figures *out);

#endif
