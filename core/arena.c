#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"

#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { ALIGNMENT = 16, SMALLEST_BLOCK = 1024 };

struct block {
	struct block *next;
	size_t size; /* bytes of data */
	_Alignas(ALIGNMENT) char data[];
};

struct arena {
	struct block *blocks; /* the first is the one being filled; never empty */
	char *at;             /* next free byte of it */
	char *end;
	size_t block_size;
};

static struct block *block_new(size_t size)
{
	struct block *block = mem_alloc_raw(sizeof *block + size);
	block->size = size;
	return block;
}

static void block_free(struct block *block)
{
	ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
	free(block);
}

static void fill_from(struct arena *arena, struct block *block)
{
	block->next = arena->blocks;
	arena->blocks = block;
	arena->at = block->data;
	arena->end = block->data + block->size;
	ASAN_POISON_MEMORY_REGION(block->data, block->size);
}

struct arena *arena_new(size_t block_size)
{
	struct arena *arena = mem_alloc(sizeof *arena);
	arena->block_size = block_size < SMALLEST_BLOCK ? SMALLEST_BLOCK : block_size;
	fill_from(arena, block_new(arena->block_size));
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		block_free(block);
	}
	free(arena);
}

/* A block of its own behind the current one, whose rest stays in use. */
static void *alloc_large(struct arena *arena, size_t size)
{
	struct block *block = block_new(size);
	block->next = arena->blocks->next;
	arena->blocks->next = block;
	return block->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	assert_always(size <= SIZE_MAX / 2);
	size_t rounded = size ? (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
	if (rounded > (size_t)(arena->end - arena->at)) {
		if (rounded > arena->block_size / 4)
			return alloc_large(arena, rounded);
		fill_from(arena, block_new(arena->block_size));
	}
	void *memory = arena->at;
	arena->at += rounded;
	ASAN_UNPOISON_MEMORY_REGION(memory, size);
	return memory;
}

struct str arena_copy(struct arena *arena, struct str s)
{
	char *copy = arena_alloc(arena, s.len);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return (struct str){copy, s.len};
}

void arena_reset(struct arena *arena, size_t keep)
{
	struct block *blocks = arena->blocks;
	size_t kept = 0;

	arena->blocks = NULL;
	for (struct block *block = blocks, *next; block; block = next) {
		next = block->next;
		/* Large blocks go back, so that what is kept serves any next tick; one block always stays. */
		bool fits = block->size == arena->block_size && kept + block->size <= keep;
		bool last_chance = !next && !arena->blocks && block->size == arena->block_size;
		if (fits || last_chance) {
			kept += block->size;
			fill_from(arena, block);
		} else {
			block_free(block);
		}
	}
	if (!arena->blocks)
		fill_from(arena, block_new(arena->block_size));
}
