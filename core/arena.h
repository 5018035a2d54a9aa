/*
 * arena - memory for the work of one tick: bump allocation, given back all at once.
 *
 * Owned by one shard (or one function); nothing in it is freed singly. What one may get wrong: keeping a pointer past
 * arena_reset. Threads: the owner's alone.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

#include "core/str.h"

struct arena;

/* block_size: bytes taken from the system at a time (at least 1024). [any] */
struct arena *arena_new(size_t block_size);
/* [any] NULL is fine. */
void arena_free(struct arena *arena);
/* size bytes, aligned to 16, not zeroed; never NULL (no memory aborts). For a size of 0 a unique pointer. [shard] */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));
/* A copy of s in the arena. [shard] */
struct str arena_copy(struct arena *arena, struct str s);
/* Everything allocated becomes invalid; keeps at most keep bytes of blocks for the next round. [shard] */
void arena_reset(struct arena *arena, size_t keep);

#endif
