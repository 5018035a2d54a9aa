/*
 * debug_test - what the tests of server/debug share: a suite of one case.
 */
#ifndef TESTS_UNIT_SERVER_DEBUG_DEBUG_TEST_H
#define TESTS_UNIT_SERVER_DEBUG_DEBUG_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static inline int run_case(const char *name, void (*add_tests)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 60);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
