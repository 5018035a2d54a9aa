/* Which pages may connect: entries as a whole, and pages of the server itself. */
#include <check.h>
#include <stdlib.h>

#include "server/security/origin.h"

static const struct str entries[] = {STR("https://a.example"), STR("http://localhost:3000")};
static const struct origin_list some = {entries, 2}, all = {NULL, 0};
static const struct str same[] = {STR("same-origin")};
static const struct origin_list own = {same, 1};

static const struct str missing = {NULL, 0};

START_TEST(test_entries_as_a_whole)
{
	static const char *const refused[] = {"",
					      "null",
					      "https://",
					      "a.example",
					      "https://A.example",
					      "HTTPS://a.example",
					      "https://a.example/",
					      "https://a.example.b",
					      "https://b.a.example",

					      "http://a.example",
					      "https://a.example:443",
					      "https://a.example:8443",
					      "http://localhost",
					      "http://localhost:300",
					      "http://localhost:30000",
					      "http://localhost:3000/",
					      "https://localhost:3000",
					      "https://a.example https://a.example",
					      "*",
					      "same-origin"};

	ck_assert(origin_is_allowed(&some, STR("https://a.example")));
	ck_assert(origin_is_allowed(&some, STR("http://localhost:3000")));
	ck_assert(!origin_is_allowed(&some, missing));
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ck_assert_msg(!origin_is_allowed(&some, str_of(refused[i])), "%s", refused[i]);
		/* What it calls us makes no difference without the word. */
		ck_assert(!origin_is_allowed_at(&some, str_of(refused[i]), STR("a.example"), false));
	}
	/* A NUL does not end the comparison. */
	ck_assert(!origin_is_allowed(&some, STR("https://a.example\0.evil")));
}
END_TEST

START_TEST(test_without_a_list_all_may)
{
	ck_assert(origin_is_allowed(&all, missing));
	ck_assert(origin_is_allowed(&all, STR("null")));
	ck_assert(origin_is_allowed_at(&all, STR("https://evil.example"), STR("a.example"), true));
}
END_TEST

START_TEST(test_same_origin)
{
	ck_assert(origin_is_allowed_at(&own, STR("http://a.example"), STR("a.example"), false));
	ck_assert(origin_is_allowed_at(&own, STR("https://a.example"), STR("a.example"), true));
	ck_assert(origin_is_allowed_at(&own, STR("http://[::1]:3000"), STR("[::1]:3000"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("https://a.example"), STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http://a.example"), STR("a.example"), true));
	ck_assert(!origin_is_allowed_at(&own, STR("http://a.example"), STR("a.example:80"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http://a.example:8080"), STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http://a.example.evil"), STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http://A.example"), STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("null"), STR("null"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("same-origin"), STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http://"), STR(""), false));
	ck_assert(!origin_is_allowed_at(&own, STR("http"), STR("p://a"), false));
	ck_assert(!origin_is_allowed_at(&own, STR(""), STR(""), false));
	ck_assert(!origin_is_allowed_at(&own, missing, STR("a.example"), false));
	ck_assert(!origin_is_allowed_at(&own, missing, missing, false));
	ck_assert(!origin_is_allowed(&own, STR("http://a.example")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("origin");
	TCase *tests = tcase_create("origin");

	tcase_add_test(tests, test_entries_as_a_whole);
	tcase_add_test(tests, test_without_a_list_all_may);
	tcase_add_test(tests, test_same_origin);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
