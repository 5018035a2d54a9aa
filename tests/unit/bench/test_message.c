#include "clients/bench/message.h"

#include <string.h>

#include "bench_test.h"
#include "clients/bench/floor_wire.h"
#include "clients/bench/frame.h"
#include "clients/bench/scan.h"

static struct message_writer writer;
static struct buffer out;
static struct frame frame;
static struct scan_message message;

static const struct message_room room = {"bench", 17};

static void begin(void)
{
	message_writer_init(&writer, 1);
}

/* Reads the one frame that was written. */
static void read_frame(uint8_t opcode)
{
	ck_assert_int_eq(frame_parse(out.bytes, out.length, FRAME_FROM_CLIENT, &frame), out.length);
	ck_assert_uint_eq(frame.opcode, opcode);
}

static void read_message(const char *type)
{
	struct scan scan;

	read_frame(FRAME_TEXT);
	scan_begin(&scan, (const char *)frame.payload, frame.length);
	ck_assert_int_eq(scan_next(&scan, &message), 1);
	ck_assert(scan_equals(message.type, type, strlen(type)));
	ck_assert_int_eq(scan_next(&scan, &message), 0);
	scan_begin(&scan, (const char *)frame.payload, frame.length);
	ck_assert_int_eq(scan_next(&scan, &message), 1);
}

static void end(void)
{
	message_writer_deinit(&writer);
	buffer_deinit(&out);
}

START_TEST(request_ids_survive)
{
	static const uint32_t numbers[] = {0, 1, 0xabcdef01, UINT32_MAX};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char id[MESSAGE_REQUEST_ID];
		uint32_t number;

		message_request_id(numbers[i], id);
		ck_assert(message_request_number(id, sizeof id, &number));
		ck_assert_uint_eq(number, numbers[i]);
	}
}
END_TEST

START_TEST(other_request_ids_are_refused)
{
	uint32_t number;

	ck_assert(!message_request_number("0000001", 7, &number));
	ck_assert(!message_request_number("0000000g", 8, &number));
	ck_assert(!message_request_number("000000001", 9, &number));
	ck_assert(!message_request_number(NULL, 0, &number));
}
END_TEST

START_TEST(requests_have_what_the_protocol_asks_for)
{
	begin();
	message_mount(&writer, &out, "Counter", 1);
	read_message("COMPONENT_MOUNT");
	ck_assert(SCAN_IS(message.component_id, "mount-Counter") && SCAN_IS(message.request_id, "00000001"));
	ck_assert(SCAN_IS(message.payload, "{\"component\":\"Counter\",\"props\":{}}"));
	out.length = 0;
	message_join(&writer, &out, "Ab3dEf9_", &room, 2);
	read_message("ROOM_JOIN");
	ck_assert(SCAN_IS(message.component_id, "Ab3dEf9_") && SCAN_IS(message.room_id, "bench-17"));
	out.length = 0;
	message_action(&writer, &out, "Ab3dEf9_", "increment", 3);
	read_message("CALL_ACTION");
	ck_assert(SCAN_IS(message.request_id, "00000003"));
	end();
}
END_TEST

START_TEST(data_has_the_wanted_size)
{
	static const size_t sizes[] = {MESSAGE_DATA_MIN, 150, 4096};

	begin();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct message_event event = {UINT32_MAX, UINT32_MAX, 9007199254740991, sizes[i]};
		struct scan_text data;
		struct scan_event read;

		out.length = 0;
		message_emit(&writer, &out, "Ab3dEf9_", &room, &event);
		read_message("ROOM_EMIT");
		ck_assert(scan_field(message.payload, "data", &data));
		ck_assert_uint_eq(data.length, sizes[i]);
		ck_assert_int_eq(scan_event_data(data, &read), 0);
		ck_assert_uint_eq(read.intended_ns, event.intended_ns);
		out.length = 0;
		message_raw_emit(&writer, &out, &room, &event);
		read_message("ROOM_EVENT");
		ck_assert_uint_eq(message.data.length, sizes[i]);
	}
	end();
}
END_TEST

START_TEST(raw_join_names_the_room_and_carries_a_notice)
{
	struct floor_join join;
	uint32_t number;

	begin();
	message_raw_join(&writer, &out, &room, true);
	read_frame(FRAME_BINARY);
	ck_assert_uint_gt(frame.length, sizeof join);
	memcpy(&join, frame.payload, sizeof join);
	memcpy(&number, join.room, sizeof number);
	ck_assert(join.command == FLOOR_JOIN && number == 17);
	ck_assert_ptr_nonnull(memmem(frame.payload, frame.length, "ROOM_SYSTEM", 11));
	out.length = 0;
	message_raw_join(&writer, &out, &room, false);
	read_frame(FRAME_BINARY);
	ck_assert_uint_eq(frame.length, sizeof join);
	end();
}
END_TEST

BENCH_TEST_MAIN("message", request_ids_survive, other_request_ids_are_refused, requests_have_what_the_protocol_asks_for,
		data_has_the_wanted_size, raw_join_names_the_room_and_carries_a_notice)
