/* The rate of a client, by a clock moved by hand, and the origins of pages. */
#include <check.h>

#include "server/security/origin.h"
#include "server/security/rate_limit.h"
#include "unit/core/core_test.h"

static unsigned take(struct rate_bucket *bucket, const struct rate_limit *limit, int64_t now_ms, unsigned tries)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < tries; i++)
		taken += rate_bucket_take(bucket, limit, now_ms);
	return taken;
}

START_TEST(test_bucket)
{
	const struct rate_limit limit = {.tokens = 100, .per_second = 50};
	struct rate_bucket bucket;
	rate_bucket_init(&bucket, &limit, 1000);
	ck_assert_uint_eq(take(&bucket, &limit, 1000, 150), 100);
	ck_assert_uint_eq(take(&bucket, &limit, 1019, 10), 0); /* a refill is continuous, and takes whole tokens */
	ck_assert_uint_eq(take(&bucket, &limit, 1020, 10), 1);
	ck_assert_uint_eq(take(&bucket, &limit, 2020, 100), 50);
	ck_assert_uint_eq(take(&bucket, &limit, 1000000, 1000), 100); /* no more than it holds */
	ck_assert_uint_eq(take(&bucket, &limit, 5000, 10), 0);        /* a clock that goes backwards: no time */
	ck_assert_uint_eq(take(&bucket, &limit, 1000100, 10), 5);
	ck_assert_uint_eq(take(&bucket, &limit, INT64_MAX, 1000), 100);
}
END_TEST

START_TEST(test_no_limit)
{
	const struct rate_limit limit = {.tokens = 0, .per_second = 50};
	struct rate_bucket bucket;
	rate_bucket_init(&bucket, &limit, 0);
	ck_assert_uint_eq(take(&bucket, &limit, 0, 10000), 10000);
}
END_TEST

START_TEST(test_origins)
{
	const struct str entries[] = {STR("https://a.example"), STR("http://localhost:3000")};
	const struct origin_list some = {entries, 2}, all = {NULL, 0};
	ck_assert(origin_is_allowed(&some, STR("https://a.example")));
	ck_assert(origin_is_allowed(&some, STR("http://localhost:3000")));
	static const char *const refused[] = {"",
					      "null",
					      "https://A.example",
					      "https://a.example/",
					      "https://a.example.b",
					      "http://a.example",
					      "http://localhost"};
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ck_assert(!origin_is_allowed(&some, str_of(refused[i])));
		ck_assert(origin_is_allowed(&all, str_of(refused[i])));
	}
	ck_assert(!origin_is_allowed(&some, (struct str){NULL, 0}));
	ck_assert(origin_is_allowed(&all, (struct str){NULL, 0}));
}
END_TEST

CORE_TESTS("limits", test_bucket, test_no_limit, test_origins)
