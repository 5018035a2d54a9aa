#include "core/arena.h"

#include "unit/core/core_test.h"

START_TEST(aligned_and_apart)
{
	struct arena *arena = arena_new(1024);
	char *before = NULL;
	for (size_t size = 0; size < 600; size++) {
		char *memory = arena_alloc(arena, size);
		ck_assert_uint_eq((uintptr_t)memory % 16, 0);
		ck_assert_ptr_ne(memory, before);
		memset(memory, (int)size & 0xff, size);
		before = memory;
	}
	arena_free(arena);
}
END_TEST

START_TEST(nothing_overlaps)
{
	enum { COUNT = 500 };
	uint64_t seed = test_seed();
	struct arena *arena = arena_new(2000);
	for (int round = 0; round < 3; round++) {
		unsigned char *pieces[COUNT];
		size_t sizes[COUNT];
		for (int i = 0; i < COUNT; i++) {
			sizes[i] = chance_below(&seed, i % 50 ? 100 : 5000);
			pieces[i] = arena_alloc(arena, sizes[i]);
			memset(pieces[i], i & 0xff, sizes[i]);
		}
		for (int i = 0; i < COUNT; i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				ck_assert_uint_eq(pieces[i][at], i & 0xff);
		}
		arena_reset(arena, 10000);
	}
	arena_free(arena);
}
END_TEST

START_TEST(copies)
{
	struct arena *arena = arena_new(0);
	struct str copy = arena_copy(arena, STR("hello"));
	ck_assert(str_equal(copy, STR("hello")));
	ck_assert_uint_eq(arena_copy(arena, (struct str){0}).len, 0);
	arena_free(arena);
	arena_free(NULL);
}
END_TEST

START_TEST(reset_to_nothing_is_usable)
{
	struct arena *arena = arena_new(1024);
	for (int i = 0; i < 100; i++)
		arena_alloc(arena, 200);
	arena_reset(arena, 0);
	memset(arena_alloc(arena, 900), 1, 900);
	arena_alloc(arena, 100000);
	arena_reset(arena, 0);
	memset(arena_alloc(arena, 100), 1, 100);
	arena_free(arena);
}
END_TEST

CORE_TESTS("arena", aligned_and_apart, nothing_overlaps, copies, reset_to_nothing_is_usable)
