#include "core/json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>

#include "core/clock.h"
#include "core/mem.h"
#include "unit/core/core_test.h"
#include "unit/core/json_cases.h"

static const struct json_limits limits = {.max_depth = 64};

/* A copy that ends where its memory ends, so that AddressSanitizer sees a read past it. */
static char *exact(struct str text)
{
	char *copy = mem_alloc_raw(text.len);
	memcpy(copy, text.ptr, text.len);
	return copy;
}

static bool skips(struct str text)
{
	struct json_reader reader;
	struct json_span span;
	json_reader_init(&reader, text, NULL, &limits);
	return json_skip(&reader, &span) == 0 && json_finish(&reader) == 0;
}

START_TEST(accepted)
{
	const struct json_accepted *row = &json_accepted[_i];
	char *text = exact(row->text);
	struct str copy = {text, row->text.len};
	const live_value *value;
	struct json_error error = {0};
	int rc = json_parse(&value, copy, &limits, &error);
	ck_assert_msg(rc == 0, "%s: %s at %zu", row->text.ptr, error.message, error.offset);
	ck_assert_msg(skips(copy), "%s", row->text.ptr);
	free(text);
	assert_prints(value, row->printed ? row->printed : row->text.ptr);
}
END_TEST

START_TEST(refused)
{
	char *text = exact(json_refused[_i]);
	struct str copy = {text, json_refused[_i].len};
	const live_value *value;
	struct json_error error = {0};
	ck_assert_msg(json_parse(&value, copy, &limits, &error) == -EINVAL, "%s", json_refused[_i].ptr);
	ck_assert_ptr_null(value);
	ck_assert_ptr_nonnull(error.message);
	ck_assert_uint_le(error.offset, copy.len);
	ck_assert(!error.too_deep);
	ck_assert_int_eq(json_parse(&value, copy, &limits, NULL), -EINVAL);
	ck_assert_msg(!skips(copy), "%s", json_refused[_i].ptr);
	free(text);
}
END_TEST

START_TEST(errors_say_where)
{
	static const struct {
		const char *text, *message;
		size_t offset;
	} rows[] = {
		{"", "unexpected end of the text", 0},
		{"  ", "unexpected end of the text", 2},
		{"[1,", "unexpected end of the text", 3},
		{"[1,x]", "expected a value", 3},
		{"[1 2]", "expected ',' or ']'", 3},
		{"{\"a\":1 2}", "expected ',' or '}'", 7},
		{"{\"a\" 1}", "expected ':' after a member's name", 5},
		{"{a:1}", "expected a member's name in double quotes", 1},
		{"[\"abc", "string without an end", 5},
		{"[\"ab\\x\"]", "bad escape in a string", 4},
		{"[\"ab\n\"]", "control character in a string", 4},
		{"[\"ab\xff\"]", "ill-formed UTF-8", 4},
		{"[1] 2", "text after the value", 4},
		{"[01]", "bad number: leading zero", 2},
		{"[-]", "bad number: a digit must follow '-'", 2},
		{"[1.]", "bad number: a digit must follow '.'", 3},
		{"[1e]", "bad number: a digit must follow 'e'", 3},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *value;
		struct json_error error;
		ck_assert_int_eq(json_parse(&value, str_of(rows[i].text), &limits, &error), -EINVAL);
		ck_assert_str_eq(error.message, rows[i].message);
		ck_assert_uint_eq(error.offset, rows[i].offset);
	}
	char text[100];
	ck_assert_ptr_null(live_from_json("[1,x]", 5, text, sizeof text));
	ck_assert_str_eq(text, "expected a value at byte 3");
	ck_assert_ptr_null(live_from_json("[1,x]", 5, NULL, 0));
}
END_TEST

