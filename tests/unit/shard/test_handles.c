#include "shard/handles.h"

#include "core/mem.h"
#include "stage/stage.h"
#include "unit/shard/shard_test.h"

START_TEST(a_closed_handle_finds_nothing)
{
	struct stage *stage = stage_new(2, 0);
	struct shard *here = stage_enter(stage, 1);
	int thing, other;
	struct handle none = {0};
	ck_assert(!handle_is_set(none));
	ck_assert_ptr_null(shard_handle_find(here, none));

	struct handle handle = shard_handle_open(here, &thing);
	ck_assert(handle_is_set(handle));
	ck_assert_uint_eq(handle.shard, 1);
	ck_assert_ptr_eq(shard_handle_find(here, handle), &thing);
	shard_handle_close(here, handle);
	ck_assert_ptr_null(shard_handle_find(here, handle));
	shard_handle_close(here, handle);

	/* The slot is used again; the old handle still finds nothing and closes nothing. */
	struct handle again = shard_handle_open(here, &other);
	ck_assert_uint_eq(again.index, handle.index);
	ck_assert_uint_ne(again.generation, handle.generation);
	shard_handle_close(here, handle);
	ck_assert_ptr_null(shard_handle_find(here, handle));
	ck_assert_ptr_eq(shard_handle_find(here, again), &other);

	struct handle wild = {.index = UINT32_MAX, .generation = 7, .shard = 1};
	ck_assert_ptr_null(shard_handle_find(here, wild));
	shard_handle_close(here, wild);
	stage_free(stage);
}
END_TEST

START_TEST(slots_are_used_in_turn)
{
	struct handles handles;
	handles_init(&handles);
	int thing;
	uint32_t index[3], generation[3];
	for (unsigned i = 0; i < 3; i++)
		handles_open(&handles, &thing, &index[i], &generation[i]);
	handles_close(&handles, index[1], generation[1]);
	handles_close(&handles, index[0], generation[0]);
	uint32_t again, again_generation;
	handles_open(&handles, &thing, &again, &again_generation);
	ck_assert_uint_eq(again, index[1]);
	handles_open(&handles, &thing, &again, &again_generation);
	ck_assert_uint_eq(again, index[0]);
	handles_open(&handles, &thing, &again, &again_generation);
	ck_assert_uint_eq(again, 3);
	handles_deinit(&handles);
}
END_TEST

START_TEST(a_slot_whose_generations_are_used_up_retires)
{
	struct handles handles;
	handles_init(&handles);
	int thing;
	uint32_t index, generation;
	handles_open(&handles, &thing, &index, &generation);
	handles_close(&handles, index, generation);
	handles.slots[index].generation = UINT32_MAX;

	handles_open(&handles, &thing, &index, &generation);
	ck_assert_uint_eq(index, 0);
	ck_assert_uint_eq(generation, UINT32_MAX);
	handles_close(&handles, index, generation);
	ck_assert_ptr_null(handles_find(&handles, index, generation));
	ck_assert_ptr_null(handles_find(&handles, index, 0));
	ck_assert_ptr_null(handles_find(&handles, index, 1));

	handles_open(&handles, &thing, &index, &generation);
	ck_assert_uint_eq(index, 1);
	ck_assert_uint_eq(generation, 1);
	handles_deinit(&handles);
}
END_TEST

enum { PROBES = 500, STEPS = 20000 };

/* Against a table that remembers every handle it ever had for each probe. */
START_TEST(it_does_what_a_table_does)
{
	struct probe {
		uint32_t index, generation, stale_index, stale_generation;
		bool open;
	} *probes = mem_alloc(PROBES * sizeof *probes);
	struct handles handles;
	handles_init(&handles);
	uint64_t random = stage_seed(0);
	for (unsigned step = 0; step < STEPS; step++) {
		struct probe *probe = &probes[stage_random_below(&random, PROBES)];
		if (probe->open) {
			handles_close(&handles, probe->index, probe->generation);
			probe->stale_index = probe->index;
			probe->stale_generation = probe->generation;
		} else {
			handles_open(&handles, probe, &probe->index, &probe->generation);
			ck_assert_uint_ne(probe->generation, 0);
		}
		probe->open = !probe->open;
		struct probe *seen = &probes[stage_random_below(&random, PROBES)];
		ck_assert_ptr_null(handles_find(&handles, seen->stale_index, seen->stale_generation));
		void *found = handles_find(&handles, seen->index, seen->generation);
		ck_assert_ptr_eq(found, seen->open ? seen : NULL);
	}
	ck_assert_uint_le(handles.count, PROBES);
	handles_deinit(&handles);
	free(probes);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, a_closed_handle_finds_nothing);
	tcase_add_test(tests, slots_are_used_in_turn);
	tcase_add_test(tests, a_slot_whose_generations_are_used_up_retires);
	tcase_add_test(tests, it_does_what_a_table_does);
}

int main(void)
{
	return run_case("handles", add_tests);
}
