#include <zlib.h>

#include "core/mem.h"
#include "unit/server/ws/ws_stage.h"

static struct ws_options options;
static struct ws_stage stage;

static void setup(void)
{
	options = (struct ws_options){.deflate = true, .deflate_min_bytes = 1, .max_message_bytes = 100000};
	ws_stage_start(&stage, &options);
}

static void teardown(void)
{
	ws_stage_end(&stage);
}

static void agree(const char *offer)
{
	struct buf answer;
	buf_init(&answer, 1000);
	ws_deflate_free(stage.ws->deflate);
	stage.ws->deflate = ws_deflate_negotiate(&options, str_of(offer), &answer);
	ck_assert_ptr_nonnull(stage.ws->deflate);
	buf_deinit(&answer);
}

/* Through our deflater and back through our inflater; how many bytes it took in between. */
static size_t there_and_back(struct str payload)
{
	struct buf out;
	char *bytes;
	size_t len;
	buf_init(&out, 1 << 20);
	buf_append_str(&out, payload);
	ck_assert(ws_deflate_payload(stage.ws, &out, 0));
	size_t packed = out.len;
	ck_assert_int_eq(ws_deflate_inflate(stage.ws, buf_str(&out), &bytes, &len), 0);
	ck_assert_uint_eq(len, payload.len);
	ck_assert_mem_eq(bytes, payload.ptr, len);
	buf_deinit(&out);
	return packed;
}

static struct str letters(size_t len)
{
	static char text[100000];
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + (i * i / 7) % 26);
	return (struct str){text, len};
}

START_TEST(messages_come_back)
{
	agree("permessage-deflate");
	for (size_t len = 300; len <= 100000; len = len * 3 / 2)
		ck_assert_uint_lt(there_and_back(letters(len)), len);
}
END_TEST

START_TEST(takeover_makes_the_second_cheap)
{
	options.deflate_takeover = true;
	agree("permessage-deflate");
	size_t first = there_and_back(letters(2000));
	ck_assert_uint_lt(there_and_back(letters(2000)) * 5, first);
}
END_TEST

START_TEST(without_it_each_costs_the_same)
{
	agree("permessage-deflate");
	size_t first = there_and_back(letters(2000));
	ck_assert_uint_eq(there_and_back(letters(2000)), first);
}
END_TEST

START_TEST(every_window_works)
{
	for (unsigned bits = 9; bits <= 15; bits++) {
		char offer[100];
		snprintf(offer, sizeof offer, "permessage-deflate; server_max_window_bits=%u", bits);
		for (int takeover = 0; takeover < 2; takeover++) {
			options.deflate_takeover = takeover;
			agree(offer);
			there_and_back(letters(50000));
			there_and_back(letters(50000));
		}
	}
}
END_TEST

/* Appends text to out as a final block that may refer to what was before. */
static void add_final(struct buf *out, struct str text, struct str before)
{
	z_stream stream = {0};
	unsigned char packed[20000];
	ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	if (before.len)
		ck_assert_int_eq(deflateSetDictionary(&stream, (const unsigned char *)before.ptr, (unsigned)before.len),
				 Z_OK);
	stream.next_in = (unsigned char *)(uintptr_t)text.ptr;
	stream.avail_in = (unsigned)text.len;
	stream.next_out = packed;
	stream.avail_out = sizeof packed;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_append(out, packed, sizeof packed - stream.avail_out);
	deflateEnd(&stream);
}

START_TEST(final_blocks_do_not_end_the_window)
{
	struct buf out;
	char *bytes;
	size_t len;
	char text[10000];
	agree("permessage-deflate");
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)((uint32_t)(i * 2654435761u) >> 13);
	buf_init(&out, 1 << 20);
	struct str whole = {text, sizeof text}, half = {text, sizeof text / 2};
	add_final(&out, half, STR(""));
	add_final(&out, whole, half);
	size_t once = out.len;
	for (int i = 0; i < 8; i++)
		add_final(&out, whole, whole);
	ck_assert_uint_lt(out.len, once + 8 * 200); /* they do refer back */
	buf_append_char(&out, 0);
	ck_assert_int_eq(ws_deflate_inflate(stage.ws, buf_str(&out), &bytes, &len), 0);
	ck_assert_uint_eq(len, half.len + 9 * whole.len);
	ck_assert_mem_eq(bytes + len - whole.len, text, whole.len);
	ck_assert_mem_eq(bytes + half.len, text, whole.len);
	/* Without takeover the next message begins with an empty window. */
	buf_reset(&out, SIZE_MAX);
	add_final(&out, whole, whole);
	buf_append_char(&out, 0);
	ck_assert_int_eq(ws_deflate_inflate(stage.ws, buf_str(&out), &bytes, &len), -WS_INVALID_DATA);
	buf_deinit(&out);
}
END_TEST

START_TEST(what_does_not_shrink_stays_as_it_is)
{
	struct buf out;
	agree("permessage-deflate");
	buf_init(&out, 1000);
	buf_append(&out, "header", 6);
	buf_append(&out, "\x8f\x11\xe0\x42", 4);
	ck_assert(!ws_deflate_payload(stage.ws, &out, 6));
	ck_assert_uint_eq(out.len, 10);
	ck_assert_mem_eq(out.ptr, "header\x8f\x11\xe0\x42", 10);
	buf_deinit(&out);
}
END_TEST

START_TEST(a_bomb_is_stopped_at_the_limit)
{
	struct buf out;
	char *zeros = mem_alloc(10000000);
	char *bytes;
	size_t len;
	agree("permessage-deflate");
	buf_init(&out, SIZE_MAX / 2);
	buf_append(&out, zeros, 10000000);
	ck_assert(ws_deflate_payload(stage.ws, &out, 0));
	ck_assert_uint_lt(out.len, 100000);
	ck_assert_int_eq(ws_deflate_inflate(stage.ws, buf_str(&out), &bytes, &len), -WS_TOO_BIG);
	ck_assert_uint_le(len, 100000);
	there_and_back(letters(1000)); /* the inflater is as good as new */
	buf_deinit(&out);
	free(zeros);
}
END_TEST

START_TEST(a_message_at_the_limit_is_fine)
{
	agree("permessage-deflate");
	there_and_back(letters(100000));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, messages_come_back);
	tcase_add_test(tests, takeover_makes_the_second_cheap);
	tcase_add_test(tests, without_it_each_costs_the_same);
	tcase_add_test(tests, every_window_works);
	tcase_add_test(tests, final_blocks_do_not_end_the_window);
	tcase_add_test(tests, what_does_not_shrink_stays_as_it_is);
	tcase_add_test(tests, a_bomb_is_stopped_at_the_limit);
	tcase_add_test(tests, a_message_at_the_limit_is_fine);
}

int main(void)
{
	return run_tests("deflate", add);
}
