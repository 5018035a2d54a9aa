#include "core/json.h"

#include <math.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/json_digits.h"
#include "core/json_scan.h"
#include "core/value_walk.h"

/* ---- strings ---- */

/* The first byte from at on that cannot be written as it is: what a reader stops at, but for sequences that are not
 * ASCII, of which only those that may be surrogates (ED ...) matter. */
static const char *verbatim_end(const char *at, const char *end)
{
	for (;;) {
		at = json_plain_end(at, end);
		if (at == end || (unsigned char)*at < 0x80 || *at == '\xed')
			return at;
		while (at < end && (unsigned char)*at >= 0x80 && *at != '\xed')
			at++;
	}
}

/* Writes the escape for the byte or surrogate at at to to (12 bytes of room); *len is how long the escape is. Returns
 * the bytes of at that it stands for. */
static size_t escape(char *to, size_t *len, const char *at, const char *end)
{
	static const char hex[16] = "0123456789abcdef";
	static const char short_forms[] = "btn?fr"; /* from 0x08 on */
	unsigned char byte = (unsigned char)*at;

	*len = 2;
	to[0] = '\\';
	if (byte == '"' || byte == '\\') {
		to[1] = *at;
		return 1;
	}
	if (byte >= '\b' && byte <= '\r' && byte != '\v') {
		to[1] = short_forms[byte - '\b'];
		return 1;
	}
	unsigned unit = byte;
	size_t taken = 1;
	if (byte == 0xed) {
		bool surrogate = end - at >= 3 && (unsigned char)at[1] >= 0xa0;
		if (!surrogate) {
			to[0] = *at;
			*len = 1;
			return 1;
		}
		unit = 0xd000u | ((unsigned)at[1] & 0x3f) << 6 | ((unsigned)at[2] & 0x3f);
		taken = 3;
	}
	to[1] = 'u';
	for (int i = 0; i < 4; i++)
		to[2 + i] = hex[unit >> (12 - 4 * i) & 15];
	*len = 6;
	return taken;
}

/* Whether any of eight bytes might need a look; bytes that are not ASCII count, and so may one above a true find. */
static inline bool any_odd(uint64_t bytes)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	uint64_t quotes = bytes ^ (ones * '"'), backslashes = bytes ^ (ones * '\\');
	return ((quotes - ones) | (backslashes - ones) | (bytes - ones * ' ') | bytes) & highs;
}

/* Copies s, of at most 16 bytes, in two halves that overlap, or not at all where a byte needs a look. */
static inline bool copy_short(char *to, struct str s)
{
	if (s.len >= 8) {
		uint64_t first, last;
		memcpy(&first, s.ptr, 8);
		memcpy(&last, s.ptr + s.len - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + s.len - 8, &last, 8);
		return !any_odd(first) && !any_odd(last);
	}
	if (s.len >= 4) {
		uint32_t first, last;
		memcpy(&first, s.ptr, 4);
		memcpy(&last, s.ptr + s.len - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + s.len - 4, &last, 4);
		return !any_odd((uint64_t)first << 32 | last);
	}
	uint64_t seen = 0x2020202020202020;
	for (size_t i = 0; i < s.len; i++) {
		to[i] = s.ptr[i];
		seen = seen << 8 | (unsigned char)s.ptr[i];
	}
	return !any_odd(seen);
}

/* Writes s, quotes included, and returns the place after it; NULL when it needs a look. to has room for it. */
static inline char *write_plain(char *to, struct str s)
{
	*to++ = '"';
	if (s.len <= 16) {
		if (!copy_short(to, s))
			return NULL;
	} else {
		if (verbatim_end(s.ptr, s.ptr + s.len) != s.ptr + s.len)
			return NULL;
		memcpy(to, s.ptr, s.len);
	}
	to += s.len;
	*to++ = '"';
	return to;
}

/* Any string, piece by piece. */
static void write_escaped(struct buf *to, struct str s)
{
	const char *at = s.ptr, *end = s.ptr + s.len;

	buf_append_char(to, '"');
	while (at < end) {
		const char *stop = verbatim_end(at, end);
		buf_append(to, at, (size_t)(stop - at));
		if (stop == end)
			break;
		char escaped[6];
		size_t len;
		at = stop + escape(escaped, &len, stop, end);
		buf_append(to, escaped, len);
	}
	buf_append_char(to, '"');
}

/* Room for want bytes, or NULL when there is not so much, which need not be an error: then the exact way is taken. */
static inline char *spare(struct buf *to, size_t want)
{
	if (to->failed || (to->cap - to->len < want && !buf_try_reserve(to, want)))
		return NULL;
	return to->ptr + to->len;
}

void json_write_string(struct buf *to, struct str s)
{
	char *at = spare(to, s.len + 2);
	char *end = at ? write_plain(at, s) : NULL;
	if (end)
		to->len = (size_t)(end - to->ptr);
	else
		write_escaped(to, s);
}

/* ---- numbers ---- */

enum { DIGITS_MAX = 20 };

/* Writes number so that it ends before end; returns where it starts. */
static char *digits_before(char *end, uint64_t number)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142"
		"434445464748495051525354555657585960616263646566676869707172737475767778798081828384"
		"8586878889909192939495969798"
		"99";
	while (number >= 100) {
		end -= 2;
		memcpy(end, pairs + number % 100 * 2, 2);
		number /= 100;
	}
	if (number >= 10) {
		end -= 2;
		memcpy(end, pairs + number * 2, 2);
	} else {
		*--end = (char)('0' + number);
	}
	return end;
}

void json_write_int(struct buf *to, long long number)
{
	char text[DIGITS_MAX + 1], *end = text + sizeof text;
	uint64_t positive = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char *start = digits_before(end, positive);
	if (number < 0)
		*--start = '-';
	buf_append(to, start, (size_t)(end - start));
}

