#include "server/http/http_private.h"
#include "unit/server/net/net_stage.h"

static const char *decoded(const char *text, bool plus)
{
	static char out[100];
	long len = http_percent_decode(str_of(text), plus, out);
	if (len < 0)
		return "bad";
	out[len] = '\0';
	return out;
}

START_TEST(decodes_percents)
{
	ck_assert_str_eq(decoded("", false), "");
	ck_assert_str_eq(decoded("a%20b", false), "a b");
	ck_assert_str_eq(decoded("%41%4a%4A", false), "AJJ");
	ck_assert_str_eq(decoded("a+b", false), "a+b");
	ck_assert_str_eq(decoded("a+b%2B", true), "a b+");
	ck_assert_str_eq(decoded("%", false), "bad");
	ck_assert_str_eq(decoded("%4", false), "bad");
	ck_assert_str_eq(decoded("%4g", false), "bad");
	ck_assert_str_eq(decoded("%%20", false), "bad");
}
END_TEST

START_TEST(knows_tokens)
{
	ck_assert(http_is_token(STR("X-Foo_1!#$%&'*+.^`|~")));
	ck_assert(!http_is_token(STR("")));
	ck_assert(!http_is_token(STR("a b")));
	ck_assert(!http_is_token(STR("a\0b")));
	ck_assert(!http_is_token(STR("a:")));
	ck_assert(!http_is_token(STR("\xc3\xa9")));
}
END_TEST

START_TEST(searches_lists)
{
	ck_assert(http_list_has(STR("a, B ,c"), STR("b")));
	ck_assert(http_list_has(STR("upgrade"), STR("Upgrade")));
	ck_assert(!http_list_has(STR("upgraded, x"), STR("upgrade")));
	ck_assert(!http_list_has(STR(""), STR("a")));
	ck_assert(http_list_has(STR("a,,b"), STR("")));
}
END_TEST

START_TEST(writes_dates)
{
	struct str line = http_date_line(784111777000);
	ck_assert_uint_eq(line.len, 37);
	ck_assert_mem_eq(line.ptr, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 37);
	ck_assert_mem_eq(http_date_line(0).ptr, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 37);
}
END_TEST

START_TEST(knows_content_types)
{
	ck_assert_str_eq(http_content_type(STR("a/b.JS")), "text/javascript; charset=utf-8");
	ck_assert_str_eq(http_content_type(STR("x.tar.gz")), "application/octet-stream");
	ck_assert_str_eq(http_content_type(STR("noext")), "application/octet-stream");
	ck_assert_str_eq(http_content_type(STR(".")), "application/octet-stream");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, decodes_percents);
	tcase_add_test(tests, knows_tokens);
	tcase_add_test(tests, searches_lists);
	tcase_add_test(tests, writes_dates);
	tcase_add_test(tests, knows_content_types);
}

int main(void)
{
	return run_tests("http text", add);
}
