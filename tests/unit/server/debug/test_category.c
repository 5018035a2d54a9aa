/* The names of logging categories. */
#include "server/debug/category.h"

#include <errno.h>

#include <live/component.h>

#include "unit/server/debug/debug_test.h"

static unsigned parse(const char *text)
{
	char error[200];
	unsigned all = ~0u;

	ck_assert_int_eq(categories_parse(&all, text, error, sizeof error), 0);
	return all;
}

START_TEST(reads_names)
{
	ck_assert_uint_eq(parse(""), 0);
	ck_assert_uint_eq(parse("false"), 0);
	ck_assert_uint_eq(parse("true"), LIVE_LOG_ALL);
	ck_assert_uint_eq(parse("rooms"), LIVE_LOG_ROOMS);
	ck_assert_uint_eq(parse(" state , websocket,"), LIVE_LOG_STATE | LIVE_LOG_WEBSOCKET);
	ck_assert_uint_eq(parse("lifecycle,messages,state,performance,rooms,websocket"), LIVE_LOG_ALL);
}
END_TEST

START_TEST(refuses_others)
{
	char error[200];
	unsigned all;

	ck_assert_int_eq(categories_parse(&all, "rooms,doors", error, sizeof error), -EINVAL);
	ck_assert_str_eq(error,
			 "'doors' is none of lifecycle, messages, state, performance, rooms, websocket, true, false");
	ck_assert_int_eq(categories_parse(&all, "true,rooms", error, sizeof error), -EINVAL);
}
END_TEST

START_TEST(names_them)
{
	ck_assert_str_eq(category_name(LIVE_LOG_LIFECYCLE), "lifecycle");
	ck_assert_str_eq(category_name(LIVE_LOG_PERFORMANCE | LIVE_LOG_ROOMS), "performance");
	ck_assert_str_eq(category_name(0), "none");
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, reads_names);
	tcase_add_test(tests, refuses_others);
	tcase_add_test(tests, names_them);
}

int main(void)
{
	return run_case("category", add_tests);
}
