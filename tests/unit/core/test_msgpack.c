#include "core/msgpack.h"

#include <errno.h>

#include "core/mem.h"
#include "unit/core/core_test.h"

/* Bytes written as hexadecimal digits; the caller frees. */
static struct str unhex(const char *hex)
{
	size_t len = 0;
	char *bytes = mem_alloc_raw(strlen(hex) / 2 + 1);
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		unsigned byte;
		ck_assert_int_eq(sscanf(hex++, "%2x", &byte), 1);
		bytes[len++] = (char)byte;
	}
	/* Exactly as long as it is, for AddressSanitizer's eyes. */
	return (struct str){mem_realloc(bytes, len), len};
}

static void assert_bytes(const live_value *value, const char *hex)
{
	struct str expected = unhex(hex);
	struct buf buf;
	buf_init(&buf, 1 << 20);
	msgpack_write(&buf, value);
	ck_assert(!buf_failed(&buf));
	ck_assert_msg(str_equal(buf_str(&buf), expected), "%s", hex);
	const live_value *back;
	ck_assert_int_eq(msgpack_parse(&back, buf_str(&buf), 64), 0);
	ck_assert_msg(live_equal(back, value), "%s", hex);
	live_value_unref(back);
	live_value_unref(value);
	buf_deinit(&buf);
	free((char *)expected.ptr);
}

/* The examples of protocol.md section 13.2. */
START_TEST(protocol_examples)
{
	assert_bytes(live_object("user", live_string("ana"), "n", live_int(300), NULL),
		     "82 a475736572 a3616e61 a16e cd012c");
	assert_bytes(live_object("subscriberId", live_string("Zz12_-Qx"), "count", live_int(2), NULL),
		     "82 ac737562736372696265724964 a85a7a31325f2d5178 a5636f756e74 02");
	assert_bytes(parsed("{\"state\":{\"topic\":\"hi\",\"temp\":-1.5,\"old\":null}}"),
		     "81 a57374617465 83 a5746f706963 a26869 a474656d70 cbbff8000000000000 a36f6c64 c0");
	static const struct {
		int64_t number;
		const char *hex;
	} ints[] = {
		{0, "00"},
		{127, "7f"},
		{128, "cc80"},
		{255, "ccff"},
		{256, "cd0100"},
		{65535, "cdffff"},
		{65536, "ce00010000"},
		{4294967295, "ceffffffff"},
		{4294967296, "cb41f0000000000000"},
		{-1, "ff"},
		{-32, "e0"},
		{-33, "d0df"},
		{-128, "d080"},
		{-129, "d1ff7f"},
		{-32768, "d18000"},
		{-32769, "d2ffff7fff"},
		{-2147483648, "d280000000"},
		{-2147483649, "cbc1e0000000200000"},
	};
	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
		assert_bytes(live_int(ints[i].number), ints[i].hex);
}
END_TEST

START_TEST(other_types)
{
	assert_bytes(live_null(), "c0");
	assert_bytes(live_bool(false), "c2");
	assert_bytes(live_bool(true), "c3");
	assert_bytes(live_double(0.5), "cb3fe0000000000000");
	assert_bytes(live_double(-0.0), "cb8000000000000000");
	assert_bytes(live_string(""), "a0");
	assert_bytes(live_array(0, NULL), "90");
	assert_bytes(live_object(NULL, NULL), "80");
	assert_bytes(live_object("", live_null(), NULL), "81a0c0");
	assert_bytes(live_binary("\1\2\3", 3), "c403010203");
	assert_bytes(live_binary("", 0), "c400");
	assert_bytes(parsed("[[[]],{\"a\":[{}]}]"), "92 9190 81 a161 9180");
}
END_TEST

static void assert_reads(const char *hex, const char *json)
{
	struct str bytes = unhex(hex);
	const live_value *value;
	ck_assert_msg(msgpack_parse(&value, bytes, 64) == 0, "%s", hex);
	assert_prints(value, json);
	free((char *)bytes.ptr);
}

START_TEST(reads_what_it_never_writes)
{
	assert_reads("ca3fc00000", "1.5");
	assert_reads("cf000000000000000a", "10");
	assert_reads("cfffffffffffffffff", "18446744073709552000");
	assert_reads("d3ffffffffffffffff", "-1");
	assert_reads("d3 8000000000000000", "-9223372036854775808");
	assert_reads("cb4024000000000000", "10");
	assert_reads("cc05", "5");
	assert_reads("ce00000005", "5");
	assert_reads("d9 01 61", "\"a\"");
	assert_reads("da 0001 61", "\"a\"");
	assert_reads("db 00000001 61", "\"a\"");
	assert_reads("d900", "\"\"");
	assert_reads("c5 0001 ff", "\"/w==\"");
	assert_reads("c6 00000001 ff", "\"/w==\"");
	assert_reads("dc 0002 01 02", "[1,2]");
	assert_reads("dd 00000002 01 02", "[1,2]");
	assert_reads("de 0001 a161 01", "{\"a\":1}");
	assert_reads("df 00000001 a161 01", "{\"a\":1}");
	assert_reads("dd 00000000", "[]");
	assert_reads("83 a161 01 a162 02 a161 03", "{\"a\":3,\"b\":2}");
	assert_reads("83 05 01 ff 02 d3000000000000000a 03", "{\"5\":1,\"-1\":2,\"10\":3}");
}
END_TEST

