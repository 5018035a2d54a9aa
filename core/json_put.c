#include "core/json_put.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_digits.h"
#include "core/value.h"

/* ---- integers ---- */

/* How many decimal digits number has, at least 1. */
static inline unsigned count_digits(uint64_t number)
{
	static const uint64_t powers[20] = {
		0, /* so that 0 has one digit */
		UINT64_C(10),
		UINT64_C(100),
		UINT64_C(1000),
		UINT64_C(10000),
		UINT64_C(100000),
		UINT64_C(1000000),
		UINT64_C(10000000),
		UINT64_C(100000000),
		UINT64_C(1000000000),
		UINT64_C(10000000000),
		UINT64_C(100000000000),
		UINT64_C(1000000000000),
		UINT64_C(10000000000000),
		UINT64_C(100000000000000),
		UINT64_C(1000000000000000),
		UINT64_C(10000000000000000),
		UINT64_C(100000000000000000),
		UINT64_C(1000000000000000000),
		UINT64_C(10000000000000000000),
	};
	/* 1233 / 4096 is a little more than log10 of 2: the guess from the bits is right or one too few. */
	unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
	unsigned guess = bits * 1233 >> 12;
	return guess + (number >= powers[guess]);
}

/* Puts number's digits, two at a time from the last; returns the place after them. */
static inline char *put_digits(char *to, uint64_t number)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char *end = to + count_digits(number), *at = end;
	for (; number >= 100; number /= 100) {
		at -= 2;
		memcpy(at, pairs + number % 100 * 2, 2);
	}
	if (number >= 10)
		memcpy(to, pairs + number * 2, 2);
	else
		*to = (char)('0' + number);
	return end;
}

char *json_put_int(char *to, int64_t number)
{
	*to = '-';
	to += number < 0;
	return put_digits(to, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* ---- fractions ---- */

static char *put_bytes(char *to, const char *bytes, int len)
{
	memcpy(to, bytes, (size_t)len);
	return to + len;
}

static char *put_zeros(char *to, int count)
{
	memset(to, '0', (size_t)count);
	return to + count;
}

/* ECMA-262 Number::toString, radix 10: k digits, of which n stand before the point. */
static char *put_decimal(char *to, const char *digits, int k, int n)
{
	if (k <= n && n <= 21) {
		to = put_bytes(to, digits, k);
		return put_zeros(to, n - k);
	}
	if (0 < n && n <= 21) {
		to = put_bytes(to, digits, n);
		*to++ = '.';
		return put_bytes(to, digits + n, k - n);
	}
	if (-6 < n && n <= 0) {
		to = put_bytes(to, "0.", 2);
		to = put_zeros(to, -n);
		return put_bytes(to, digits, k);
	}
	*to++ = digits[0];
	if (k > 1) {
		*to++ = '.';
		to = put_bytes(to, digits + 1, k - 1);
	}
	to = put_bytes(to, n - 1 < 0 ? "e-" : "e+", 2);
	return put_digits(to, (uint64_t)abs(n - 1));
}

/*
 * Puts a fraction of at most three decimals, as most are that people make; NULL when it is none. n / 1000 is correctly
 * rounded, and with no more than 15 digits no other decimal of so many rounds to the same double: then it is the
 * shortest.
 */
static char *put_thousandths(char *to, double positive)
{
	if (positive >= 1e12 || positive < 1e-3)
		return NULL;
	uint64_t n = (uint64_t)(positive * 1000 + 0.5);
	if ((double)n / 1000 != positive)
		return NULL;
	unsigned decimals = (unsigned)(n % 1000);
	to = put_digits(to, n / 1000);
	to[0] = '.';
	to[1] = (char)('0' + decimals / 100);
	to[2] = (char)('0' + decimals / 10 % 10);
	to[3] = (char)('0' + decimals % 10);
	to += 4;
	while (to[-1] == '0')
		to--;
	return to;
}

char *json_put_double(char *to, double number)
{
	if (!isfinite(number))
		return put_bytes(to, "null", 4);
	double positive = fabs(number);
	if (positive < (double)VALUE_SAFE_INT && positive == (double)(int64_t)positive)
		return json_put_int(to, (int64_t)number);
	*to = '-';
	to += number < 0;
	char *end = put_thousandths(to, positive);
	if (end)
		return end;
	struct json_digits shortest = json_shortest_digits(positive);
	char digits[20];
	int count = (int)(put_digits(digits, shortest.digits) - digits);
	return put_decimal(to, digits, count, count + shortest.exponent);
}
