#include "core/json.h"

#include <errno.h>

#include "unit/core/core_test.h"

static struct json_reader reader;
static struct arena *arena;

static void start_with(const char *text, unsigned max_depth, unsigned flags)
{
	const struct json_limits limits = {.max_depth = max_depth, .flags = flags};
	if (!arena)
		arena = arena_new(1024);
	json_reader_init(&reader, str_of(text), arena, &limits);
}

static void start(const char *text)
{
	start_with(text, 64, 0);
}

static void assert_key(const char *expected)
{
	struct str key;
	ck_assert_int_eq(json_next_key(&reader, &key), 1);
	ck_assert(str_equal(key, str_of(expected)));
}

static void assert_end_of_object(void)
{
	struct str key;
	ck_assert_int_eq(json_next_key(&reader, &key), 0);
}

START_TEST(walks_a_message)
{
	struct str text;
	double number;
	bool flag;
	struct json_span span;
	const live_value *value;

	start(" {\"type\" : \"CALL\\u0041\", \"n\":-1.5e1,\"in\":{\"x\":true},\"raw\": [1, {\"a\":2}] "
	      ",\"v\":{\"k\":[]}} ");
	ck_assert_int_eq(json_peek(&reader), LIVE_OBJECT);
	ck_assert_int_eq(json_enter_object(&reader), 0);
	assert_key("type");
	ck_assert_int_eq(json_peek(&reader), LIVE_STRING);
	ck_assert_int_eq(json_read_string(&reader, &text), 0);
	ck_assert(str_equal(text, STR("CALLA")));
	assert_key("n");
	ck_assert_int_eq(json_peek(&reader), LIVE_INT);
	ck_assert_int_eq(json_read_double(&reader, &number), 0);
	ck_assert(number == -15);
	assert_key("in");
	ck_assert_int_eq(json_enter_object(&reader), 0);
	assert_key("x");
	ck_assert_int_eq(json_read_bool(&reader, &flag), 0);
	ck_assert(flag);
	assert_end_of_object();
	assert_key("raw");
	ck_assert_int_eq(json_skip(&reader, &span), 0);
	ck_assert(str_equal(span.raw, STR("[1, {\"a\":2}]")));
	assert_key("v");
	ck_assert_int_eq(json_read_value(&reader, &value), 0);
	assert_prints(value, "{\"k\":[]}");
	assert_end_of_object();
	ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

START_TEST(strings_are_slices)
{
	static const char text[] = "[\"abc\"]";
	struct str string;
	start(text);
	ck_assert_int_eq(json_enter_array(&reader), 0);
	ck_assert_int_eq(json_next_item(&reader), 1);
	ck_assert_int_eq(json_read_string(&reader, &string), 0);
	ck_assert_ptr_eq(string.ptr, text + 2);
	ck_assert_int_eq(json_next_item(&reader), 0);
}
END_TEST

START_TEST(arrays_of_messages)
{
	double sum = 0;
	start("[ {\"n\":1} , {\"n\":2},{}, {\"n\":3}]");
	ck_assert_int_eq(json_enter_array(&reader), 0);
	while (json_next_item(&reader) == 1) {
		struct str key;
		ck_assert_int_eq(json_enter_object(&reader), 0);
		while (json_next_key(&reader, &key) == 1) {
			double number;
			ck_assert_int_eq(json_read_double(&reader, &number), 0);
			sum += number;
		}
	}
	ck_assert_int_eq(json_finish(&reader), 0);
	ck_assert(sum == 6);
	start("[]");
	ck_assert_int_eq(json_enter_array(&reader), 0);
	ck_assert_int_eq(json_next_item(&reader), 0);
	ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

/* Walks text by json_skip of each member; whether it is well-formed. */
static bool walks(const char *text)
{
	struct str key;
	struct json_span span;
	int rc;
	start(text);
	if (json_enter_object(&reader) < 0)
		return false;
	while ((rc = json_next_key(&reader, &key)) == 1) {
		if (json_skip(&reader, &span) < 0)
			return false;
	}
	return rc == 0 && json_finish(&reader) == 0;
}

START_TEST(grammar_between_members)
{
	ck_assert(walks("{}"));
	ck_assert(walks("{\"a\":1}"));
	ck_assert(walks("{ \"a\" : 1 , \"b\" : {} } "));
	static const char *const refused[] = {"",
					      "[]",
					      "{",
					      "{,}",
					      "{\"a\":1,}",
					      "{,\"a\":1}",
					      "{\"a\":1 \"b\":2}",
					      "{\"a\"}",
					      "{\"a\":}",
					      "{\"a\":1}}",
					      "{\"a\":1]",
					      "{a:1}",
					      "{\"a\":1}x",
					      "{\"a\":1,,\"b\":2}",
					      "{\"\\x\":1}",
					      "{\"a\" 1}",
					      "{1:1}"};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		ck_assert_msg(!walks(refused[i]), "%s", refused[i]);
}
END_TEST

START_TEST(errors_last)
{
	struct str string;
	double number;
	bool flag;
	const live_value *value;
	struct json_span span;

	start("[5]");
	ck_assert_int_eq(json_read_string(&reader, &string), -EINVAL);
	ck_assert_str_eq(reader.error.message, "expected a string");
	ck_assert_int_eq(json_enter_array(&reader), -EINVAL);
	ck_assert_int_eq(json_next_item(&reader), -EINVAL);
	ck_assert_int_eq(json_next_key(&reader, &string), -EINVAL);
	ck_assert_int_eq(json_enter_object(&reader), -EINVAL);
	ck_assert_int_eq(json_peek(&reader), -EINVAL);
	ck_assert_int_eq(json_read_string(&reader, &string), -EINVAL);
	ck_assert_int_eq(json_read_double(&reader, &number), -EINVAL);
	ck_assert_int_eq(json_read_bool(&reader, &flag), -EINVAL);
	ck_assert_int_eq(json_read_value(&reader, &value), -EINVAL);
	ck_assert_int_eq(json_skip(&reader, &span), -EINVAL);
	ck_assert_int_eq(json_finish(&reader), -EINVAL);
	ck_assert_str_eq(reader.error.message, "expected a string");
	ck_assert_uint_eq(reader.error.offset, 0);
}
END_TEST

START_TEST(wrong_types)
{
	struct str string;
	double number;
	bool flag;
	start("5");
	ck_assert_int_eq(json_read_bool(&reader, &flag), -EINVAL);
	start("true");
	ck_assert_int_eq(json_read_double(&reader, &number), -EINVAL);
	start("trux");
	ck_assert_int_eq(json_read_bool(&reader, &flag), -EINVAL);
	start("5");
	ck_assert_int_eq(json_enter_object(&reader), -EINVAL);
	start("{}");
	ck_assert_int_eq(json_enter_array(&reader), -EINVAL);
	start("5");
	ck_assert_int_eq(json_read_string(&reader, &string), -EINVAL);
	start("x");
	ck_assert_int_eq(json_peek(&reader), -EINVAL);
}
END_TEST

START_TEST(depth_counts_what_was_entered)
{
	const live_value *value;
	struct json_span span;
	start_with("{\"a\":[[1]]}", 2, 0);
	json_enter_object(&reader);
	assert_key("a");
	ck_assert_int_eq(json_read_value(&reader, &value), -EINVAL);
	ck_assert(reader.error.too_deep);
	start_with("{\"a\":[[1]]}", 2, 0);
	json_enter_object(&reader);
	assert_key("a");
	ck_assert_int_eq(json_skip(&reader, &span), -EINVAL);
	ck_assert(reader.error.too_deep);
	start_with("{\"a\":[1]}", 2, 0);
	json_enter_object(&reader);
	assert_key("a");
	ck_assert_int_eq(json_skip(&reader, &span), 0);
	assert_end_of_object();
	start_with("{\"a\":{}}", 1, 0);
	json_enter_object(&reader);
	assert_key("a");
	ck_assert_int_eq(json_enter_object(&reader), -EINVAL);
	ck_assert(reader.error.too_deep);
}
END_TEST

START_TEST(spans_tell)
{
	static const struct {
		const char *text;
		bool prototype, newlines;
	} rows[] = {
		{"{\"a\":1}", false, false},
		{"{\"a\":[{\"__proto__\":1}]}", true, false},
		{"{\"\\u0063onstructor\":1}", true, false},
		{"[\"constructor\"]", false, false},
		{"[1,\n2]", false, true},
		{"[1,\r2]", false, true},
		{"{\"a\" :\n1}", false, true},
		{"{\"a\":1\n}", false, true},
		{"{\n}", false, true},
		{"[1, \t2]", false, false},
		{"[\"a\\nb\"]", false, false},
		{"\n[1]\n", false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_span span;
		start(rows[i].text);
		ck_assert_int_eq(json_skip(&reader, &span), 0);
		ck_assert_int_eq(json_finish(&reader), 0);
		ck_assert_msg(span.has_prototype_names == rows[i].prototype, "%s", rows[i].text);
		ck_assert_msg(span.has_newlines == rows[i].newlines, "%s", rows[i].text);
	}
}
END_TEST

START_TEST(prototype_names_are_passed_over)
{
	double number;
	start_with("{\"__proto__\":{\"x\":1},\"a\":1,\"constructor\":2,\"prototype\":[]}", 64,
		   JSON_DROP_PROTOTYPE_NAMES);
	json_enter_object(&reader);
	assert_key("a");
	ck_assert_int_eq(json_read_double(&reader, &number), 0);
	assert_end_of_object();
	ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

CORE_TESTS("json_reader", walks_a_message, strings_are_slices, arrays_of_messages, grammar_between_members, errors_last,
	   wrong_types, depth_counts_what_was_entered, spans_tell, prototype_names_are_passed_over)
