#include "core/id.h"

#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/frame.h"
#include "unit/core/core_test.h"

START_TEST(letters)
{
	unsigned char seen[256] = {0};
	for (int i = 0; i < 5000; i++) {
		char id[ID_LEN + 1];
		id_make(id);
		ck_assert_uint_eq(strlen(id), ID_LEN);
		for (int at = 0; at < ID_LEN; at++)
			seen[(unsigned char)id[at]] = 1;
	}
	int different = 0;
	for (int c = 0; c < 256; c++)
		different += seen[c];
	ck_assert_int_eq(different, 64);
	for (const char *c = "AZaz09-_"; *c; c++)
		ck_assert(seen[(unsigned char)*c]);
}
END_TEST

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

START_TEST(all_different)
{
	enum { COUNT = 20000 };
	char(*ids)[ID_LEN + 1] = malloc(COUNT * sizeof *ids);
	for (int i = 0; i < COUNT; i++)
		id_make(ids[i]);
	qsort(ids, COUNT, sizeof *ids, compare_ids);
	for (int i = 1; i < COUNT; i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
	free(ids);
}
END_TEST

START_TEST(any_length)
{
	unsigned char bytes[3000] = {0};
	id_random(bytes, 0);
	ck_assert_uint_eq(bytes[0], 0);
	for (size_t len = 1; len < sizeof bytes; len = len * 2 + 1) {
		int ones = 0;
		id_random(bytes, len);
		for (size_t i = 0; i < len; i++)
			ones += __builtin_popcount(bytes[i]);
		/* Ten standard deviations of so many coin tosses around the middle. */
		double off = (double)ones - 4.0 * (double)len;
		ck_assert(off * off <= 200.0 * (double)len);
	}
}
END_TEST

START_TEST(below_a_bound)
{
	int seen[7] = {0};
	for (int i = 0; i < 7000; i++)
		seen[id_random_below(7)]++;
	for (int i = 0; i < 7; i++)
		ck_assert_int_gt(seen[i], 600);
	ck_assert_uint_eq(id_random_below(1), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_lt(id_random_below(UINT32_MAX), UINT32_MAX);
}
END_TEST

/* A child must not hand out the ids that its parent has drawn and not used yet. */
START_TEST(child_draws_its_own)
{
	char mine[ID_LEN + 1], theirs[ID_LEN + 1] = "";
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	id_make(mine);
	pid_t child = fork();
	if (child == 0) {
		id_make(mine);
		_exit(write(ends[1], mine, ID_LEN) == ID_LEN ? 0 : 1);
	}
	id_make(mine);
	ck_assert_int_eq(read(ends[0], theirs, ID_LEN), ID_LEN);
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_str_ne(mine, theirs);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(clocks)
{
	struct tick_clock clock;
	tick_clock_refresh(&clock);
	ck_assert_int_gt(clock.wall_ms, INT64_C(1600000000000));
	ck_assert_int_le(clock.mono_ms, clock_now_mono_ms());
	ck_assert_int_le(clock.mono_ms, clock_now_mono_ns() / 1000000);
	int64_t before = clock_now_mono_ns();
	ck_assert_int_ge(clock_now_mono_ns(), before);
}
END_TEST

START_TEST(frames)
{
	char text[] = "bytes\0more";
	struct frame *frame = frame_new((struct str){text, sizeof text});
	text[0] = 'B';
	ck_assert_ptr_eq(frame_ref(frame), frame);
	frame_unref(frame);
	ck_assert(str_equal(frame_bytes(frame), (struct str){"bytes\0more", sizeof text}));
	frame_unref(frame);
	frame_unref(NULL);
	frame = frame_new((struct str){0});
	ck_assert_uint_eq(frame_bytes(frame).len, 0);
	frame_unref(frame);
}
END_TEST

CORE_TESTS("id", letters, all_different, any_length, below_a_bound, child_draws_its_own, clocks, frames)
