#include "clients/bench/scan.h"

#include <errno.h>
#include <stdio.h>

#include "bench_test.h"

/* A copy that ends where the text ends, so that reading beyond it is seen. */
static char *copy;
static struct scan scan;
static struct scan_message message;

static void begin(const char *text)
{
	size_t length = strlen(text);

	copy = malloc(length ? length : 1);
	memcpy(copy, text, length);
	scan_begin(&scan, copy, length);
}

static void end(void)
{
	ck_assert_int_eq(scan_next(&scan, &message), 0);
	free(copy);
}

#define ASSERT_TEXT(field, literal) ck_assert_msg(SCAN_IS(field, literal), "%.*s", (int)(field).length, (field).at)

START_TEST(finds_the_fields_of_an_event)
{
	begin("{\"componentId\":\"Zz12_-Qx\",\"type\":\"ROOM_EVENT\",\"roomId\":\"bench-0\",\"event\":\"b\","
	      "\"data\":{\"s\":1,\"n\":22,\"t\":333,\"p\":\"xxx\"},\"timestamp\":1700000000000}");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.type, "ROOM_EVENT");
	ASSERT_TEXT(message.component_id, "Zz12_-Qx");
	ASSERT_TEXT(message.room_id, "bench-0");
	ASSERT_TEXT(message.event, "b");
	ASSERT_TEXT(message.data, "{\"s\":1,\"n\":22,\"t\":333,\"p\":\"xxx\"}");
	ck_assert_ptr_null(message.request_id.at);
	ck_assert_int_eq(message.success, SCAN_ABSENT);
	end();
}
END_TEST

START_TEST(finds_the_fields_of_a_reply)
{
	struct scan_text id;

	begin("{\"type\":\"MESSAGE_RESPONSE\",\"componentId\":\"mount-Counter\",\"success\":true,\"result\":"
	      "{\"initialState\":{\"componentId\":\"wrong\"},\"componentId\":\"Ab3dEf9_\"},\"requestId\":"
	      "\"00000001\"}");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.component_id, "mount-Counter");
	ASSERT_TEXT(message.request_id, "00000001");
	ck_assert_int_eq(message.success, SCAN_TRUE);
	ck_assert(scan_string_field(message.result, "componentId", &id));
	ASSERT_TEXT(id, "Ab3dEf9_");
	ck_assert(!scan_field(message.result, "componentI", &id));
	end();
}
END_TEST

START_TEST(walks_over_a_batch)
{
	begin(" [ {\"type\":\"A\"} , {\"type\":\"B\",\"error\":\"no\",\"success\":false},{} ] ");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.type, "A");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.type, "B");
	ASSERT_TEXT(message.error, "no");
	ck_assert_int_eq(message.success, SCAN_FALSE);
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ck_assert_ptr_null(message.type.at);
	end();
	begin("[]");
	end();
}
END_TEST

START_TEST(is_not_fooled_by_strings)
{
	begin("{\"p\":\"\\\"type\\\":\\\"NO\\\"},]\\\\\",\"a\\\"type\":1,\"data\":{\"x\":\"}\\\"}\",\"y\":[\"]\",{}]},"
	      "\"a long enough string to leave the short loop \\\\\\\"\":2,\"type\":\"YES\"}");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.type, "YES");
	ASSERT_TEXT(message.data, "{\"x\":\"}\\\"}\",\"y\":[\"]\",{}]}");
	end();
}
END_TEST

START_TEST(takes_only_top_level_fields)
{
	begin("{\"payload\":{\"type\":\"INNER\",\"requestId\":\"x\"},\"other\":[{\"type\":\"INNER\"}],\"type\":"
	      "\"OUTER\"}");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ASSERT_TEXT(message.type, "OUTER");
	ck_assert_ptr_null(message.request_id.at);
	end();
}
END_TEST

START_TEST(a_field_of_another_type_is_absent)
{
	begin("{\"type\":7,\"event\":null,\"componentId\":[]}");
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ck_assert_ptr_null(message.type.at);
	ck_assert_ptr_null(message.event.at);
	ck_assert_ptr_null(message.component_id.at);
	end();
}
END_TEST

START_TEST(refuses_what_is_no_message)
{
	static const char *const texts[] = {
		"",           " ",
		"null",       "7",
		"\"a\"",      "{",
		"{\"a\"",     "{\"a\":",
		"{\"a\":1",   "{\"a\":1,",
		"{\"a\":1,}", "{a:1}",
		"{\"a\" 1}",  "{\"a\":\"b",
		"{\"a\":{}",  "{\"a\":[1",
		"{\"a\":1}x", "{\"a\":1}{\"b\":2}",
		"[",          "[{}",
		"[{},",       "[{},]",
		"[1]",        "[[{}]]",
		"[{}]x",      "[{}{}]",
		"{\"a\":}",   "{\"a\":\"\\\"}",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int rc;

		begin(texts[i]);
		do
			rc = scan_next(&scan, &message);
		while (rc > 0);
		ck_assert_msg(rc == -EPROTO, "%s", texts[i]);
		free(copy);
	}
}
END_TEST

