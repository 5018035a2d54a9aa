#include "core/json_digits.h"

#include <string.h>

#include "core/json_powers.h"

/*
 * The shortest decimal that reads back as the same double, and of those the one nearest to it: Schubfach (Raffaello
 * Giulietti, "The Schubfach way to render doubles", 2020). In short: all decimals that round to c * 2^q lie between its
 * midpoints with its neighbours. Scaled by a power of ten so that the interval is between 2 and 20 wide, it holds at
 * most one multiple of ten, which is the shorter answer, or else at least one of the two integers around the value.
 * The scaled numbers carry two extra bits, and their last bit tells whether the true value lies above ("round to odd"),
 * which makes all comparisons exact.
 */

enum {
	SIGNIFICAND_BITS = 52,
	EXPONENT_BIAS = 1075, /* of the significand taken as an integer */
};

struct binary {
	uint64_t c; /* value = c * 2^q */
	int q;
	bool lower_closer; /* a power of two: the neighbour below is only half as far as the one above */
};

static struct binary take_apart(double positive)
{
	uint64_t bits;
	memcpy(&bits, &positive, sizeof bits);
	uint64_t fraction = bits & ((UINT64_C(1) << SIGNIFICAND_BITS) - 1);
	int exponent = (int)(bits >> SIGNIFICAND_BITS & 0x7ff);
	if (exponent == 0)
		return (struct binary){fraction, 1 - EXPONENT_BIAS, false};
	return (struct binary){
		.c = fraction | UINT64_C(1) << SIGNIFICAND_BITS,
		.q = exponent - EXPONENT_BIAS,
		.lower_closer = fraction == 0 && exponent > 1,
	};
}

/* The integer logarithms, by fixed point; exact for all exponents that a double has. */
static inline int floor_log2_of_power_of_10(int e)
{
	return (e * 1741647) >> 19;
}

static inline int floor_log10_of_power_of_2(int e)
{
	return (e * 1262611) >> 22;
}

static inline int floor_log10_of_three_quarters_power_of_2(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

/* power * cp / 2^128, rounded to odd. */
static inline uint64_t scale(struct json_power power, uint64_t cp)
{
	unsigned __int128 low = (unsigned __int128)power.low * cp;
	unsigned __int128 high = (unsigned __int128)power.high * cp + (uint64_t)(low >> 64);
	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct json_digits shortest(struct binary b)
{
	int k = b.lower_closer ? floor_log10_of_three_quarters_power_of_2(b.q) : floor_log10_of_power_of_2(b.q);
	int h = b.q + floor_log2_of_power_of_10(-k) + 1;
	struct json_power power = json_powers[-k - JSON_POWER_MIN];

	/* An even significand owns its midpoints: ties round to it. */
	uint64_t open = b.c & 1;
	uint64_t lower = scale(power, (4 * b.c - 2 + b.lower_closer) << h) + open;
	uint64_t value = scale(power, (4 * b.c) << h);
	uint64_t upper = scale(power, (4 * b.c + 2) << h) - open;

	uint64_t s = value / 4;
	if (s >= 10) {
		uint64_t tens = s / 10;
		bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
		if (below != above)
			return (struct json_digits){tens + above, k + 1};
	}
	bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
	if (below != above)
		return (struct json_digits){s + above, k};
	uint64_t middle = 4 * s + 2;
	bool up = value > middle || (value == middle && (s & 1));
	return (struct json_digits){s + up, k};
}

struct json_digits json_shortest_digits(double positive)
{
	struct json_digits digits = shortest(take_apart(positive));
	while (digits.digits % 10 == 0) {
		digits.digits /= 10;
		digits.exponent++;
	}
	return digits;
}
