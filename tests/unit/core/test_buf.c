#include "core/buf.h"

#include <errno.h>

#include "unit/core/core_test.h"

START_TEST(empty_holds_nothing)
{
	struct buf buf;
	buf_init(&buf, 10);
	ck_assert_ptr_null(buf.ptr);
	buf_append(&buf, NULL, 0);
	buf_append_str(&buf, (struct str){0});
	buf_consume(&buf, 0);
	ck_assert_ptr_null(buf.ptr);
	buf_deinit(&buf);
}
END_TEST

START_TEST(grows_to_its_limit)
{
	struct buf buf;
	buf_init(&buf, 1000);
	for (int i = 0; i < 1000; i++)
		buf_append_char(&buf, (char)('a' + i % 26));
	ck_assert(!buf_failed(&buf));
	ck_assert_uint_eq(buf.len, 1000);
	ck_assert_uint_le(buf.cap, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf.ptr[i], 'a' + i % 26);
	buf_append_char(&buf, '!');
	ck_assert(buf_failed(&buf));
	ck_assert_uint_eq(buf.len, 1000);
	buf_deinit(&buf);
}
END_TEST

START_TEST(failed_stays_as_it_was)
{
	struct buf buf;
	buf_init(&buf, 5);
	buf_append_str(&buf, STR("abc"));
	buf_append_str(&buf, STR("def"));
	ck_assert(buf_failed(&buf));
	buf_append_str(&buf, STR("d"));
	buf_printf(&buf, "%d", 1);
	ck_assert(str_equal(buf_str(&buf), STR("abc")));
	buf_reset(&buf, 100);
	ck_assert(!buf_failed(&buf));
	buf_append_str(&buf, STR("12345"));
	ck_assert(str_equal(buf_str(&buf), STR("12345")));
	buf_deinit(&buf);
}
END_TEST

START_TEST(reserve)
{
	struct buf buf;
	buf_init(&buf, 100);
	ck_assert_int_eq(buf_reserve(&buf, 60), 0);
	ck_assert_uint_ge(buf.cap, 60);
	ck_assert(!buf_try_reserve(&buf, 101));
	ck_assert(!buf_failed(&buf));
	ck_assert(buf_try_reserve(&buf, 100));
	ck_assert_int_eq(buf_reserve(&buf, 101), -ENOSPC);
	ck_assert(buf_failed(&buf));
	ck_assert_ptr_null(buf_room(&buf, 1));
	buf_deinit(&buf);
}
END_TEST

START_TEST(consumes_from_the_front)
{
	struct buf buf;
	buf_init(&buf, 100);
	buf_append_str(&buf, STR("hello world"));
	buf_consume(&buf, 6);
	ck_assert(str_equal(buf_str(&buf), STR("world")));
	buf_consume(&buf, 5);
	ck_assert_uint_eq(buf.len, 0);
	buf_deinit(&buf);
}
END_TEST

START_TEST(reset_keeps_what_it_may)
{
	struct buf buf;
	buf_init(&buf, 10000);
	buf_reserve(&buf, 500);
	buf_reset(&buf, 4096);
	ck_assert_ptr_nonnull(buf.ptr);
	buf_reserve(&buf, 5000);
	buf_reset(&buf, 4096);
	ck_assert_ptr_null(buf.ptr);
	ck_assert_uint_eq(buf.limit, 10000);
	buf_deinit(&buf);
}
END_TEST

START_TEST(prints_up_to_the_last_byte)
{
	for (size_t limit = 0; limit < 12; limit++) {
		struct buf buf;
		buf_init(&buf, limit);
		buf_printf(&buf, "%s-%d", "abc", 12345);
		ck_assert_int_eq(buf_failed(&buf), limit < 9);
		ck_assert(str_equal(buf_str(&buf), limit < 9 ? STR("") : STR("abc-12345")));
		buf_deinit(&buf);
	}
}
END_TEST

CORE_TESTS("buf", empty_holds_nothing, grows_to_its_limit, failed_stays_as_it_was, reserve, consumes_from_the_front,
	   reset_keeps_what_it_may, prints_up_to_the_last_byte)