START_TEST(types)
{
	static const struct {
		const char *text;
		live_type type;
	} rows[] = {
		{"1", LIVE_INT},
		{"-0", LIVE_DOUBLE},
		{"1.0", LIVE_INT},
		{"1.5", LIVE_DOUBLE},
		{"1e3", LIVE_INT},
		{"9007199254740992", LIVE_INT},
		{"9007199254740994", LIVE_DOUBLE},
		{"1e400", LIVE_DOUBLE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *value = parsed(rows[i].text);
		ck_assert_msg(live_value_type(value) == rows[i].type, "%s", rows[i].text);
		live_value_unref(value);
	}
	const live_value *zero = parsed("-0");
	ck_assert(signbit(live_as_double(zero, 1)));
	live_value_unref(zero);
	const live_value *infinite = parsed("-1e400");
	ck_assert(isinf(live_as_double(infinite, 1)));
	live_value_unref(infinite);
}
END_TEST

static int parse_nested(unsigned depth, unsigned max_depth, char open, bool *too_deep)
{
	char *text = mem_alloc(depth * 5 + 10);
	size_t len = 0;
	for (unsigned i = 0; i < depth; i++)
		len += (size_t)snprintf(text + len, 6, open == '[' ? "[" : i + 1 < depth ? "{\"\":" : "{");
	for (unsigned i = 0; i < depth; i++)
		text[len++] = open == '[' ? ']' : '}';
	const struct json_limits nested = {.max_depth = max_depth};
	const live_value *value;
	struct json_error error = {0};
	struct json_reader reader;
	struct json_span span;
	int rc = json_parse(&value, (struct str){text, len}, &nested, &error);
	json_reader_init(&reader, (struct str){text, len}, NULL, &nested);
	ck_assert_int_eq(json_skip(&reader, &span), rc);
	ck_assert_int_eq(reader.error.too_deep, error.too_deep);
	*too_deep = error.too_deep;
	live_value_unref(value);
	free(text);
	return rc;
}

START_TEST(depth_is_limited)
{
	bool too_deep;
	for (const char *open = "[{"; *open; open++) {
		ck_assert_int_eq(parse_nested(1, 1, *open, &too_deep), 0);
		ck_assert_int_eq(parse_nested(2, 1, *open, &too_deep), -EINVAL);
		ck_assert(too_deep);
		ck_assert_int_eq(parse_nested(64, 64, *open, &too_deep), 0);
		ck_assert_int_eq(parse_nested(65, 64, *open, &too_deep), -EINVAL);
		ck_assert(too_deep);
		ck_assert_int_eq(parse_nested(512, 100000, *open, &too_deep), 0);
		ck_assert_int_eq(parse_nested(100000, 100000, *open, &too_deep), -EINVAL);
		ck_assert(too_deep);
	}
	const live_value *value;
	const struct json_limits none = {.max_depth = 0};
	ck_assert_int_eq(json_parse(&value, STR("1"), &none, NULL), 0);
	ck_assert_int_eq(json_parse(&value, STR("[]"), &none, NULL), -EINVAL);
}
END_TEST

START_TEST(prototype_names_are_dropped)
{
	const struct json_limits dropping = {.max_depth = 10, .flags = JSON_DROP_PROTOTYPE_NAMES};
	static const char *const rows[][2] = {
		{"{\"__proto__\":{\"x\":[1]}}", "{}"},
		{"{\"a\":1,\"constructor\":\"x\",\"b\":2}", "{\"a\":1,\"b\":2}"},
		{"{\"a\":{\"prototype\":[{}]},\"b\":[{\"__proto__\":1}]}", "{\"a\":{},\"b\":[{}]}"},
		{"{\"__pr\\u006fto__\":1}", "{}"},
		{"{\"__Proto__\":1,\"constructors\":2}", "{\"__Proto__\":1,\"constructors\":2}"},
		{"[\"__proto__\",\"constructor\"]", "[\"__proto__\",\"constructor\"]"},
		{"{\"__proto__\":1,\"__proto__\":{\"__proto__\":2}}", "{}"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *value;
		ck_assert_int_eq(json_parse(&value, str_of(rows[i][0]), &dropping, NULL), 0);
		assert_prints(value, rows[i][1]);
	}
}
END_TEST

/* A hundred thousand names that a peer chose, all alike or twice: near linear, or this runs into the test's deadline.
 */
START_TEST(many_names)
{
	enum { COUNT = 100000 };
	for (int twice = 0; twice < 2; twice++) {
		size_t size = COUNT * 40, len = 1;
		char *text = mem_alloc_raw(size);
		text[0] = '{';
		for (int i = 0; i < COUNT; i++) {
			int name = twice ? i / 2 : i;
			len += (size_t)snprintf(text + len, size - len, "%s\"name%d\":%d", i ? "," : "", name, i);
		}
		text[len++] = '}';
		const live_value *value, *again;
		ck_assert_int_eq(json_parse(&value, (struct str){text, len}, &limits, NULL), 0);
		ck_assert_int_eq(json_parse(&again, (struct str){text, len}, &limits, NULL), 0);
		ck_assert_uint_eq(live_len(value), twice ? COUNT / 2 : COUNT);
		for (int i = 0; i < COUNT; i++) {
			char name[20];
			snprintf(name, sizeof name, "name%d", twice ? i / 2 : i);
			ck_assert_int_eq(live_as_int(live_get(value, name), -1), twice ? i | 1 : i);
		}
		ck_assert(live_equal(value, again));
		const live_value *more = live_with(value, "name7", live_int(-1));
		ck_assert(!live_equal(more, again));
		const live_value *merged = live_merge(value, more);
		ck_assert(live_equal(merged, more));
		live_value_unref(merged);
		live_value_unref(more);
		live_value_unref(value);
		live_value_unref(again);
		free(text);
	}
}
END_TEST

START_TEST(many_items)
{
	enum { COUNT = 200000 };
	char *text = mem_alloc_raw(COUNT * 2 + 1);
	for (int i = 0; i < COUNT; i++)
		memcpy(text + i * 2, i ? ",1" : "[1", 2);
	text[COUNT * 2] = ']';
	const live_value *value;
	ck_assert_int_eq(json_parse(&value, (struct str){text, COUNT * 2 + 1}, &limits, NULL), 0);
	ck_assert_uint_eq(live_len(value), COUNT);
	live_value_unref(value);
	/* Cut off anywhere, what was built is given back. */
	ck_assert_int_eq(json_parse(&value, (struct str){text, COUNT}, &limits, NULL), -EINVAL);
	free(text);
}
END_TEST

/* Numbers with more digits than matter: halfway between two doubles, and one digit far behind decides. */
START_TEST(long_numbers)
{
	enum { DIGITS = 3000 };
	char text[DIGITS + 40];
	int len = snprintf(text, sizeof text, "9007199254740993.");
	memset(text + len, '0', DIGITS);
	const live_value *even = live_from_json(text, (size_t)len + DIGITS, NULL, 0);
	ck_assert(live_as_double(even, 0) == 9007199254740992.0);
	text[len + DIGITS - 1] = '1';
	const live_value *above = live_from_json(text, (size_t)len + DIGITS, NULL, 0);
	ck_assert(live_as_double(above, 0) == 9007199254740994.0);
	live_value_unref(even);
	live_value_unref(above);
	memset(text, '9', DIGITS);
	memcpy(text + DIGITS, "e-3000", 6);
	const live_value *one = live_from_json(text, DIGITS + 6, NULL, 0);
	ck_assert(live_as_double(one, 0) == 1.0);
	memcpy(text, "0.", 2);
	memset(text + 2, '0', DIGITS - 3);
	memcpy(text + DIGITS - 1, "25e2998", 7);
	const live_value *quarter = live_from_json(text, DIGITS + 6, NULL, 0);
	ck_assert(live_as_double(quarter, 0) == 2.5);
	live_value_unref(quarter);
}
END_TEST

START_TEST(locale_does_not_matter)
{
	/* Wherever a locale with a decimal comma is installed this proves something. */
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		setlocale(LC_ALL, "fr_FR.UTF-8");
	assert_prints(parsed("[0.1,1.7976931348623157e308,123456789.12345678912345]"),
		      "[0.1,1.7976931348623157e+308,123456789.12345679]");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_parse");
	TCase *all = tcase_create("json_parse");
	const TTest *const tests[] = {errors_say_where, types,      depth_is_limited, prototype_names_are_dropped,
				      many_names,       many_items, long_numbers,     locale_does_not_matter};
	tcase_set_timeout(all, 50);
	tcase_add_loop_test(all, accepted, 0, JSON_ACCEPTED_COUNT);
	tcase_add_loop_test(all, refused, 0, JSON_REFUSED_COUNT);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
