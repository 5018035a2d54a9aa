#include "core/value_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { KEEPS = false };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
enum { KEEPS = false };
#else
enum { KEEPS = true };
#endif
#else
enum { KEEPS = true };
#endif

struct block {
	struct block *next;
};

struct pool {
	struct block *blocks[VALUE_POOL_UNITS + 1]; /* by units; 0 is not used */
	unsigned char counts[VALUE_POOL_UNITS + 1];
	bool watched; /* it will be emptied when the thread ends */
};

static _Thread_local struct pool pool;
static pthread_key_t at_thread_end;
static bool has_key;

static void empty(void *ended)
{
	struct pool *of_thread = ended;
	for (size_t units = 1; units <= VALUE_POOL_UNITS; units++) {
		for (struct block *block = of_thread->blocks[units], *next; block; block = next) {
			next = block->next;
			free(block);
		}
	}
	*of_thread = (struct pool){0};
}

__attribute__((constructor)) static void make_key(void)
{
	has_key = pthread_key_create(&at_thread_end, empty) == 0;
}

void *value_pool_take(size_t units)
{
	if (units <= VALUE_POOL_UNITS && pool.blocks[units]) {
		struct block *block = pool.blocks[units];
		pool.blocks[units] = block->next;
		pool.counts[units]--;
		return block;
	}
	return mem_alloc_raw(units * VALUE_UNIT);
}

/* Makes sure that the lists are emptied when the thread ends; false when they would not be. */
static __attribute__((noinline)) bool watch(void)
{
	pool.watched = has_key && pthread_setspecific(at_thread_end, &pool) == 0;
	return pool.watched;
}

void value_pool_give(void *block, size_t units)
{
	bool keep = KEEPS && units <= VALUE_POOL_UNITS && pool.counts[units] < VALUE_POOL_DEPTH;
	if (!keep || !(pool.watched || watch())) {
		free(block);
		return;
	}
	struct block *first = block;
	first->next = pool.blocks[units];
	pool.blocks[units] = first;
	pool.counts[units]++;
}
