#include "core/json_scan.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/value.h"

/*
 * Numbers as JavaScript reads them: the nearest double, ties to even. Most have few digits and are done with one exact
 * multiplication or division (Clinger, "How to read floating point numbers accurately", 1990); strtod does the rest.
 */

enum {
	EXACT_DIGITS = 19, /* a 64-bit integer holds any number of so many digits */
	EXACT_POWER = 22,  /* 10^22 is the last power of ten that a double holds */
	/* No double needs more digits to be told from its neighbours' midpoints than 767; what follows only matters as
	 * "not all zero". */
	MAX_DIGITS = 780,
};

/* A number's parts. Its value is the digits taken as an integer, times 10^exponent. */
struct parts {
	const char *start, *end; /* its text without the sign, up to the exponent */
	bool negative;
	bool is_integer;   /* neither fraction nor exponent */
	uint64_t mantissa; /* of all digits; meaningless when there are more than EXACT_DIGITS */
	size_t digits;
	int64_t exponent;
};

static inline bool is_digit(const char *at, const char *end)
{
	return at < end && (unsigned char)(*at - '0') < 10;
}

/* Reads digits into parts; how many, 0 for none. */
static inline size_t scan_digits(const char **at, const char *end, struct parts *parts)
{
	const char *start = *at;
	uint64_t mantissa = parts->mantissa;
	while (is_digit(*at, end))
		mantissa = mantissa * 10 + (uint64_t)(*(*at)++ - '0');
	parts->mantissa = mantissa;
	parts->digits += (size_t)(*at - start);
	return (size_t)(*at - start);
}

/* Reads what follows an 'e'. The value is held where it still outweighs any number of digits. */
static bool scan_exponent(const char **at, const char *end, struct parts *parts)
{
	bool negative = *at < end && **at == '-';
	int64_t exponent = 0;

	if (*at < end && (**at == '-' || **at == '+'))
		++*at;
	if (!is_digit(*at, end))
		return false;
	for (; is_digit(*at, end); ++*at) {
		if (exponent < INT64_C(10000000000))
			exponent = exponent * 10 + (**at - '0');
	}
	parts->exponent += negative ? -exponent : exponent;
	return true;
}

static const char *scan_parts(struct json_reader *reader, const char *at, struct parts *parts)
{
	const char *end = reader->end;

	*parts = (struct parts){.negative = *at == '-', .is_integer = true};
	at += parts->negative;
	parts->start = at;
	bool leading_zero = at < end && *at == '0';
	size_t whole = scan_digits(&at, end, parts);
	if (!whole)
		return json_refuse(reader, at, "bad number: a digit must follow '-'");
	if (leading_zero && whole > 1)
		return json_refuse(reader, parts->start + 1, "bad number: leading zero");
	if (at < end && *at == '.') {
		at++;
		size_t fraction = scan_digits(&at, end, parts);
		if (!fraction)
			return json_refuse(reader, at, "bad number: a digit must follow '.'");
		parts->exponent = -(int64_t)fraction;
		parts->is_integer = false;
	}
	parts->end = at;
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (!scan_exponent(&at, end, parts))
			return json_refuse(reader, at, "bad number: a digit must follow 'e'");
		parts->is_integer = false;
	}
	return at;
}

/*
 * The general case. The digits go to strtod as an integer with an exponent, so without a decimal point, which makes the
 * result independent of the locale; and never more of them than matter, so a peer cannot make it slow.
 */
static double slow_double(const struct parts *parts)
{
	char text[MAX_DIGITS + 32];
	size_t len = 0;
	int64_t exponent = parts->exponent;
	bool inexact = false;

	for (const char *at = parts->start; at < parts->end; at++) {
		if (*at == '.' || (len == 0 && *at == '0'))
			continue;
		if (len < MAX_DIGITS) {
			text[len++] = *at;
		} else {
			exponent++;
			inexact |= *at != '0';
		}
	}
	if (len == 0)
		return 0;
	if (inexact) {
		text[len++] = '1';
		exponent--;
	}
	/* Far outside of what a double holds; keeps the exponent's text short as well. */
	if (exponent + (int64_t)len > 400)
		return (double)INFINITY;
	if (exponent + (int64_t)len < -400)
		return 0;
	snprintf(text + len, sizeof text - len, "e%lld", (long long)exponent);
	return strtod(text, NULL);
}

static double to_double(const struct parts *parts)
{
	static const double powers[EXACT_POWER + 1] = {
		1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	};
	if (parts->digits <= EXACT_DIGITS) {
		if (parts->mantissa == 0)
			return 0;
		if (parts->exponent == 0)
			return (double)parts->mantissa;
#if FLT_EVAL_METHOD == 0
		if (parts->mantissa <= (uint64_t)VALUE_SAFE_INT) {
			double mantissa = (double)parts->mantissa;
			if (parts->exponent < 0 && parts->exponent >= -EXACT_POWER)
				return mantissa / powers[-parts->exponent];
			if (parts->exponent > 0 && parts->exponent <= EXACT_POWER)
				return mantissa * powers[parts->exponent];
		}
#endif
	}
	return slow_double(parts);
}

const char *json_scan_number(struct json_reader *reader, const char *at, struct json_number *number)
{
	struct parts parts;
	at = scan_parts(reader, at, &parts);
	if (!at)
		return NULL;
	bool fits = parts.mantissa <= (uint64_t)VALUE_SAFE_INT ||
		    (reader->limits.flags & JSON_WIDE_INTEGERS && parts.mantissa <= INT64_MAX);
	number->is_integer =
		parts.is_integer && parts.digits <= EXACT_DIGITS && fits && !(parts.negative && parts.mantissa == 0);
	if (number->is_integer) {
		number->integer = parts.negative ? -(int64_t)parts.mantissa : (int64_t)parts.mantissa;
	} else {
		double positive = to_double(&parts);
		number->number = parts.negative ? -positive : positive;
	}
	return at;
}

const char *json_skip_number(struct json_reader *reader, const char *at)
{
	struct parts parts;
	return scan_parts(reader, at, &parts);
}
