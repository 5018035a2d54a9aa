#include "clients/bench/sequence.h"

#include "bench_test.h"

static struct sequence sequence;

/* One receiver of two senders sees `numbers` from sender 1, in this order. */
static void see(const uint32_t *numbers, size_t count)
{
	sequence_init(&sequence, 2);
	for (size_t i = 0; i < count; i++)
		ck_assert(sequence_see(&sequence, 1, numbers[i]));
}

#define SEE(...) see((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void assert_counts(uint32_t sent, uint64_t missing, uint64_t doubled, uint64_t reordered)
{
	ck_assert_uint_eq(sequence_missing(&sequence, 1, sent), missing);
	ck_assert_uint_eq(sequence.doubled, doubled);
	ck_assert_uint_eq(sequence.reordered, reordered);
	ck_assert_uint_eq(sequence_missing(&sequence, 0, 0), 0);
	sequence_deinit(&sequence);
}

START_TEST(in_order_is_well)
{
	SEE(0, 1, 2, 3);
	assert_counts(4, 0, 0, 0);
}
END_TEST

START_TEST(nothing_at_all_is_missing)
{
	sequence_init(&sequence, 2);
	assert_counts(3, 3, 0, 0);
}
END_TEST

START_TEST(end_is_missing)
{
	SEE(0, 1);
	assert_counts(5, 3, 0, 0);
}
END_TEST

START_TEST(middle_is_missing)
{
	SEE(0, 3, 4);
	assert_counts(5, 2, 0, 0);
}
END_TEST

START_TEST(first_is_missing)
{
	SEE(1, 2);
	assert_counts(3, 1, 0, 0);
}
END_TEST

START_TEST(doubled_at_once)
{
	SEE(0, 1, 1, 2);
	assert_counts(3, 0, 1, 0);
}
END_TEST

START_TEST(doubled_later)
{
	SEE(0, 1, 2, 0, 1);
	assert_counts(3, 0, 2, 0);
}
END_TEST

START_TEST(swapped_is_reordered_not_missing)
{
	SEE(0, 2, 1, 3);
	assert_counts(4, 0, 0, 1);
}
END_TEST

START_TEST(late_fills_the_middle_of_a_gap)
{
	SEE(0, 5, 3);
	assert_counts(6, 3, 0, 1);
}
END_TEST

START_TEST(late_and_then_again_is_reordered_and_doubled)
{
	SEE(0, 2, 1, 1);
	assert_counts(3, 0, 1, 1);
}
END_TEST

START_TEST(backwards_is_reordered)
{
	SEE(3, 2, 1, 0);
	assert_counts(4, 0, 0, 3);
}
END_TEST

START_TEST(senders_are_apart)
{
	sequence_init(&sequence, 2);
	ck_assert(sequence_see(&sequence, 0, 0));
	ck_assert(sequence_see(&sequence, 1, 0));
	ck_assert(sequence_see(&sequence, 0, 1));
	ck_assert_uint_eq(sequence_missing(&sequence, 0, 2), 0);
	ck_assert_uint_eq(sequence_missing(&sequence, 1, 2), 1);
	ck_assert_uint_eq(sequence.doubled + sequence.reordered, 0);
	sequence_deinit(&sequence);
}
END_TEST

START_TEST(unknown_sender_is_refused)
{
	sequence_init(&sequence, 2);
	ck_assert(!sequence_see(&sequence, 2, 0));
	sequence_deinit(&sequence);
}
END_TEST

/* More gaps than are remembered: what is still missing at the end is then a lower bound, and never silence. */
START_TEST(endless_gaps_are_bounded)
{
	sequence_init(&sequence, 2);
	for (uint32_t number = 1; number < 100000; number += 2)
		ck_assert(sequence_see(&sequence, 1, number));
	ck_assert_uint_gt(sequence_missing(&sequence, 1, 100000), 0);
	sequence_deinit(&sequence);
}
END_TEST

BENCH_TEST_MAIN("sequence", in_order_is_well, nothing_at_all_is_missing, end_is_missing, middle_is_missing,
		first_is_missing, doubled_at_once, doubled_later, swapped_is_reordered_not_missing,
		late_fills_the_middle_of_a_gap, late_and_then_again_is_reordered_and_doubled, backwards_is_reordered,
		senders_are_apart, unknown_sender_is_refused, endless_gaps_are_bounded)
