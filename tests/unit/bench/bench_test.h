/*
 * bench_test - what the tests of the load generator share: a main that runs one test case of Check.
 */
#ifndef UNIT_BENCH_TEST_H
#define UNIT_BENCH_TEST_H

#include <check.h>
#include <stdlib.h>

/* Defines main: runs the listed tests as a suite called `title`. */
#define BENCH_TEST_MAIN(title, ...)                                       \
	int main(void)                                                    \
	{                                                                 \
		const TTest *const tests[] = {__VA_ARGS__};               \
		Suite *suite = suite_create(title);                       \
		TCase *test_case = tcase_create(title);                   \
		SRunner *runner = srunner_create(suite);                  \
		int failed;                                               \
                                                                          \
		for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) \
			tcase_add_test(test_case, tests[i]);              \
		suite_add_tcase(suite, test_case);                        \
		srunner_run_all(runner, CK_ENV);                          \
		failed = srunner_ntests_failed(runner);                   \
		srunner_free(runner);                                     \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;              \
	}

#endif
