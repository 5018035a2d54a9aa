#include "clients/bench/histogram.h"

#include "bench_test.h"

static struct histogram histogram, other;

/* A small generator, so that a failure can be repeated. */
static uint64_t next_value(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

START_TEST(empty_has_no_percentile)
{
	histogram_init(&histogram);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 0);
	ck_assert_double_eq(histogram_mean(&histogram), 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
	histogram_init(&histogram);
	for (uint64_t value = 1; value <= 100; value++)
		histogram_record(&histogram, value);
	ck_assert_uint_eq(histogram_percentile(&histogram, 0), 1);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 50);
	ck_assert_uint_eq(histogram_percentile(&histogram, 99), 99);
	ck_assert_uint_eq(histogram_percentile(&histogram, 99.5), 100);
	ck_assert_uint_eq(histogram_percentile(&histogram, 100), 100);
	ck_assert_double_eq(histogram_mean(&histogram), 50.5);
}
END_TEST

START_TEST(cells_are_in_order_and_without_gaps)
{
	size_t last = histogram_cell(0);

	ck_assert_uint_eq(last, 0);
	for (uint64_t value = 1; value < 1 << 20; value++) {
		size_t cell = histogram_cell(value);

		if (cell != last && cell != last + 1)
			ck_abort_msg("%llu is in cell %zu, the value before it in %zu", (unsigned long long)value, cell,
				     last);
		last = cell;
	}
	ck_assert_uint_lt(histogram_cell(UINT64_MAX), HISTOGRAM_CELLS);
}
END_TEST

START_TEST(any_size_is_within_one_percent)
{
	uint64_t state = 88172645463325252;

	for (int i = 0; i < 2000; i++) {
		uint64_t value = next_value(&state) >> (i % 60);
		uint64_t top;

		histogram_init(&histogram);
		histogram_record(&histogram, value);
		histogram_record(&histogram, UINT64_MAX >> 1);
		top = histogram_percentile(&histogram, 50);
		if (value > UINT64_MAX >> 1)
			continue;
		ck_assert_uint_ge(top, value);
		ck_assert_uint_le(top - value, value / HISTOGRAM_STEPS + 1);
	}
}
END_TEST

START_TEST(max_is_exact)
{
	histogram_init(&histogram);
	histogram_record(&histogram, 1000003);
	ck_assert_uint_eq(histogram_percentile(&histogram, 100), 1000003);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 1000003);
}
END_TEST

START_TEST(merged_is_as_recorded_in_one)
{
	static struct histogram whole;
	uint64_t state = 1;

	histogram_init(&histogram);
	histogram_init(&other);
	histogram_init(&whole);
	for (int i = 0; i < 10000; i++) {
		uint64_t value = next_value(&state) % 1000000000;

		histogram_record(i % 3 ? &histogram : &other, value);
		histogram_record(&whole, value);
	}
	histogram_merge(&histogram, &other);
	ck_assert_uint_eq(histogram.count, whole.count);
	ck_assert_uint_eq(histogram.min, whole.min);
	ck_assert_uint_eq(histogram.max, whole.max);
	for (double percent = 0; percent <= 100; percent += 0.5)
		ck_assert_uint_eq(histogram_percentile(&histogram, percent), histogram_percentile(&whole, percent));
}
END_TEST

BENCH_TEST_MAIN("histogram", empty_has_no_percentile, small_values_are_exact, cells_are_in_order_and_without_gaps,
		any_size_is_within_one_percent, max_is_exact, merged_is_as_recorded_in_one)
