/* A text for many: whatever each of them gets around it, whatever it agreed to, the compressor sees the text once. */
#include "core/mem.h"
#include "unit/server/ws/ws_stage.h"

enum { TEXT_MAX = 200000 };

static struct ws_options options;
static struct ws_stage stage;
static struct buf out, wanted;

static void setup(void)
{
	options = (struct ws_options){.deflate = true, .deflate_min_bytes = 100, .max_message_bytes = 1 << 20};
	ws_stage_start(&stage, &options);
	buf_init(&out, 4 << 20);
	buf_init(&wanted, 4 << 20);
}

static void teardown(void)
{
	buf_deinit(&out);
	buf_deinit(&wanted);
	ws_stage_end(&stage);
}

/* What the peer agreed to; NULL: nothing. */
static void agree(const char *offer)
{
	struct buf answer;
	buf_init(&answer, 1000);
	ws_deflate_free(stage.ws->deflate);
	stage.ws->deflate = offer ? ws_deflate_negotiate(&options, str_of(offer), &answer) : NULL;
	ck_assert(!offer == !stage.ws->deflate);
	buf_deinit(&answer);
}

static struct str letters(size_t len, unsigned seed)
{
	static char text[8][TEXT_MAX];
	char *to = text[seed % 8];
	for (size_t i = 0; i < len; i++)
		to[i] = (char)('a' + (i * i / 7 + seed) % 26);
	return (struct str){to, len};
}

static struct str noise(size_t len)
{
	static char text[TEXT_MAX];
	uint32_t state = 1;
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		text[i] = (char)(state >> 24);
	}
	return (struct str){text, len};
}

static void add_own(struct str own)
{
	buf_append_str(&out, own);
	buf_append_str(&wanted, own);
}

static void add_shared(size_t start, struct str text, struct ws_packed **packed)
{
	ws_append_shared(stage.ws, &out, start, text, packed);
	buf_append_str(&wanted, text);
}

/* Takes the one frame off out, which must hold what was added; how many bytes it took on the wire. */
static size_t check_frame(bool is_compressed)
{
	struct ws_frame frame;
	char *head = out.ptr, *bytes;
	const char *why;
	size_t len, size = (head[1] & 0x7f) == 126 ? 4 : (head[1] & 0x7f) == 127 ? 10 : 2;
	size_t took = out.len;

	ck_assert(!buf_failed(&out));
	head[1] = (char)(head[1] | 0x80); /* as if it were a client's, to read it by */
	int rc = ws_frame_read(&frame, (const unsigned char *)head, WS_CLIENT_HEADER_MAX, true, &why);
	ck_assert_int_eq(rc, 1);
	ck_assert_uint_eq(frame.len, out.len - size);
	ck_assert(frame.fin && frame.opcode == WS_TEXT && frame.rsv1 == is_compressed);
	bytes = head + size;
	len = out.len - size;
	if (frame.rsv1)
		ck_assert_int_eq(ws_deflate_inflate(stage.ws, (struct str){head + size, len}, &bytes, &len), 0);
	ck_assert_uint_eq(len, wanted.len);
	ck_assert_mem_eq(bytes, wanted.ptr, len);
	buf_reset(&out, SIZE_MAX);
	buf_reset(&wanted, SIZE_MAX);
	return took;
}

static size_t send_one(struct str head, struct str text, struct ws_packed **packed, struct str end, bool is_compressed)
{
	size_t start = ws_message_begin(&out);
	add_own(head);
	add_shared(start, text, packed);
	add_own(end);
	ws_message_end(stage.ws, &out, start, WS_TEXT);
	return check_frame(is_compressed);
}

static void expect_runs(uint64_t runs, uint64_t shared)
{
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_deflates), runs);
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_deflates_shared), shared);
}

START_TEST(a_text_for_many_is_compressed_once)
{
	struct ws_packed *packed = NULL;
	struct str text = letters(5000, 0);
	char head[64];
	agree("permessage-deflate");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(head, sizeof head, "{\"componentId\":\"cmp-%u\"", i);
		ck_assert_uint_lt(send_one(str_of(head), text, &packed, STR(""), true), 5000);
	}
	expect_runs(1, 99);
}
END_TEST

