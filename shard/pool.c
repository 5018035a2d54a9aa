#include "shard/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "shard/shard.h"
#include "shard/thread.h"

enum { MAX_THREADS = 256 };

struct pool {
	unsigned depth;
	unsigned thread_count; /* that run */

	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t filled;
	struct work *first; /* the oldest that waits */
	struct work *last;
	unsigned waiting;
	unsigned running;
	uint64_t done;
	uint64_t refused;
	bool ending;

	pthread_t threads[];
};

/* The oldest that waits, taken out, or NULL. Under the lock. */
static struct work *take_first(struct pool *pool)
{
	struct work *work = pool->first;
	if (!work)
		return NULL;
	pool->first = work->next;
	if (!pool->first)
		pool->last = NULL;
	pool->waiting--;
	pool->running++;
	return work;
}

/* Waits for work; NULL when the pool ends. */
static struct work *await_work(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->ending)
		pthread_cond_wait(&pool->filled, &pool->lock);
	struct work *work = pool->ending ? NULL : take_first(pool);
	pthread_mutex_unlock(&pool->lock);
	return work;
}

static void do_work(struct pool *pool, struct work *work)
{
	work->run(work);
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pool->done++;
	pthread_mutex_unlock(&pool->lock);
	shard_post_outside(work->home, &work->done);
}

static void pool_main(void *argument)
{
	struct pool *pool = argument;
	struct work *work;
	while ((work = await_work(pool)) != NULL) {
		do_work(pool, work);
		log_flush();
	}
}

bool pool_work(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	struct work *work = take_first(pool);
	pthread_mutex_unlock(&pool->lock);
	if (work)
		do_work(pool, work);
	return work != NULL;
}

int pool_new(struct pool **out, unsigned threads, unsigned depth)
{
	if (threads > MAX_THREADS || depth < 1)
		return -EINVAL;

	struct pool *pool = mem_alloc(sizeof *pool + threads * sizeof pool->threads[0]);
	pool->depth = depth;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	while (pool->thread_count < threads) {
		char name[32];
		snprintf(name, sizeof name, "pool %u", pool->thread_count);
		int rc = thread_start(&pool->threads[pool->thread_count], name, pool_main, pool);
		if (rc < 0) {
			pool_free(pool);
			return rc;
		}
		pool->thread_count++;
	}
	*out = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);

	for (struct work *work; (work = take_first(pool)) != NULL;) {
		if (work->done.discard)
			work->done.discard(&work->done);
	}
	pthread_cond_destroy(&pool->filled);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int pool_submit(struct pool *pool, struct shard *here, struct work *work)
{
	shard_assert_here(here);
	work->home = here;
	work->next = NULL;

	pthread_mutex_lock(&pool->lock);
	bool has_room = pool->waiting < pool->depth && !pool->ending;
	if (has_room) {
		if (pool->last)
			pool->last->next = work;
		else
			pool->first = work;
		pool->last = work;
		pool->waiting++;
		pthread_cond_signal(&pool->filled);
	} else {
		pool->refused++;
	}
	pthread_mutex_unlock(&pool->lock);
	return has_room ? 0 : -EAGAIN;
}

void pool_figures(struct pool *pool, struct pool_figures *out)
{
	pthread_mutex_lock(&pool->lock);
	*out = (struct pool_figures){
		.threads = pool->thread_count,
		.depth = pool->depth,
		.waiting = pool->waiting,
		.running = pool->running,
		.done = pool->done,
		.refused = pool->refused,
	};
	pthread_mutex_unlock(&pool->lock);
}