/* Every text cut short anywhere is refused, and never read beyond its end. */
START_TEST(refuses_every_cut)
{
	static const char text[] =
		"[{\"type\":\"ROOM_EVENT\",\"data\":{\"p\":\"x\\\"y\",\"a\":[1,2]},\"n\":-1.5e3},{\"type\":\"B\"}]";

	for (size_t length = 0; length < sizeof text - 1; length++) {
		int rc;

		copy = malloc(length ? length : 1);
		memcpy(copy, text, length);
		scan_begin(&scan, copy, length);
		do
			rc = scan_next(&scan, &message);
		while (rc > 0);
		ck_assert_int_eq(rc, -EPROTO);
		free(copy);
	}
}
END_TEST

static int read_event(const char *text, struct scan_event *event)
{
	return scan_event_data((struct scan_text){text, strlen(text)}, event);
}

START_TEST(reads_event_data)
{
	struct scan_event event = {0};

	ck_assert_int_eq(read_event("{\"s\":7,\"n\":4294967295,\"t\":123456789012345,\"p\":\"x\"}", &event), 0);
	ck_assert_uint_eq(event.sender, 7);
	ck_assert_uint_eq(event.number, UINT32_MAX);
	ck_assert_uint_eq(event.intended_ns, 123456789012345);
	/* A server may write the fields in another order, and with space. */
	ck_assert_int_eq(read_event("{ \"p\" : \"\\\"s\\\":9\" , \"t\" : 3, \"n\" : 2, \"s\" : 1 }", &event), 0);
	ck_assert_uint_eq(event.sender, 1);
	ck_assert_uint_eq(event.number, 2);
	ck_assert_uint_eq(event.intended_ns, 3);
}
END_TEST

START_TEST(refuses_other_event_data)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"null",
		"{\"s\":1,\"n\":2}",
		"{\"s\":1,\"n\":2,\"t\":\"3\"}",
		"{\"s\":-1,\"n\":2,\"t\":3}",
		"{\"s\":1.0,\"n\":2,\"t\":3}",
		"{\"s\":1,\"n\":2,\"t\":3e5}",
		"{\"s\":1,\"n\":2,\"t\":",
	};
	struct scan_event event;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(read_event(texts[i], &event) == -EPROTO, "%s", texts[i]);
}
END_TEST

#define EVENT_START \
	"{\"componentId\":\"Zz12_-Qx\",\"type\":\"ROOM_EVENT\",\"roomId\":\"bench-0\",\"event\":\"b\",\"data\":"
#define EVENT_DATA "{\"s\":1,\"n\":22,\"t\":333,\"p\":\"xxx\"}"
#define EVENT_END ",\"timestamp\":1700000000000}"

static const struct scan_text event_start = {EVENT_START, sizeof EVENT_START - 1};

START_TEST(takes_the_shortcut_for_an_event_seen_before)
{
	struct scan_event event = {0};

	begin("[" EVENT_START EVENT_DATA EVENT_END ", " EVENT_START EVENT_DATA EVENT_END "]");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(scan_event_again(&scan, event_start, &event), 1);
		ck_assert(event.sender == 1 && event.number == 22 && event.intended_ns == 333);
	}
	ck_assert_int_eq(scan_event_again(&scan, event_start, &event), 0);
	end();
}
END_TEST

START_TEST(leaves_other_messages_to_the_full_reading)
{
	static const char *const texts[] = {
		"{\"type\":\"STATE_DELTA\"}",
		EVENT_START EVENT_DATA "}",
		EVENT_START EVENT_DATA ",\"more\":1}",
		EVENT_START "{\"n\":22,\"s\":1,\"t\":333,\"p\":\"x\"}" EVENT_END,
		EVENT_START "{\"s\":1,\"n\":22,\"t\":333.5,\"p\":\"x\"}" EVENT_END,
		EVENT_START "{\"s\":1,\"n\":22,\"t\":333,\"p\":\"x\",\"q\":1}" EVENT_END,
	};
	struct scan_event event;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		begin(texts[i]);
		ck_assert_int_eq(scan_event_again(&scan, event_start, &event), 0);
		ck_assert_int_eq(scan_event_again(&scan, (struct scan_text){0}, &event), 0);
		ck_assert_int_eq(scan_next(&scan, &message), 1);
		end();
	}
}
END_TEST

START_TEST(shortcut_never_reads_beyond_a_cut)
{
	static const char text[] = "[" EVENT_START EVENT_DATA EVENT_END "]";

	for (size_t length = 0; length < sizeof text - 1; length++) {
		struct scan_event event;
		int rc;

		copy = malloc(length ? length : 1);
		memcpy(copy, text, length);
		scan_begin(&scan, copy, length);
		rc = scan_event_again(&scan, event_start, &event);
		ck_assert(rc == 0 || (rc == -EPROTO && length == sizeof text - 2));
		free(copy);
	}
}
END_TEST

BENCH_TEST_MAIN("scan", takes_the_shortcut_for_an_event_seen_before, leaves_other_messages_to_the_full_reading,
		shortcut_never_reads_beyond_a_cut, finds_the_fields_of_an_event, finds_the_fields_of_a_reply,
		walks_over_a_batch, is_not_fooled_by_strings, takes_only_top_level_fields,
		a_field_of_another_type_is_absent, refuses_what_is_no_message, refuses_every_cut, reads_event_data,
		refuses_other_event_data)
