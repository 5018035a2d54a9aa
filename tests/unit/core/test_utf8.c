#include "core/utf8.h"

#include <errno.h>

#include "core/base64.h"
#include "unit/core/core_test.h"

/* The plain rule, one code point at a time, to compare with. */
static bool plain_check(const unsigned char *at, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t count = at[i] < 0x80 ? 0 : at[i] >> 5 == 6 ? 1 : at[i] >> 4 == 14 ? 2 : at[i] >> 3 == 30 ? 3 : 4;
		static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
		if (count > 3 || i + count >= len)
			return false;
		uint32_t point = count ? at[i] & (0x3fu >> count) : at[i];
		for (size_t k = 1; k <= count; k++) {
			if (at[i + k] >> 6 != 2)
				return false;
			point = point << 6 | (at[i + k] & 0x3f);
		}
		if (point < smallest[count] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += count + 1;
	}
	return true;
}

static bool in_pieces(const unsigned char *bytes, size_t len, size_t piece)
{
	struct utf8_state state = {0};
	for (size_t at = 0; at < len; at += piece) {
		size_t rest = len - at < piece ? len - at : piece;
		if (!utf8_state_feed(&state, (struct str){(const char *)bytes + at, rest}))
			return false;
	}
	return utf8_state_complete(&state);
}

static void assert_same(const unsigned char *bytes, size_t len)
{
	bool expected = plain_check(bytes, len);
	ck_assert_int_eq(utf8_check((struct str){(const char *)bytes, len}), expected);
	for (size_t piece = 1; piece <= 5; piece++)
		ck_assert_int_eq(in_pieces(bytes, len, piece), expected);
}

START_TEST(every_start)
{
	/* All combinations of the bytes where something changes. */
	static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
					      0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
	enum { EDGES = sizeof edges };
	for (unsigned n = 0; n < EDGES * EDGES * EDGES * EDGES; n++) {
		unsigned char bytes[4] = {edges[n % EDGES], edges[n / EDGES % EDGES], edges[n / EDGES / EDGES % EDGES],
					  edges[n / EDGES / EDGES / EDGES]};
		bool expected = plain_check(bytes, 4);
		ck_assert_int_eq(utf8_check((struct str){(const char *)bytes, 4}), expected);
		ck_assert_int_eq(in_pieces(bytes, 4, 1), expected);
	}
}
END_TEST

START_TEST(random_bytes)
{
	static const char *const parts[] = {"a",
					    "plain ascii text of some length",
					    "\xc3\xa9",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80",
					    "\xed\x9f\xbf",
					    "\xf4\x8f\xbf\xbf"};
	uint64_t seed = test_seed();
	for (int round = 0; round < 20000; round++) {
		unsigned char bytes[300];
		size_t len = 0;
		while (len < 100 && chance_below(&seed, 8)) {
			const char *part = parts[chance_below(&seed, sizeof parts / sizeof *parts)];
			memcpy(bytes + len, part, strlen(part));
			len += strlen(part);
		}
		if (len && chance_below(&seed, 2))
			bytes[chance_below(&seed, len)] = (unsigned char)chance(&seed);
		assert_same(bytes, len - (len && !chance_below(&seed, 4)));
	}
}
END_TEST

START_TEST(broken_stays_broken)
{
	struct utf8_state state = {0};
	ck_assert(utf8_state_feed(&state, STR("ok\xe2")));
	ck_assert(!utf8_state_complete(&state));
	/* It is told at the first byte that cannot be, not at the end of the sequence. */
	ck_assert(!utf8_state_feed(&state, STR("x")));
	ck_assert(!utf8_state_feed(&state, STR("")));
	ck_assert(!utf8_state_feed(&state, STR("fine")));
	ck_assert(!utf8_state_complete(&state));
	state = (struct utf8_state){0};
	ck_assert(utf8_state_feed(&state, STR("fine")));
	ck_assert(utf8_state_complete(&state));
	ck_assert(utf8_state_feed(&state, STR("\xe2\x82")));
	ck_assert(utf8_state_feed(&state, STR("\xac")));
	ck_assert(utf8_state_complete(&state));
}
END_TEST

