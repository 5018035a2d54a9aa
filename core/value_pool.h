/*
 * value_pool - memory for small values, kept per thread, because a message makes and drops a dozen of them.
 *
 * Small blocks come from and go to the thread's own lists, one for each size and each of a capped length; all else is
 * malloc's. A block may be given back by another thread than took it: it goes to the lists of the one that gives, and
 * when these are full, to free(). So where values flow one way only, from who makes to who drops, both sides come to
 * malloc and free as if there were no lists, and nothing grows.
 *
 * The thing to get right: a block's size is known by its units alone, so whoever gives it back must name no more units
 * than it was taken with. Under sanitizers there are no lists, so that they see every block. Threads: [any], each its
 * own lists, which are freed when it ends.
 */
#ifndef CORE_VALUE_POOL_H
#define CORE_VALUE_POOL_H

#include <stddef.h>

enum {
	VALUE_UNIT = 16,       /* bytes */
	VALUE_POOL_UNITS = 16, /* larger blocks are not kept */
	VALUE_POOL_DEPTH = 64  /* blocks kept of each size: 136 KiB a thread at most */
};

static inline size_t value_units(size_t bytes)
{
	return (bytes + VALUE_UNIT - 1) / VALUE_UNIT;
}

/* A block of so many units, at least 1; never NULL. */
void *value_pool_take(size_t units);
void value_pool_give(void *block, size_t units);

#endif
