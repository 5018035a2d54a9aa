/* URLs taken apart, and those that are refused with a line that helps. */
#include "redis/target.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct redis_target target;
static char error[REDIS_ERROR_SIZE];

static void accept_url(const char *url, const char *host, unsigned port, unsigned database)
{
	ck_assert_msg(redis_target_parse(&target, url, error) == 0, "%s: %s", url, error);
	ck_assert_str_eq(target.places[0].host, host);
	ck_assert_uint_eq(target.places[0].port, port);
	ck_assert_uint_eq(target.database, database);
}

static void refuse_url(const char *url, const char *part)
{
	ck_assert_int_eq(redis_target_parse(&target, url, error), -EINVAL);
	ck_assert_msg(strstr(error, part) != NULL, "%s: %s", url, error);
	ck_assert_ptr_null(strstr(error, "secret"));
}

START_TEST(tcp)
{
	accept_url("redis://localhost", "localhost", 6379, 0);
	accept_url("redis://127.0.0.1:7000/3", "127.0.0.1", 7000, 3);
	accept_url("redis://[::1]:7000", "::1", 7000, 0);
	accept_url("redis://[::1]/2", "::1", 6379, 2);
	ck_assert_str_eq(target.password, "");
	accept_url("redis://:secret@h/", "h", 6379, 0);
	ck_assert_str_eq(target.user, "");
	ck_assert_str_eq(target.password, "secret");
	accept_url("redis://me:s%40cr%3at@h:1/0", "h", 1, 0);
	ck_assert_str_eq(target.user, "me");
	ck_assert_str_eq(target.password, "s@cr:t");
}
END_TEST

START_TEST(sockets)
{
	accept_url("unix:///run/redis.sock", "/run/redis.sock", 0, 0);
	accept_url("unix://:secret@/run/redis.sock?db=4", "/run/redis.sock", 0, 4);
	ck_assert_str_eq(target.password, "secret");
}
END_TEST

START_TEST(sentinels)
{
	accept_url("redis-sentinel://a,b:7,[::1]:8/main/5", "a", 26379, 5);
	ck_assert_uint_eq(target.place_count, 3);
	ck_assert_str_eq(target.places[1].host, "b");
	ck_assert_uint_eq(target.places[1].port, 7);
	ck_assert_str_eq(target.places[2].host, "::1");
	ck_assert_str_eq(target.master, "main");
}
END_TEST

START_TEST(refused)
{
	refuse_url("rediss://:secret@h", "TLS");
	refuse_url("http://h", "must begin with");
	refuse_url("", "must begin with");
	refuse_url("redis://", "redis://...");
	refuse_url("redis://:secret@h:0", "redis://...");
	refuse_url("redis://h:65536", "redis://...");
	refuse_url("redis://h:1x", "redis://...");
	refuse_url("redis://h/x", "redis://...");
	refuse_url("redis://u:secret%zz@h", "redis://...");
	refuse_url("unix://relative", "unix://...");
	refuse_url("redis-sentinel://a:1", "redis-sentinel://...");
	refuse_url("redis-sentinel:///main", "redis-sentinel://...");
}
END_TEST

START_TEST(printed)
{
	char text[64];

	redis_place_print(&(struct redis_place){.host = "h", .port = 1}, text, sizeof text);
	ck_assert_str_eq(text, "h:1");
	redis_place_print(&(struct redis_place){.host = "::1", .port = 1}, text, sizeof text);
	ck_assert_str_eq(text, "[::1]:1");
	redis_place_print(&(struct redis_place){.host = "/s"}, text, sizeof text);
	ck_assert_str_eq(text, "unix:/s");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis target");
	TCase *all = tcase_create("all");

	tcase_add_test(all, tcp);
	tcase_add_test(all, sockets);
	tcase_add_test(all, sentinels);
	tcase_add_test(all, refused);
	tcase_add_test(all, printed);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
