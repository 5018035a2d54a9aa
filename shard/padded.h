/*
 * padded - memory that shares no cache line with anything else, for what two threads touch at the same time.
 *
 * Private to shard/. Threads: [any].
 */
#ifndef SHARD_PADDED_H
#define SHARD_PADDED_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

enum { CACHE_LINE = 64 };

/* size bytes, zeroed, from the start of a cache line to the end of one; never NULL. Give it back with free(). */
static inline void *padded_alloc(size_t size)
{
	size_t whole = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *memory = aligned_alloc(CACHE_LINE, whole);
	assert_always(memory);
	return memset(memory, 0, whole);
}

#endif
