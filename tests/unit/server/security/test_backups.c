#include "server/security/backups.h"

#include "unit/core/core_test.h"

static void add(struct backups *backups, int64_t n)
{
	const live_value *state = live_object("n", live_int(n), NULL);
	backups_add(backups, state, (uint64_t)n, n * 1000);
	live_value_unref(state);
}

START_TEST(keeps_the_last_ones)
{
	for (unsigned max = 1; max <= 5; max++) {
		struct backups backups;
		backups_init(&backups, max);
		ck_assert_ptr_null(backups_at(&backups, 0));
		ck_assert_ptr_null(backups.entries);
		for (int64_t n = 1; n <= 12; n++) {
			add(&backups, n);
			for (unsigned age = 0; age < max && age < (unsigned)n; age++) {
				const struct backup *backup = backups_at(&backups, age);
				ck_assert_uint_eq(backup->version, (uint64_t)n - age);
				ck_assert_int_eq(backup->wall_ms, (n - age) * 1000);
				ck_assert_int_eq(live_as_int(live_get(backup->state, "n"), 0), n - age);
			}
			ck_assert_ptr_null(backups_at(&backups, n < max ? (unsigned)n : max));
		}
		backups_deinit(&backups);
		ck_assert_ptr_null(backups_at(&backups, 0));
		add(&backups, 1);
		ck_assert_uint_eq(backups_at(&backups, 0)->version, 1);
		backups_deinit(&backups);
	}
}
END_TEST

START_TEST(none_wanted)
{
	struct backups backups;
	backups_init(&backups, 0);
	add(&backups, 1);
	ck_assert_ptr_null(backups_at(&backups, 0));
	backups_deinit(&backups);
}
END_TEST

CORE_TESTS("backups", keeps_the_last_ones, none_wanted)
