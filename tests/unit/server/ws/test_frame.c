#include "server/ws/ws_frame.h"

#include "unit/server/net/net_stage.h"

/* A client's header for len bytes, as RFC 6455 section 5.2 draws it. */
static size_t client_header(unsigned char *to, unsigned first, uint64_t len, size_t extra)
{
	to[0] = (unsigned char)first;
	to[1] = (unsigned char)(0x80 | (extra == 0 ? len : extra == 2 ? 126 : 127));
	for (size_t i = 0; i < extra; i++)
		to[2 + i] = (unsigned char)(len >> (8 * (extra - 1 - i)));
	memcpy(to + 2 + extra, "\1\2\3\4", 4);
	return 6 + extra;
}

START_TEST(reads_every_first_byte)
{
	for (unsigned first = 0; first < 256; first++) {
		unsigned char bytes[WS_CLIENT_HEADER_MAX];
		struct ws_frame frame;
		const char *why = NULL;
		unsigned opcode = first & 15;
		bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
		bool whole = opcode < 8 || (first & 0x80);
		size_t len = client_header(bytes, first, 5, 0);
		bool good = known && whole && !(first & 0x70);
		ck_assert_int_eq(ws_frame_read(&frame, bytes, len, false, &why), good ? 1 : -WS_PROTOCOL_ERROR);
		bool good_compressed =
			known && whole && !(first & 0x30) && (!(first & 0x40) || opcode == 1 || opcode == 2);
		ck_assert_int_eq(ws_frame_read(&frame, bytes, len, true, &why),
				 good_compressed ? 1 : -WS_PROTOCOL_ERROR);
	}
}
END_TEST

START_TEST(reads_every_length_whole_and_in_pieces)
{
	static const uint64_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 1 << 20, INT64_MAX};
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		unsigned char bytes[WS_CLIENT_HEADER_MAX];
		struct ws_frame frame;
		const char *why = NULL;
		size_t extra = lengths[i] < 126 ? 0 : lengths[i] < 65536 ? 2 : 8;
		size_t size = client_header(bytes, 0x82, lengths[i], extra);
		for (size_t have = 0; have < size; have++)
			ck_assert_int_eq(ws_frame_read(&frame, bytes, have, false, &why), 0);
		ck_assert_int_eq(ws_frame_read(&frame, bytes, size, false, &why), 1);
		ck_assert_uint_eq(frame.len, lengths[i]);
		ck_assert_uint_eq(frame.size, size);
		ck_assert_mem_eq(frame.mask, "\1\2\3\4", 4);
	}
}
END_TEST

START_TEST(faults_show_as_soon_as_they_can)
{
	struct ws_frame frame;
	const char *why = NULL;
	ck_assert_int_lt(ws_frame_read(&frame, (const unsigned char *)"\x83", 1, false, &why), 0);
	ck_assert_int_lt(ws_frame_read(&frame, (const unsigned char *)"\x81\x05", 2, false, &why), 0);
	ck_assert_str_eq(why, "frame is not masked");
	ck_assert_int_lt(ws_frame_read(&frame, (const unsigned char *)"\x89\xfe", 2, false, &why), 0);
	ck_assert_int_lt(ws_frame_read(&frame, (const unsigned char *)"\x81\xfe\0\x7d", 4, false, &why), 0);
	ck_assert_str_eq(why, "length is not minimal");
}
END_TEST

START_TEST(writes_the_shortest_header)
{
	char out[WS_HEADER_MAX];
	ck_assert_uint_eq(ws_frame_write(out, WS_TEXT, false, 125), 2);
	ck_assert_mem_eq(out, "\x81\x7d", 2);
	ck_assert_uint_eq(ws_frame_write(out, WS_BINARY, true, 126), 4);
	ck_assert_mem_eq(out, "\xc2\x7e\0\x7e", 4);
	ck_assert_uint_eq(ws_frame_write(out, WS_BINARY, false, 65535), 4);
	ck_assert_uint_eq(ws_frame_write(out, WS_TEXT, false, 65536), 10);
	ck_assert_mem_eq(out, "\x81\x7f\0\0\0\0\0\1\0\0", 10);
}
END_TEST

START_TEST(unmasks_every_length_phase_and_alignment)
{
	static const uint8_t mask[4] = {0xde, 0xad, 0xbe, 0xef};
	for (size_t len = 0; len < 40; len++) {
		for (size_t phase = 0; phase < 8; phase++) {
			for (size_t offset = 0; offset < 8; offset++) {
				char bytes[64] = {0};
				ws_unmask(bytes + offset, len, mask, phase);
				for (size_t i = 0; i < sizeof bytes; i++) {
					bool inside = i >= offset && i < offset + len;
					uint8_t want = inside ? mask[(phase + i - offset) & 3] : 0;
					ck_assert_uint_eq((uint8_t)bytes[i], want);
				}
			}
		}
	}
}
END_TEST

START_TEST(knows_the_codes)
{
	for (unsigned code = 0; code < 65536; code++) {
		bool registered = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
		ck_assert(ws_code_is_valid(code) == (registered || (code >= 3000 && code <= 4999)));
	}
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, reads_every_first_byte);
	tcase_add_test(tests, reads_every_length_whole_and_in_pieces);
	tcase_add_test(tests, faults_show_as_soon_as_they_can);
	tcase_add_test(tests, writes_the_shortest_header);
	tcase_add_test(tests, unmasks_every_length_phase_and_alignment);
	tcase_add_test(tests, knows_the_codes);
}

int main(void)
{
	return run_tests("frame", add);
}
