/* What the way to Redis counts: each counter has a name of its own, and answers fall into the right bucket. */
#include "redis/figures.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static unsigned rows_of(const struct redis_figure_row *rows, size_t count, size_t offset)
{
	unsigned found = 0;

	for (size_t i = 0; i < count; i++)
		found += rows[i].offset == offset;
	return found;
}

static void check_names(const struct redis_figure_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t other = i + 1; other < count; other++)
			ck_assert_str_ne(rows[i].name, rows[other].name);
}

START_TEST(each_counter_of_a_link_has_one_row)
{
	size_t end = offsetof(struct redis_figures, round_trips_us);

	for (size_t offset = 0; offset < end; offset += sizeof(counter))
		ck_assert_msg(rows_of(redis_figure_rows, redis_figure_rows_count, offset) == 1, "offset %zu", offset);
	ck_assert_uint_eq(redis_figure_rows_count, end / sizeof(counter));
	check_names(redis_figure_rows, redis_figure_rows_count);
}
END_TEST

START_TEST(each_counter_of_rooms_has_one_row)
{
	for (size_t offset = 0; offset < sizeof(struct redis_rooms_figures); offset += sizeof(counter))
		ck_assert_msg(rows_of(redis_rooms_figure_rows, redis_rooms_figure_rows_count, offset) == 1,
			      "offset %zu", offset);
	ck_assert_uint_eq(redis_rooms_figure_rows_count, sizeof(struct redis_rooms_figures) / sizeof(counter));
	check_names(redis_rooms_figure_rows, redis_rooms_figure_rows_count);
}
END_TEST

START_TEST(answers_fall_into_buckets_by_their_bounds)
{
	struct redis_figures figures = {0};
	uint64_t sum = 0;

	for (unsigned bucket = 0; bucket < REDIS_ROUND_TRIP_BUCKETS - 1; bucket++) {
		uint64_t bound = redis_round_trip_bound_us(bucket);
		ck_assert(bucket == 0 || bound > redis_round_trip_bound_us(bucket - 1));
		redis_figures_add_round_trip(&figures, bound); /* in it */
		redis_figures_add_round_trip(&figures, bound + 1);
		sum += 2 * bound + 1;
	}
	ck_assert_uint_eq(counter_read(&figures.round_trips[0]), 1);
	for (unsigned bucket = 1; bucket < REDIS_ROUND_TRIP_BUCKETS - 1; bucket++)
		ck_assert_uint_eq(counter_read(&figures.round_trips[bucket]), 2);
	ck_assert_uint_eq(counter_read(&figures.round_trips[REDIS_ROUND_TRIP_BUCKETS - 1]), 1);
	ck_assert_uint_eq(counter_read(&figures.round_trips_us), sum);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis_figures");
	TCase *tcase = tcase_create("figures");
	tcase_add_test(tcase, each_counter_of_a_link_has_one_row);
	tcase_add_test(tcase, each_counter_of_rooms_has_one_row);
	tcase_add_test(tcase, answers_fall_into_buckets_by_their_bounds);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
