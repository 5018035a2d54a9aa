#include <live/value.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "unit/core/core_test.h"

START_TEST(scalars)
{
	ck_assert_int_eq(live_value_type(NULL), LIVE_NULL);
	ck_assert(live_is_null(NULL) && live_is_null(live_null()));
	ck_assert(live_as_bool(live_bool(true)) && !live_as_bool(live_bool(false)) && !live_as_bool(live_int(1)));
	static const int64_t ints[] = {0, 1, -1, -128, -129, 1023, 1024, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
		const live_value *value = live_int(ints[i]);
		ck_assert_int_eq(live_value_type(value), LIVE_INT);
		ck_assert_int_eq(live_as_int(value, 7), ints[i]);
		live_value_unref(value);
	}
	for (int n = -200; n < 1200; n++) {
		const live_value *value = live_int(n);
		ck_assert_int_eq(live_as_int(value, 7000), n);
		live_value_unref(value);
	}
}
END_TEST

START_TEST(doubles_that_are_ints)
{
	static const struct {
		double number;
		live_type type;
	} rows[] = {
		{0, LIVE_INT},        {-0.0, LIVE_DOUBLE}, {5, LIVE_INT},           {-5, LIVE_INT},
		{0.5, LIVE_DOUBLE},   {0x1p53, LIVE_INT},  {-0x1p53, LIVE_INT},     {0x1p53 + 2, LIVE_DOUBLE},
		{1e300, LIVE_DOUBLE}, {NAN, LIVE_DOUBLE},  {INFINITY, LIVE_DOUBLE}, {-INFINITY, LIVE_DOUBLE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *value = live_double(rows[i].number);
		ck_assert_int_eq(live_value_type(value), rows[i].type);
		double back = live_as_double(value, 7);
		ck_assert(back == rows[i].number || (isnan(back) && isnan(rows[i].number)));
		ck_assert_int_eq(signbit(back), signbit(rows[i].number));
		live_value_unref(value);
	}
}
END_TEST

START_TEST(doubles_as_ints)
{
	static const struct {
		double number;
		int64_t integer;
	} rows[] = {
		{1.9, 1}, {-1.9, -1}, {1e300, INT64_MAX},  {-1e300, INT64_MIN},  {INFINITY, INT64_MAX},
		{NAN, 7}, {-0.0, 0},  {0x1p63, INT64_MAX}, {-0x1p63, INT64_MIN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *value = live_double(rows[i].number);
		ck_assert_int_eq(live_as_int(value, 7), rows[i].integer);
		live_value_unref(value);
	}
	const live_value *text = live_string("5");
	ck_assert_int_eq(live_as_int(text, 7), 7);
	ck_assert(live_as_double(text, 0.5) == 0.5);
	live_value_unref(text);
}
END_TEST

START_TEST(strings)
{
	const live_value *value = live_string_len("a\0b", 3);
	ck_assert_uint_eq(live_len(value), 3);
	ck_assert_int_eq(memcmp(live_as_string(value), "a\0b", 4), 0);
	live_value_unref(value);
	value = live_string("");
	ck_assert_str_eq(live_as_string(value), "");
	ck_assert_uint_eq(live_len(value), 0);
	ck_assert(live_is_null(live_string(NULL)));
	value = live_stringf("%d-%s", 5, "x");
	ck_assert_str_eq(live_as_string(value), "5-x");
	ck_assert_ptr_null(live_at(value, 0));
	live_value_unref(value);
	/* Ill-formed: a lone byte, and a surrogate, which has three. */
	assert_prints(live_string("a\xff"
				  "b"),
		      "\"a\xef\xbf\xbd"
		      "b\"");
	assert_prints(live_string("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_prints(live_with(NULL, "k\xff", live_int(1)), "{\"k\xef\xbf\xbd\":1}");
	assert_prints(live_object("k\xff", live_int(1), "k\xfe", live_int(2), NULL), "{\"k\xef\xbf\xbd\":2}");
}
END_TEST

START_TEST(binary)
{
	const live_value *value = live_binary("\0\xff\1", 3);
	ck_assert_int_eq(live_value_type(value), LIVE_BINARY);
	ck_assert_uint_eq(live_len(value), 3);
	ck_assert_int_eq(memcmp(live_bytes(value), "\0\xff\1", 3), 0);
	ck_assert_ptr_null(live_as_string(value));
	assert_prints(value, "\"AP8B\"");
	ck_assert_uint_eq(live_len(live_binary(NULL, 0)), 0);
}
END_TEST

START_TEST(arrays)
{
	const live_value *items[] = {live_int(1), NULL, live_string("x")};
	const live_value *array = live_array(3, items);
	ck_assert_uint_eq(live_len(array), 3);
	ck_assert_int_eq(live_as_int(live_at(array, 0), 0), 1);
	ck_assert_int_eq(live_value_type(live_at(array, 1)), LIVE_NULL);
	ck_assert_ptr_null(live_at(array, 3));
	const live_value *longer = live_append(array, live_bool(true));
	assert_prints(live_slice(longer, 1, 3), "[null,\"x\"]");
	assert_prints(live_slice(longer, 0, 100), "[1,null,\"x\",true]");
	assert_prints(live_slice(longer, 3, 2), "[]");
	assert_prints(live_slice(longer, 9, 10), "[]");
	assert_prints(longer, "[1,null,\"x\",true]");
	assert_prints(array, "[1,null,\"x\"]");
	assert_prints(live_array_of(live_int(1), live_int(2), LIVE_END), "[1,2]");
	assert_prints(live_array(0, NULL), "[]");
	assert_prints(live_append(live_null(), live_int(1)), "[1]");
	assert_prints(live_slice(NULL, 0, 1), "[]");
}
END_TEST

START_TEST(objects)
{
	const live_value *object = live_object("a", live_int(1), "b", NULL, "a", live_int(3), NULL);
	ck_assert_uint_eq(live_len(object), 2);
	ck_assert_int_eq(live_as_int(live_get(object, "a"), 0), 3);
	ck_assert_int_eq(live_value_type(live_get(object, "b")), LIVE_NULL);
	ck_assert_ptr_null(live_get(object, "c"));
	ck_assert_ptr_null(live_get(NULL, "c"));
	ck_assert_ptr_null(live_get(live_int(1), "c"));
	const live_value *set = live_with(object, "a", live_string("new"));
	const live_value *added = live_with_len(set, "c\0d", 3, live_int(4));
	ck_assert_int_eq(live_as_int(live_get_len(added, "c\0d", 3), 0), 4);
	assert_prints(live_without(added, "a"), "{\"b\":null,\"c\\u0000d\":4}");
	const live_value *same = live_without(added, "nope");
	ck_assert_ptr_eq(same, added);
	live_value_unref(same);
	same = live_with(added, "b", live_null());
	ck_assert_ptr_eq(same, added);
	live_value_unref(same);
	assert_prints(added, "{\"a\":\"new\",\"b\":null,\"c\\u0000d\":4}");
	assert_prints(set, "{\"a\":\"new\",\"b\":null}");
	assert_prints(object, "{\"a\":3,\"b\":null}");
	assert_prints(live_object(NULL, NULL), "{}");
	assert_prints(live_with(live_int(3), "a", NULL), "{\"a\":null}");
	assert_prints(live_without(live_int(3), "a"), "{}");
	assert_prints(live_object("", live_int(1), NULL), "{\"\":1}");
}
END_TEST

/* One by one over the border where the index begins and grows, with all that was there still found. */
START_TEST(objects_grow)
{
	const live_value *object = live_object(NULL, NULL);
	for (int i = 0; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof name, "key%d", i);
		const live_value *grown = live_with(object, name, live_stringf("%d", i));
		live_value_unref(object);
		object = grown;
		ck_assert_uint_eq(live_len(object), (size_t)i + 1);
		for (int k = 0; k <= i; k += 1 + i / 20) {
			snprintf(name, sizeof name, "key%d", k);
			ck_assert_int_eq(strtol(live_as_string(live_get(object, name)), NULL, 10), k);
		}
		ck_assert_ptr_null(live_get(object, "key"));
	}
	for (int i = 299; i >= 0; i--) {
		char name[16];
		snprintf(name, sizeof name, "key%d", i);
		const live_value *replaced = live_with(object, name, live_int(i));
		const live_value *fewer = live_without(replaced, name);
		ck_assert_int_eq(live_as_int(live_get(replaced, name), -1), i);
		ck_assert_ptr_null(live_get(fewer, name));
		live_value_unref(object);
		live_value_unref(replaced);
		object = fewer;
	}
	assert_prints(object, "{}");
}
END_TEST

START_TEST(iteration)
{
	const live_value *object = parsed("{\"a\":1,\"b\":[true,null]}");
	live_iter iter = {0};
	ck_assert(live_next(object, &iter));
	ck_assert(iter.key_len == 1 && *iter.key == 'a' && live_as_int(iter.value, 0) == 1);
	ck_assert(live_next(object, &iter));
	ck_assert(iter.key_len == 1 && *iter.key == 'b');
	const live_value *array = iter.value;
	ck_assert(!live_next(object, &iter));
	iter = (live_iter){0};
	ck_assert(live_next(array, &iter) && live_as_bool(iter.value) && !iter.key);
	ck_assert(live_next(array, &iter) && live_is_null(iter.value));
	ck_assert(!live_next(array, &iter));
	iter = (live_iter){0};
	ck_assert(!live_next(live_int(1), &iter) && !live_next(NULL, &iter));
	live_value_unref(object);
}
END_TEST

START_TEST(paths)
{
	const live_value *value = parsed("{\"users\":[{\"name\":\"ana\"},{\"0\":5}],\"\":{\"x\":1}}");
	ck_assert_str_eq(live_as_string(live_path(value, "users.0.name")), "ana");
	ck_assert_int_eq(live_as_int(live_path(value, "users.1.0"), 0), 5);
	ck_assert_int_eq(live_as_int(live_path(value, ".x"), 0), 1);
	ck_assert_ptr_eq(live_path(value, ""), value);
	static const char *const missing[] = {"user",    "users.2",     "users.00",       "users.-1",
					      "users.x", "users..name", "users.0.name.x", "users.99999999999999999999"};
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		ck_assert_ptr_null(live_path(value, missing[i]));
	ck_assert_ptr_null(live_path(NULL, "a"));
	live_value_unref(value);
}
END_TEST

static void assert_equal(const char *a, const char *b, bool equal)
{
	const live_value *left = parsed(a), *right = parsed(b);
	ck_assert_msg(live_equal(left, right) == equal, "%s %s", a, b);
	ck_assert_msg(live_equal(right, left) == equal, "%s %s", b, a);
	live_value_unref(left);
	live_value_unref(right);
}

START_TEST(equality)
{
	assert_equal("{\"a\":1,\"b\":[2,{}]}", "{\"b\":[2,{}],\"a\":1}", true);
	assert_equal("{\"a\":1}", "{\"a\":1,\"b\":1}", false);
	assert_equal("{\"a\":1}", "{\"b\":1}", false);
	assert_equal("[1,2]", "[2,1]", false);
	assert_equal("[]", "{}", false);
	assert_equal("\"a\"", "\"a\"", true);
	assert_equal("\"a\"", "\"b\"", false);
	assert_equal("0", "-0", true);
	assert_equal("1.5", "1.5", true);
	assert_equal("1", "true", false);
	assert_equal("null", "false", false);
	assert_equal("[[[1]]]", "[[[2]]]", false);
	const live_value *integer = live_int(INT64_MAX), *number = live_double(0x1p63);
	ck_assert(!live_equal(integer, number));
	live_value_unref(integer);
	integer = live_int(INT64_C(1) << 60);
	const live_value *same = live_double(0x1p60);
	ck_assert(live_equal(integer, same) && live_equal(same, integer));
	const live_value *nan = live_double(NAN), *other_nan = live_double(NAN);
	ck_assert(live_equal(nan, other_nan) && !live_equal(nan, integer));
	ck_assert(live_equal(NULL, live_null()));
	live_value_unref(integer);
	live_value_unref(number);
	live_value_unref(same);
	live_value_unref(nan);
	live_value_unref(other_nan);
}
END_TEST

/* Trees that would overflow the stack of whoever walks them by recursion. */
START_TEST(deep_trees)
{
	const live_value *array = live_array(0, NULL), *object = live_object(NULL, NULL),
			 *twin = live_object(NULL, NULL);
	for (int i = 0; i < 300000; i++) {
		array = live_array_of(live_int(i), array, live_string("tail"), LIVE_END);
		object = live_object("n", live_int(5000), "child", object, NULL);
		twin = live_object("n", live_int(5000), "child", twin, NULL);
	}
	ck_assert(live_equal(object, twin));
	ck_assert(!live_equal(object, array));
	size_t len;
	char *text = live_to_json(object, &len);
	ck_assert_uint_gt(len, 300000 * 10);
	free(text);
	live_value_unref(live_merge(object, twin));
	live_value_unref(array);
	live_value_unref(object);
	live_value_unref(twin);
}
END_TEST

/* Made by one thread, shared, and dropped last by whoever it is, so that memory goes from thread to thread. */
static void *drop_shared(void *given)
{
	const live_value *shared = given;
	for (int i = 0; i < 2000; i++) {
		const live_value *mine = live_with(shared, "mine", live_stringf("text %d", i));
		ck_assert_int_eq(live_as_int(live_path(mine, "list.1"), 0), 5000);
		live_value_unref(mine);
	}
	live_value_unref(shared);
	return NULL;
}

START_TEST(threads_share_values)
{
	enum { THREADS = 4 };
	for (int round = 0; round < 5; round++) {
		pthread_t threads[THREADS];
		const live_value *shared =
			parsed("{\"list\":[1.5,5000,\"a short one\"],\"deep\":{\"x\":{\"y\":[\"z\"]}}}");
		for (int i = 0; i < THREADS; i++) {
			live_value_ref(shared);
			ck_assert_int_eq(pthread_create(&threads[i], NULL, drop_shared, (void *)(uintptr_t)shared), 0);
		}
		live_value_unref(shared);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
}
END_TEST

/* One thread makes, the other drops: memory goes one way only, and a thread that ends leaves none behind. */
struct belt {
	_Atomic(const live_value *) places[64];
};

enum { BELT_VALUES = 50000 };

static void *drop_from_belt(void *given)
{
	struct belt *belt = given;
	for (int taken = 0; taken < BELT_VALUES;) {
		const live_value *value = atomic_exchange(&belt->places[taken % 64], NULL);
		if (!value) {
			sched_yield();
			continue;
		}
		ck_assert_int_eq(live_as_int(live_get(value, "number"), 0), 5000 + taken);
		live_value_unref(value);
		taken++;
	}
	return NULL;
}

START_TEST(made_here_dropped_there)
{
	static struct belt belt;
	pthread_t dropper;
	ck_assert_int_eq(pthread_create(&dropper, NULL, drop_from_belt, &belt), 0);
	for (int i = 0; i < BELT_VALUES; i++) {
		const live_value *value = live_object("number", live_int(5000 + i), "text", live_string("a short one"),
						      "list", live_array_of(live_double(1.5), LIVE_END), NULL);
		while (atomic_load(&belt.places[i % 64]))
			sched_yield();
		atomic_store(&belt.places[i % 64], value);
	}
	pthread_join(dropper, NULL);
}
END_TEST

START_TEST(shared_children_live_on)
{
	const live_value *child = live_object("x", live_string("y"), NULL);
	const live_value *one = live_object("c", live_value_ref(child), NULL);
	const live_value *two = live_array_of(live_value_ref(child), live_value_ref(child), LIVE_END);
	live_value_unref(child);
	live_value_unref(one);
	assert_prints(two, "[{\"x\":\"y\"},{\"x\":\"y\"}]");
	live_value_unref(NULL);
	ck_assert_ptr_null(live_value_ref(NULL));
}
END_TEST

static void assert_merges(const char *base, const char *delta, const char *expected)
{
	const live_value *old = parsed(base), *change = parsed(delta);
	const live_value *merged = live_merge(old, change);
	assert_prints(merged, expected);
	live_value_unref(old);
	live_value_unref(change);
}

START_TEST(merges)
{
	assert_merges("{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}");
	assert_merges("{\"a\":1,\"b\":2}", "{\"a\":null}", "{\"a\":null,\"b\":2}");
	assert_merges("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":null,\"z\":3}}", "{\"a\":{\"y\":2,\"z\":3}}");
	assert_merges("{\"a\":{\"y\":2}}", "{\"a\":{\"x\":null}}", "{\"a\":{\"y\":2}}");
	assert_merges("{\"a\":1}", "{\"a\":{\"x\":null}}", "{\"a\":{\"x\":null}}");
	assert_merges("{}", "{\"a\":{\"x\":{\"y\":null}}}", "{\"a\":{\"x\":{\"y\":null}}}");
	assert_merges("{\"a\":[1,{\"b\":1}]}", "{\"a\":[{\"c\":1}]}", "{\"a\":[{\"c\":1}]}");
	assert_merges("{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"d\":2}}}", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}");
	assert_merges("{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}");
	assert_merges("5", "{\"a\":1}", "{\"a\":1}");
	assert_merges("{\"a\":1}", "5", "{\"a\":1}");
	/* What does not change is shared. */
	const live_value *base = parsed("{\"a\":{\"x\":1},\"b\":{\"y\":1}}"), *delta = parsed("{\"b\":{\"y\":2}}");
	const live_value *merged = live_merge(base, delta);
	ck_assert_ptr_eq(live_get(merged, "a"), live_get(base, "a"));
	live_value_unref(base);
	live_value_unref(delta);
	assert_prints(merged, "{\"a\":{\"x\":1},\"b\":{\"y\":2}}");
}
END_TEST

CORE_TESTS("value", scalars, doubles_that_are_ints, doubles_as_ints, strings, binary, arrays, objects, objects_grow,
	   iteration, paths, equality, deep_trees, threads_share_values, made_here_dropped_there,
	   shared_children_live_on, merges)
