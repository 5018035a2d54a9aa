#include "clients/bench/frame.h"

#include <errno.h>
#include <string.h>

#include "bench_test.h"

static struct buffer out;

/* The examples of RFC 6455, section 5.7. */
static uint8_t unmasked_hello[] = {0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
static uint8_t masked_hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};

START_TEST(parses_the_standards_examples)
{
	uint8_t masked[sizeof masked_hello];
	struct frame frame;

	ck_assert_int_eq(frame_parse(unmasked_hello, sizeof unmasked_hello, FRAME_FROM_SERVER, &frame), 7);
	ck_assert(frame.final && frame.opcode == FRAME_TEXT && frame.length == 5);
	ck_assert_mem_eq(frame.payload, "Hello", 5);
	memcpy(masked, masked_hello, sizeof masked);
	ck_assert_int_eq(frame_parse(masked, sizeof masked, FRAME_FROM_CLIENT, &frame), 11);
	ck_assert_mem_eq(frame.payload, "Hello", 5);
}
END_TEST

START_TEST(writes_the_standards_examples)
{
	uint32_t key;

	memcpy(&key, masked_hello + 2, 4);
	out.length = 0;
	frame_append_masked(&out, FRAME_TEXT, "Hello", 5, key);
	ck_assert_uint_eq(out.length, sizeof masked_hello);
	ck_assert_mem_eq(out.bytes, masked_hello, sizeof masked_hello);
	out.length = 0;
	frame_append_plain(&out, FRAME_TEXT, "Hello", 5);
	ck_assert_uint_eq(out.length, sizeof unmasked_hello);
	ck_assert_mem_eq(out.bytes, unmasked_hello, sizeof unmasked_hello);
	buffer_deinit(&out);
}
END_TEST

START_TEST(any_part_needs_more)
{
	struct frame frame;

	for (size_t length = 0; length < sizeof unmasked_hello; length++)
		ck_assert_int_eq(frame_parse(unmasked_hello, length, FRAME_FROM_SERVER, &frame), 0);
}
END_TEST

START_TEST(every_length_survives)
{
	static const size_t lengths[] = {0, 1, 7, 8, 9, 125, 126, 127, 300, 65535, 65536, 70001};
	static uint8_t payload[70001];

	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 31);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct frame frame;

		out.length = 0;
		frame_append_masked(&out, FRAME_BINARY, payload, lengths[i], 0xa1b2c3d4);
		ck_assert_int_eq(frame_parse(out.bytes, out.length, FRAME_FROM_CLIENT, &frame), out.length);
		ck_assert_uint_eq(frame.length, lengths[i]);
		ck_assert_mem_eq(frame.payload, payload, lengths[i]);
		out.length = 0;
		frame_append_plain(&out, FRAME_BINARY, payload, lengths[i]);
		ck_assert_int_eq(frame_parse(out.bytes, out.length, FRAME_FROM_SERVER, &frame), out.length);
		ck_assert_mem_eq(frame.payload, payload, lengths[i]);
	}
	buffer_deinit(&out);
}
END_TEST

static void assert_refused(const uint8_t *bytes, size_t length, enum frame_origin origin)
{
	uint8_t copy[16] = {0};
	struct frame frame;

	memcpy(copy, bytes, length);
	ck_assert_int_eq(frame_parse(copy, sizeof copy, origin, &frame), -EPROTO);
}

#define REFUSED(origin, ...) \
	assert_refused((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), origin)

START_TEST(refuses_what_no_honest_peer_sends)
{
	REFUSED(FRAME_FROM_SERVER, 0x81, 0x85);                               /* masked by a server */
	REFUSED(FRAME_FROM_CLIENT, 0x81, 0x05);                               /* not masked by a client */
	REFUSED(FRAME_FROM_SERVER, 0xc1, 0x05);                               /* reserved bit */
	REFUSED(FRAME_FROM_SERVER, 0x83, 0x05);                               /* reserved opcode */
	REFUSED(FRAME_FROM_SERVER, 0x8b, 0x05);                               /* reserved control opcode */
	REFUSED(FRAME_FROM_SERVER, 0x09, 0x05);                               /* a ping in fragments */
	REFUSED(FRAME_FROM_SERVER, 0x89, 0x7e);                               /* a long ping */
	REFUSED(FRAME_FROM_SERVER, 0x81, 0x7e, 0x00, 0x7d);                   /* 125 in two bytes */
	REFUSED(FRAME_FROM_SERVER, 0x81, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff); /* 65535 in eight */
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	uint8_t head[] = {0x82, 0x7f, 0, 0, 0, 0, 0x10, 0, 0, 0};
	uint8_t absurd[] = {0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct frame frame;

	ck_assert_int_eq(frame_parse(head, sizeof head, FRAME_FROM_SERVER, &frame), -EMSGSIZE);
	ck_assert_int_eq(frame_parse(absurd, sizeof absurd, FRAME_FROM_SERVER, &frame), -EMSGSIZE);
}
END_TEST

BENCH_TEST_MAIN("frame", parses_the_standards_examples, writes_the_standards_examples, any_part_needs_more,
		every_length_survives, refuses_what_no_honest_peer_sends, refuses_what_is_too_long)