/* A decimal number's text being made: at most "-0.000001" before 17 digits, or 21 digits, or 17 and an exponent. */
struct number_text {
	size_t len;
	char bytes[40];
};

static void put(struct number_text *text, const char *bytes, size_t len)
{
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

static void put_zeros(struct number_text *text, int count)
{
	memset(text->bytes + text->len, '0', (size_t)count);
	text->len += (size_t)count;
}

static void put_exponent(struct number_text *text, int exponent)
{
	char digits[DIGITS_MAX], *end = digits + sizeof digits;
	char *start = digits_before(end, (uint64_t)abs(exponent));
	put(text, exponent < 0 ? "e-" : "e+", 2);
	put(text, start, (size_t)(end - start));
}

/* ECMA-262 Number::toString, radix 10: k digits, of which n stand before the point. */
static void format(struct number_text *text, const char *digits, int k, int n)
{
	if (k <= n && n <= 21) {
		put(text, digits, (size_t)k);
		put_zeros(text, n - k);
	} else if (0 < n && n <= 21) {
		put(text, digits, (size_t)n);
		put(text, ".", 1);
		put(text, digits + n, (size_t)(k - n));
	} else if (-6 < n && n <= 0) {
		put(text, "0.", 2);
		put_zeros(text, -n);
		put(text, digits, (size_t)k);
	} else {
		put(text, digits, 1);
		if (k > 1) {
			put(text, ".", 1);
			put(text, digits + 1, (size_t)(k - 1));
		}
		put_exponent(text, n - 1);
	}
}

/* Most fractions that people make have at most three decimals. n / 1000 is correctly rounded, and with no more than 15
 * digits no other decimal of so many rounds to the same double: then it is the shortest. */
static bool few_decimals(double positive, struct json_digits *digits)
{
	if (positive >= 1e12 || positive < 1e-3)
		return false;
	uint64_t n = (uint64_t)(positive * 1000 + 0.5);
	if ((double)n / 1000 != positive)
		return false;
	int exponent = -3;
	for (; n % 10 == 0; n /= 10)
		exponent++;
	*digits = (struct json_digits){n, exponent};
	return true;
}

void json_write_double(struct buf *to, double number)
{
	if (!isfinite(number)) {
		buf_append_str(to, STR("null"));
		return;
	}
	double positive = fabs(number);
	if (positive < (double)VALUE_SAFE_INT && positive == (double)(int64_t)positive) {
		json_write_int(to, (long long)number);
		return;
	}
	struct json_digits shortest;
	if (!few_decimals(positive, &shortest))
		shortest = json_shortest_digits(positive);
	char digits[DIGITS_MAX], *end = digits + sizeof digits;
	char *start = digits_before(end, shortest.digits);
	struct number_text text = {0};
	if (number < 0)
		put(&text, "-", 1);
	format(&text, start, (int)(end - start), (int)(end - start) + shortest.exponent);
	buf_append(to, text.bytes, text.len);
}

/* ---- trees ---- */

static void write_base64(struct buf *to, struct str bytes)
{
	buf_append_char(to, '"');
	base64_encode(to, bytes);
	buf_append_char(to, '"');
}

/* Writes value unless it is a container that is not empty: then its opening bracket, and true. */
static bool write_head(struct buf *to, const live_value *value)
{
	switch ((live_type)value->type) {
	case LIVE_NULL: buf_append_str(to, STR("null")); break;
	case LIVE_BOOL: buf_append_str(to, value->boolean ? STR("true") : STR("false")); break;
	case LIVE_INT: json_write_int(to, value->integer); break;
	case LIVE_DOUBLE: json_write_double(to, value->number); break;
	case LIVE_STRING: json_write_string(to, value_str(value)); break;
	case LIVE_BINARY: write_base64(to, value_str(value)); break;
	case LIVE_ARRAY: buf_append_str(to, value->len ? STR("[") : STR("[]")); return value->len;
	case LIVE_OBJECT: buf_append_str(to, value->len ? STR("{") : STR("{}")); return value->len;
	}
	return false;
}

/* Writes a member's name and its colon, after a comma unless it is the first. */
static inline void write_name(struct buf *to, struct str name, bool comma)
{
	char *at = spare(to, name.len + 4);
	if (at) {
		*at = ',';
		char *end = write_plain(at + comma, name);
		if (end) {
			*end++ = ':';
			to->len = (size_t)(end - to->ptr);
			return;
		}
	}
	if (comma)
		buf_append_char(to, ',');
	write_escaped(to, name);
	buf_append_char(to, ':');
}

/* The next child of the innermost container, its comma and its name written; NULL when the container is closed. */
static const live_value *next_child(struct buf *to, struct value_walk *walk)
{
	struct value_level *level = value_walk_top(walk);
	const live_value *container = level->container;
	bool object = container->type == LIVE_OBJECT;

	if (level->next == container->len) {
		buf_append_char(to, object ? '}' : ']');
		walk->depth--;
		return NULL;
	}
	size_t at = level->next++;
	if (!object) {
		if (at)
			buf_append_char(to, ',');
		return value_items(container)[at];
	}
	const struct value_member *member = value_members(container) + at;
	write_name(to, value_key(container, member), at > 0);
	return member->value;
}

void json_write(struct buf *to, const live_value *value)
{
	struct value_walk walk;

	value_walk_init(&walk);
	value = value_or_null(value);
	if (write_head(to, value))
		value_walk_enter(&walk, value);
	while (walk.depth && !buf_failed(to)) {
		const live_value *child = next_child(to, &walk);
		if (child && write_head(to, child))
			value_walk_enter(&walk, child);
	}
	value_walk_deinit(&walk);
}
