#include "core/mem.h"

#include <signal.h>

#include "core/assert.h"
#include "unit/core/core_test.h"

START_TEST(zeroed)
{
	char *memory = mem_alloc(100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(memory[i], 0);
	free(memory);
}
END_TEST

START_TEST(sizes_of_zero_are_pointers)
{
	void *memory[] = {mem_alloc(0), mem_alloc_raw(0), mem_realloc(NULL, 0), mem_try_alloc(0)};
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
		ck_assert_ptr_nonnull(memory[i]);
		free(memory[i]);
	}
}
END_TEST

START_TEST(copies)
{
	char *copy = mem_strndup("abcdef", 3);
	ck_assert_str_eq(copy, "abc");
	copy = mem_realloc(copy, 1000);
	ck_assert_str_eq(copy, "abc");
	free(copy);
	copy = mem_strndup(NULL, 0);
	ck_assert_str_eq(copy, "");
	free(copy);
}
END_TEST

START_TEST(assertion_holds)
{
	assert_always(1 + 1 == 2);
	debug_assert(1 + 1 == 2);
}
END_TEST

START_TEST(assertion_ends_the_process)
{
	assert_always(1 + 1 == 3);
}
END_TEST

START_TEST(strs)
{
	ck_assert(str_equal(STR("ab"), str_of("ab")));
	ck_assert(!str_equal(STR("ab"), STR("ac")));
	ck_assert(!str_equal(STR("ab"), STR("abc")));
	ck_assert(str_equal((struct str){0}, STR("")));
	ck_assert(str_starts_with(STR("abc"), STR("ab")));
	ck_assert(str_starts_with(STR("abc"), STR("")));
	ck_assert(!str_starts_with(STR("a"), STR("ab")));
	ck_assert_uint_eq(str_of(NULL).len, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mem");
	TCase *all = tcase_create("mem");
	const TTest *const tests[] = {zeroed, sizes_of_zero_are_pointers, copies, assertion_holds, strs};
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(all, tests[i]);
	tcase_add_test_raise_signal(all, assertion_ends_the_process, SIGABRT);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
