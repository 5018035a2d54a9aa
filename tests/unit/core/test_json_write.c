#include "core/json.h"

#include <math.h>

#include "unit/core/core_test.h"

static void assert_written(const struct buf *buf, const char *expected)
{
	ck_assert(!buf_failed(buf));
	ck_assert_msg(str_equal(buf_str(buf), str_of(expected)), "%.*s is not %s", STR_ARG(buf_str(buf)), expected);
}

/* As node prints them. */
START_TEST(doubles)
{
	static const struct {
		double number;
		const char *text;
	} rows[] = {
		{0.0, "0"},
		{-0.0, "0"},
		{1.0, "1"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{2.0 / 3, "0.6666666666666666"},
		{93.62285714285714, "93.62285714285714"},
		{123456.789, "123456.789"},
		{1e20, "100000000000000000000"},
		{123456789012345680000.0, "123456789012345680000"},
		{1e21, "1e+21"},
		{1.5e21, "1.5e+21"},
		{1e-5, "0.00001"},
		{1e-6, "0.000001"},
		{1.5e-6, "0.0000015"},
		{1e-7, "1e-7"},
		{1.5e-7, "1.5e-7"},
		{-1e-7, "-1e-7"},
		{1e100, "1e+100"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{2.225073858507201e-308, "2.225073858507201e-308"},
		{5e-324, "5e-324"},
		{1e-323, "1e-323"},
		{0x1p-44, "5.684341886080802e-14"},
		{0x1p-24, "5.960464477539063e-8"},
		{0x1p-1074, "5e-324"},
		{0x1p-1022, "2.2250738585072014e-308"},
		{0x1p53, "9007199254740992"},
		{0x1p53 + 2, "9007199254740994"},
		{0x1p54, "18014398509481984"},
		{0x1p62, "4611686018427388000"},
		{0x1p63, "9223372036854776000"},
		{0x1p64, "18446744073709552000"},
		{0x1p66, "73786976294838210000"},
		{0x1p69, "590295810358705700000"},
		{0x1p70, "1.1805916207174113e+21"},
		{9.5e-7, "9.5e-7"},
		{9007199254740993.0, "9007199254740992"},
		{4.35, "4.35"},
		{0.000035689, "0.000035689"},
		{1.3, "1.3"},
		{5e-7, "5e-7"},
		{9.999999999999999e22, "1e+23"},
		{9.999999999999997e22, "9.999999999999997e+22"},
		{1e23, "1e+23"},
		{8.41e21, "8.41e+21"},
		{2.0919495182368195e19, "20919495182368195000"},
		{4.104e20, "410400000000000000000"},
		{7.2057594037927933e16, "72057594037927940"},
		{9.80665, "9.80665"},
		{1700000000000.5, "1700000000000.5"},
		{4294967295.5, "4294967295.5"},
		{299792458.00000006, "299792458.00000006"},
		{6.02214076e23, "6.02214076e+23"},
		{6.62607015e-34, "6.62607015e-34"},
		{(double)NAN, "null"},
		{(double)INFINITY, "null"},
		{-(double)INFINITY, "null"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		json_write_double(&buf, rows[i].number);
		assert_written(&buf, rows[i].text);
		buf_deinit(&buf);
	}
}
END_TEST

static double random_double(uint64_t *seed)
{
	uint64_t bits = chance(seed);
	double number;
	switch (chance_below(seed, 4)) {
	case 0: return (double)(int64_t)(bits >> 20) / pow(10, (double)chance_below(seed, 12));
	case 1: return (double)(bits >> 11) * 0x1p-53;
	case 2: return ldexp((double)(1 + (bits & 3)), (int)chance_below(seed, 2000) - 1000);
	default: memcpy(&number, &bits, sizeof number); return isfinite(number) ? number : 1;
	}
}

/* What is printed reads back as the same double, and with one digit fewer printf finds none that does. */
START_TEST(doubles_are_exact_and_short)
{
	uint64_t seed = test_seed();
	for (int round = 0; round < 50000; round++) {
		double number = random_double(&seed);
		struct buf buf;
		buf_init(&buf, 100);
		json_write_double(&buf, number);
		buf_append_char(&buf, 0);
		ck_assert_msg(strtod(buf.ptr, NULL) == number, "%s is not %.17g", buf.ptr, number);
		int digits = 0;
		for (const char *at = buf.ptr; *at && *at != 'e'; at++)
			digits += *at >= '0' && *at <= '9' && (digits || *at != '0');
		char shorter[40];
		if (digits > 1 && digits <= 17 && fabs(number) < 1e15) {
			snprintf(shorter, sizeof shorter, "%.*e", digits - 2, number);
			ck_assert_msg(strtod(shorter, NULL) != number || strchr(buf.ptr, '.') == NULL, "%s, but %s",
				      buf.ptr, shorter);
		}
		buf_deinit(&buf);
	}
}
END_TEST

START_TEST(ints)
{
	static const struct {
		long long number;
		const char *text;
	} rows[] = {{0, "0"},
		    {7, "7"},
		    {-7, "-7"},
		    {10, "10"},
		    {99, "99"},
		    {100, "100"},
		    {-101, "-101"},
		    {12345, "12345"},
		    {INT64_MAX, "9223372036854775807"},
		    {INT64_MIN, "-9223372036854775808"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		json_write_int(&buf, rows[i].number);
		assert_written(&buf, rows[i].text);
		buf_deinit(&buf);
	}
}
END_TEST

START_TEST(strings)
{
	static const struct {
		struct str string;
		const char *text;
	} rows[] = {
		{STR(""), "\"\""},
		{STR("plain"), "\"plain\""},
		{STR("\"\\/"), "\"\\\"\\\\/\""},
		{STR("\b\t\n\v\f\r\x0e\x1f\x7f"), "\"\\b\\t\\n\\u000b\\f\\r\\u000e\\u001f\x7f\""},
		{STR("\0a"), "\"\\u0000a\""},
		{STR("\xc3\xa9\xed\x9f\xbf\xee\x80\x80\xf0\x9f\x98\x80"),
		 "\"\xc3\xa9\xed\x9f\xbf\xee\x80\x80\xf0\x9f\x98\x80\""},
		{STR("\xed\xa0\x80x\xed\xbf\xbf"), "\"\\ud800x\\udfff\""},
		{STR("0123456789abcdef0123456789abcdef\n"), "\"0123456789abcdef0123456789abcdef\\n\""},
		{STR("0123456789abcde\"f0123456789abcdef"), "\"0123456789abcde\\\"f0123456789abcdef\""},
		{STR("\n\n\n\n"), "\"\\n\\n\\n\\n\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf;
		buf_init(&buf, 200);
		json_write_string(&buf, rows[i].string);
		assert_written(&buf, rows[i].text);
		buf_deinit(&buf);
	}
}
END_TEST

START_TEST(trees)
{
	assert_prints(live_object("a", live_array_of(live_int(1), live_null(), live_bool(true), LIVE_END), "b",
				  live_object(NULL, NULL), "c", live_array(0, NULL), "d", live_double(0.5), NULL),
		      "{\"a\":[1,null,true],\"b\":{},\"c\":[],\"d\":0.5}");
	assert_prints(live_object("bin", live_binary("foobar", 6), "nan", live_double((double)NAN), NULL),
		      "{\"bin\":\"Zm9vYmFy\",\"nan\":null}");
	assert_prints(NULL, "null");
	size_t len;
	char *text = live_to_json(live_int(12), &len);
	ck_assert_str_eq(text, "12");
	ck_assert_uint_eq(len, 2);
	free(text);
}
END_TEST

/* What string (as itself and as a key) must look like inside a tree. */
static void append_expected(struct buf *to, struct str string)
{
	buf_append_str(to, STR("{\"k\":"));
	json_write_string(to, string);
	buf_append_char(to, ',');
	json_write_string(to, string);
	buf_append_str(to, STR(":[1,"));
	json_write_string(to, string);
	buf_append_str(to, STR("]}"));
}

static void assert_tree(const live_value *tree, struct str string)
{
	struct buf expected, read_again;
	buf_init(&expected, 1 << 16);
	buf_init(&read_again, 1 << 16);
	append_expected(&expected, string);
	json_write(&read_again, tree);
	ck_assert(str_equal(buf_str(&expected), buf_str(&read_again)));
	buf_deinit(&expected);
	buf_deinit(&read_again);
	live_value_unref(tree);
}

static const live_value *array_with(struct str string)
{
	return live_array_of(live_int(1), live_string_len(string.ptr, string.len), LIVE_END);
}

/* A value remembers whether it needs escapes: in whichever way it was made, it must remember right. */
START_TEST(plain_or_not_however_made)
{
	static const char odd[] = {'"', '\\', '\n', 0x1f, 0x7f, ' ', 'x', 0};
	char bytes[70];
	for (size_t len = 0; len <= sizeof bytes; len++) {
		for (size_t place = 0; place < (len ? len : 1); place++) {
			memset(bytes, 'a', sizeof bytes);
			bytes[place] = odd[(len + place) % sizeof odd];
			if (len - place >= 2 && place % 3 == 0)
				memcpy(bytes + place, "\xc3\xa9", 2);
			struct str string = {bytes, len};
			/* The key "k" is another one than the string, even where that is empty or of one byte. */
			const live_value *base = live_object("k", live_string_len(bytes, len), NULL);
			const live_value *grown = live_with_len(base, bytes, len, array_with(string));
			const live_value *changed = live_with_len(grown, bytes, len, array_with(string));
			size_t text_len;
			char *text = live_to_json(grown, &text_len);
			const live_value *back = live_from_json(text, text_len, NULL, 0);
			const live_value *delta = live_with_len(NULL, bytes, len, array_with(string));
			assert_tree(live_merge(base, delta), string);
			assert_tree(grown, string);
			assert_tree(changed, string);
			assert_tree(back, string);
			live_value_unref(base);
			live_value_unref(delta);
			free(text);
		}
	}
}
END_TEST

/* Exactly at the limit it fits; one byte less and it fails, wherever the limit falls. */
START_TEST(limits_are_exact)
{
	const live_value *value =
		parsed("{\"key\":[1,\"two\\n\\ud800\",3.25,null,{\"x\":-7}],\"b\":\"AQID\",\"c\":true}");
	size_t len;
	char *text = live_to_json(value, &len);
	for (size_t limit = 0; limit <= len; limit++) {
		struct buf buf;
		buf_init(&buf, limit);
		json_write(&buf, value);
		ck_assert_int_eq(buf_failed(&buf), limit < len);
		if (limit == len)
			assert_written(&buf, text);
		buf_deinit(&buf);
	}
	free(text);
	live_value_unref(value);
}
END_TEST

START_TEST(round_trips)
{
	uint64_t seed = test_seed();
	for (int round = 0; round < 3000; round++) {
		const live_value *value = chance_value(&seed, 5, 20);
		size_t len;
		char *text = live_to_json(value, &len);
		const live_value *back = live_from_json(text, len, NULL, 0);
		ck_assert_msg(back && live_equal(value, back), "%s", text);
		assert_prints(back, text);
		free(text);
		live_value_unref(value);
	}
}
END_TEST

CORE_TESTS("json_write", doubles, doubles_are_exact_and_short, ints, strings, trees, plain_or_not_however_made,
	   limits_are_exact, round_trips)