START_TEST(whatever_stands_around_it)
{
	struct ws_packed *packed = NULL;
	struct str text = letters(3000, 0);
	agree("permessage-deflate");
	size_t bare = send_one(STR(""), text, &packed, STR(""), true);
	ck_assert_uint_eq(send_one(STR("["), text, &packed, STR(""), true), bare + 6);
	ck_assert_uint_eq(send_one(STR(""), text, &packed, STR("]"), true), bare + 4 + 5 + 1 + 1);
	send_one(STR("["), text, &packed, STR("]"), true);
	expect_runs(1, 3);
	/* What is long enough to pay is compressed, for this client alone. */
	ck_assert_uint_lt(send_one(letters(2000, 1), text, &packed, letters(2000, 2), true), 4000);
	expect_runs(3, 4);
	send_one(letters(TEXT_MAX, 1), text, &packed, noise(70000), true);
	expect_runs(5, 5);
}
END_TEST

START_TEST(two_windows_are_two_runs)
{
	struct ws_packed *packed = NULL;
	struct str text = letters(50000, 0);
	for (int round = 0; round < 3; round++) {
		for (unsigned bits = 9; bits <= 15; bits++) {
			char offer[100];
			snprintf(offer, sizeof offer, "permessage-deflate; server_max_window_bits=%u", bits);
			agree(offer);
			send_one(STR("own"), text, &packed, STR("end"), true);
		}
	}
	expect_runs(7, 14);
}
END_TEST

START_TEST(who_agreed_to_nothing_gets_it_plain)
{
	struct ws_packed *packed = NULL;
	struct str text = letters(5000, 0);
	agree("permessage-deflate");
	send_one(STR("own"), text, &packed, STR(""), true);
	agree(NULL);
	ck_assert_uint_eq(send_one(STR("own"), text, &packed, STR("."), false), 4 + 3 + 5000 + 1);
	expect_runs(1, 0);
}
END_TEST

START_TEST(a_window_that_stays_sees_all)
{
	struct ws_packed *packed = NULL;
	struct str text = letters(5000, 0);
	agree("permessage-deflate");
	send_one(STR("own"), text, &packed, STR(""), true);
	options.deflate_takeover = true;
	agree("permessage-deflate");
	size_t first = send_one(STR("own"), text, &packed, STR("."), true);
	ck_assert_uint_lt(send_one(STR("own"), text, &packed, STR("."), true) * 2, first);
	expect_runs(3, 0);
}
END_TEST

START_TEST(what_does_not_shrink_is_not_packed)
{
	struct ws_packed *packed = NULL, *small = NULL;
	agree("permessage-deflate");
	send_one(STR("own"), noise(5000), &packed, STR("."), false);
	send_one(STR("own"), noise(5000), &packed, STR("."), false);
	/* Once for the text, and once for each message, which might have shrunk as a whole. */
	expect_runs(3, 0);
	send_one(STR("own"), letters(90, 0), &small, STR("."), false);
	expect_runs(3, 0);
	ck_assert_ptr_null(small);
}
END_TEST

START_TEST(many_texts_in_one_message)
{
	enum { TEXTS = 8 };
	struct ws_packed *packed[TEXTS] = {0};
	agree("permessage-deflate");
	for (int client = 0; client < 5; client++) {
		size_t start = ws_message_begin(&out);
		for (unsigned i = 0; i < TEXTS; i++) {
			add_own(i ? STR(",") : STR("["));
			add_shared(start, letters(50 + 200 * i, i), &packed[i]);
		}
		add_own(STR("]"));
		ws_message_end(stage.ws, &out, start, WS_TEXT);
		check_frame(true);
	}
	expect_runs(TEXTS - 1, 4 * (TEXTS - 1));
}
END_TEST

START_TEST(an_out_that_is_full_is_told)
{
	struct ws_packed *packed = NULL;
	struct buf small;
	agree("permessage-deflate");
	for (size_t limit = 1; limit < 150; limit += 7) {
		buf_init(&small, limit);
		size_t start = ws_message_begin(&small);
		buf_append(&small, "own", 3);
		ws_append_shared(stage.ws, &small, start, letters(5000, 0), &packed);
		buf_append(&small, ".", 1);
		ws_message_end(stage.ws, &small, start, WS_TEXT);
		ck_assert(buf_failed(&small));
		ck_assert_uint_eq(*ws_deflate_own(stage.ws), 0);
		buf_deinit(&small);
	}
	send_one(STR("own"), letters(5000, 0), &packed, STR("."), true);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_text_for_many_is_compressed_once);
	tcase_add_test(tests, whatever_stands_around_it);
	tcase_add_test(tests, two_windows_are_two_runs);
	tcase_add_test(tests, who_agreed_to_nothing_gets_it_plain);
	tcase_add_test(tests, a_window_that_stays_sees_all);
	tcase_add_test(tests, what_does_not_shrink_is_not_packed);
	tcase_add_test(tests, many_texts_in_one_message);
	tcase_add_test(tests, an_out_that_is_full_is_told);
}

int main(void)
{
	return run_tests("shared", add);
}