START_TEST(refused)
{
	static const char *const rows[] = {
		"",
		"c1",
		"c0c0",
		"91",
		"9101 02",
		"92 01",
		"81 a161",
		"82 a161 01",
		"81 c0 01",
		"81 90 01",
		"81 9101 01",
		"81 81a16101 01",
		"81 91",
		"81 c401ff 01",
		"81 cb3fe0000000000000 01",
		"a2 61",
		"a1 ff",
		"a3 eda080",
		"d9",
		"d905 61",
		"c4ff 00",
		"ca 3fc000",
		"cb 3fe00000000000",
		"cd 01",
		"d4 00 00",
		"d8 00 00000000000000000000000000000000",
		"c7 00 00",
		"c7 01 00 00",
		"c9 ffffffff 00",
		"92 01 d40000",
		/* Claims that would be gigabytes. */
		"dd ffffffff",
		"df ffffffff",
		"db ffffffff",
		"c6 ffffffff",
		"dd ffffffff 01 02 03",
		"dd ffffffff dd ffffffff dd ffffffff",
		"df ffffffff a161 df ffffffff a162 01",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str bytes = unhex(rows[i]);
		const live_value *value;
		ck_assert_msg(msgpack_parse(&value, bytes, 64) == -EINVAL, "%s", rows[i]);
		ck_assert_ptr_null(value);
		free((char *)bytes.ptr);
	}
}
END_TEST

static int parse_nested(unsigned depth, unsigned max_depth, bool closed)
{
	char bytes[300];
	const live_value *value;
	memset(bytes, '\x91', depth);
	bytes[depth - 1] = closed ? '\x90' : '\x91';
	bytes[depth] = '\xc0';
	int rc = msgpack_parse(&value, (struct str){bytes, closed ? depth : depth + 1}, max_depth);
	live_value_unref(value);
	return rc;
}

START_TEST(depth_is_limited)
{
	for (int closed = 0; closed < 2; closed++) {
		ck_assert_int_eq(parse_nested(1, 1, closed), 0);
		ck_assert_int_eq(parse_nested(1, 0, closed), -E2BIG);
		ck_assert_int_eq(parse_nested(2, 1, closed), -E2BIG);
		ck_assert_int_eq(parse_nested(64, 64, closed), 0);
		ck_assert_int_eq(parse_nested(65, 64, closed), -E2BIG);
		ck_assert_int_eq(parse_nested(200, 1000, closed), -E2BIG);
	}
}
END_TEST

START_TEST(lone_surrogates_become_well_formed)
{
	const live_value *value = parsed("{\"\\ud800\":\"a\\udc00\"}");
	struct buf buf;
	buf_init(&buf, 1000);
	msgpack_write(&buf, value);
	const live_value *back;
	ck_assert_int_eq(msgpack_parse(&back, buf_str(&buf), 64), 0);
	assert_prints(back, "{\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
	live_value_unref(value);
	buf_deinit(&buf);
}
END_TEST

START_TEST(limit_of_the_buffer)
{
	const live_value *value = parsed("{\"a\":[1,2,\"three\"]}");
	struct buf buf;
	buf_init(&buf, 8);
	msgpack_write(&buf, value);
	ck_assert(buf_failed(&buf));
	live_value_unref(value);
	buf_deinit(&buf);
}
END_TEST

START_TEST(round_trips)
{
	uint64_t seed = test_seed();
	for (int round = 0; round < 3000; round++) {
		const live_value *value = chance_value(&seed, 5, 20), *back;
		struct buf buf;
		buf_init(&buf, 1 << 20);
		msgpack_write(&buf, value);
		ck_assert_int_eq(msgpack_parse(&back, buf_str(&buf), 64), 0);
		ck_assert(live_equal(value, back));
		live_value_unref(back);
		for (size_t cut = 0; cut < buf.len; cut += 1 + buf.len / 50)
			ck_assert_int_eq(msgpack_parse(&back, (struct str){buf.ptr, cut}, 64), -EINVAL);
		live_value_unref(value);
		buf_deinit(&buf);
	}
}
END_TEST

/* More items than the stack keeps in place, and sizes on both sides of each form. */
START_TEST(sizes)
{
	static const size_t lens[] = {15, 16, 31, 32, 100, 255, 256, 65535, 65536};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		char *text = mem_alloc(lens[i] + 1);
		const live_value **items = mem_alloc(lens[i] * sizeof *items);
		memset(text, 'x', lens[i]);
		const live_value *string = live_string(text), *binary = live_binary(text, lens[i]);
		const live_value *value = live_array_of(string, binary, live_array(lens[i], items),
							live_object(text, NULL, NULL), LIVE_END);
		struct buf buf;
		buf_init(&buf, 1 << 20);
		msgpack_write(&buf, value);
		const live_value *back;
		ck_assert_int_eq(msgpack_parse(&back, buf_str(&buf), 64), 0);
		ck_assert(live_equal(value, back));
		live_value_unref(value);
		live_value_unref(back);
		buf_deinit(&buf);
		free(items);
		free(text);
	}
}
END_TEST

CORE_TESTS("msgpack", protocol_examples, other_types, reads_what_it_never_writes, refused, depth_is_limited,
	   lone_surrogates_become_well_formed, limit_of_the_buffer, round_trips, sizes)