START_TEST(repairs)
{
	/* The Unicode Standard, tables 3-8 to 3-11. */
	static const struct {
		const char *broken, *repaired;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "????????A"},
		{"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "????????A"},
		{"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "?????A??B"},
		{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "????A"},
		{"end\xf0\x9f\x98", "end?"},
		{"\xc3\xa9\xc3", "\xc3\xa9?"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf, expected;
		buf_init(&buf, 1000);
		buf_init(&expected, 1000);
		for (const char *c = rows[i].repaired; *c; c++)
			*c == '?' ? buf_append_str(&expected, STR("\xef\xbf\xbd")) : buf_append_char(&expected, *c);
		utf8_append_repaired(&buf, str_of(rows[i].broken));
		ck_assert(str_equal(buf_str(&buf), buf_str(&expected)));
		buf_deinit(&buf);
		buf_deinit(&expected);
	}
}
END_TEST

START_TEST(sequences)
{
	ck_assert_uint_eq(utf8_sequence(STR("a")), 1);
	ck_assert_uint_eq(utf8_sequence(STR("\xc3\xa9z")), 2);
	ck_assert_uint_eq(utf8_sequence(STR("\xe2\x82\xac")), 3);
	ck_assert_uint_eq(utf8_sequence(STR("\xf0\x9f\x98\x80")), 4);
	ck_assert_uint_eq(utf8_sequence(STR("\xf0\x9f\x98")), 0);
	ck_assert_uint_eq(utf8_sequence(STR("\x80")), 0);
	ck_assert_uint_eq(utf8_sequence(STR("")), 0);
}
END_TEST

START_TEST(units_of_utf16)
{
	ck_assert_uint_eq(utf8_units(STR("")), 0);
	ck_assert_uint_eq(utf8_units(STR("plain")), 5);
	ck_assert_uint_eq(utf8_units(STR("\xc3\xa9\xe2\x82\xac")), 2);
	ck_assert_uint_eq(utf8_units(STR("a\xf0\x9f\x98\x80z")), 4);
}
END_TEST

START_TEST(base64_known)
{
	/* RFC 4648 section 10. */
	static const char *const rows[][2] = {{"", ""},
					      {"f", "Zg=="},
					      {"fo", "Zm8="},
					      {"foo", "Zm9v"},
					      {"foob", "Zm9vYg=="},
					      {"fooba", "Zm9vYmE="},
					      {"foobar", "Zm9vYmFy"},
					      {"\xff\xfe\xfd", "//79"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		base64_encode(&buf, str_of(rows[i][0]));
		ck_assert(str_equal(buf_str(&buf), str_of(rows[i][1])));
		buf_reset(&buf, 100);
		ck_assert_int_eq(base64_decode(&buf, str_of(rows[i][1])), 0);
		ck_assert(str_equal(buf_str(&buf), str_of(rows[i][0])));
		buf_deinit(&buf);
	}
}
END_TEST

START_TEST(base64_refused)
{
	static const char *const rows[] = {"Z",    "Zg",   "Zg=",  "Zg===",    "Zh==", "Zm9=",  "Zm9v\n",     "Zm 9v",
					   "====", "=Zg=", "Z===", "Zg==Zg==", "Zm-_", "Zm9v=", "Zm\xc3\xa9", "Zg=a"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		buf_append_str(&buf, STR("x"));
		ck_assert_msg(base64_decode(&buf, str_of(rows[i])) == -EINVAL, "%s", rows[i]);
		ck_assert(str_equal(buf_str(&buf), STR("x")));
		buf_deinit(&buf);
	}
}
END_TEST

START_TEST(base64_round_trip)
{
	uint64_t seed = test_seed();
	for (size_t len = 0; len < 200; len++) {
		char bytes[200];
		struct buf text, back;
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)chance(&seed);
		buf_init(&text, base64_encoded_len(len));
		buf_init(&back, len);
		base64_encode(&text, (struct str){bytes, len});
		ck_assert_uint_eq(text.len, base64_encoded_len(len));
		ck_assert_int_eq(base64_decode(&back, buf_str(&text)), 0);
		ck_assert(str_equal(buf_str(&back), (struct str){bytes, len}));
		buf_deinit(&text);
		buf_deinit(&back);
	}
	struct buf small;
	buf_init(&small, 2);
	ck_assert_int_eq(base64_decode(&small, STR("Zm9v")), -ENOSPC);
	buf_deinit(&small);
}
END_TEST

CORE_TESTS("utf8", every_start, random_bytes, broken_stays_broken, repairs, sequences, units_of_utf16, base64_known,
	   base64_refused, base64_round_trip)
