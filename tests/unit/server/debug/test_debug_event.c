/* Events as JSON, and data that is cut to size. */
#include "server/debug/debug_event.h"

#include <string.h>

#include "unit/server/debug/debug_test.h"

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_deinit(&out);
}

static void expect(const char *text)
{
	ck_assert_uint_eq(out.len, strlen(text));
	ck_assert_mem_eq(out.ptr, text, out.len);
}

static void fill(const char *head, const char *what, size_t times, const char *tail)
{
	buf_append_str(&out, str_of(head));
	for (size_t i = 0; i < times; i++)
		buf_append_str(&out, str_of(what));
	buf_append_str(&out, str_of(tail));
}

START_TEST(an_event_with_and_without_a_component)
{
	const struct debug_subject subject = {STR("Ab3dEf9_"), STR("Coun\"ter")};
	struct debug_event *event = debug_event_new(DEBUG_ROOM_JOIN, &subject, STR("{\"roomId\":\"lobby\"}"));

	event->wall_ms = 1700000000700;
	debug_event_write(&out, event, 10);
	expect("{\"id\":\"dbg-10\",\"timestamp\":1700000000700,\"type\":\"ROOM_JOIN\",\"componentId\":\"Ab3dEf9_\","
	       "\"componentName\":\"Coun\\\"ter\",\"data\":{\"roomId\":\"lobby\"}}");
	free(event);
	event = debug_event_new(DEBUG_WS_CONNECT, &(struct debug_subject){0}, STR("{}"));
	buf_reset(&out, SIZE_MAX);
	debug_event_write(&out, event, 1);
	expect("{\"id\":\"dbg-1\",\"timestamp\":0,\"type\":\"WS_CONNECT\",\"componentId\":null,\"componentName\":null,"
	       "\"data\":{}}");
	free(event);
}
END_TEST

START_TEST(every_type_has_a_name)
{
	for (int type = 0; type < DEBUG_TYPES; type++)
		ck_assert_uint_gt(debug_type_name((enum debug_type)type).len, 2);
}
END_TEST

START_TEST(data_of_fifty_thousand_characters_passes)
{
	fill("\"", "a", 49998, "\"");
	debug_fit_data(&out);
	ck_assert_uint_eq(out.len, 50000);
}
END_TEST

START_TEST(longer_data_becomes_a_preview)
{
	char expected[1000];
	char head[500];

	fill("\"", "a", 49999, "\"");
	debug_fit_data(&out);
	memset(head, 'a', 499);
	head[499] = 0;
	snprintf(expected, sizeof expected, "{\"_truncated\":true,\"_size\":50001,\"_preview\":\"\\\"%s...\"}", head);
	expect(expected);
}
END_TEST

START_TEST(characters_are_counted_as_browsers_do)
{
	fill("\"", "\xc3\xa9", 49998, "\""); /* two bytes, one unit */
	debug_fit_data(&out);
	ck_assert_uint_eq(out.len, 2 * 49998 + 2);
	buf_reset(&out, SIZE_MAX);
	fill("\"", "\xf0\x9f\x98\x80", 24999, "\""); /* four bytes, two units */
	debug_fit_data(&out);
	ck_assert_uint_eq(out.len, 4 * 24999 + 2);
	buf_reset(&out, SIZE_MAX);
	fill("\"", "\xf0\x9f\x98\x80", 25000, "\"");
	debug_fit_data(&out);
	/* 500 units would end within a character: it is left out. */
	ck_assert_uint_eq(out.len, strlen("{\"_truncated\":true,\"_size\":50002,\"_preview\":\"\\\"...\"}") + 249 * 4);
}
END_TEST

START_TEST(what_could_not_be_written_says_so)
{
	buf_deinit(&out);
	buf_init(&out, 100);
	fill("\"", "a", 200, "\"");
	ck_assert(buf_failed(&out));
	debug_fit_data(&out);
	expect("{\"_serialization_error\":true}");
}
END_TEST

START_TEST(a_state_is_cut_to_its_size)
{
	char *text = malloc(60001);

	memset(text, 'x', 60000);
	text[60000] = 0;
	const live_value *small = live_object("a", live_int(1), NULL);
	const live_value *large = live_object("a", live_string(text), NULL);
	debug_put_state(&out, small);
	debug_put_state(&out, large);
	expect("{\"a\":1}{\"_truncated\":true,\"_size\":60008}");
	live_value_unref(small);
	live_value_unref(large);
	free(text);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_event_with_and_without_a_component);
	tcase_add_test(tests, every_type_has_a_name);
	tcase_add_test(tests, data_of_fifty_thousand_characters_passes);
	tcase_add_test(tests, longer_data_becomes_a_preview);
	tcase_add_test(tests, characters_are_counted_as_browsers_do);
	tcase_add_test(tests, what_could_not_be_written_says_so);
	tcase_add_test(tests, a_state_is_cut_to_its_size);
}

int main(void)
{
	return run_case("debug_event", add_tests);
}
