/*
 * shard_test - what the tests of shard/ share: a suite of one case, and waiting for another thread with a deadline.
 */
#ifndef TESTS_UNIT_SHARD_SHARD_TEST_H
#define TESTS_UNIT_SHARD_SHARD_TEST_H

#include <check.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/clock.h"

enum { DEADLINE_MS = 30000 };

/* Waits until the expression is true, looking every millisecond; fails the test at the deadline. */
#define await(expression)                                                                                 \
	do {                                                                                              \
		int64_t await_end_ms = clock_now_mono_ms() + DEADLINE_MS;                                 \
		while (!(expression)) {                                                                   \
			ck_assert_msg(clock_now_mono_ms() < await_end_ms, "never came: %s", #expression); \
			poll(NULL, 0, 1);                                                                 \
		}                                                                                         \
	} while (0)

static inline int run_case(const char *name, void (*add_tests)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 2 * DEADLINE_MS / 1000);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
