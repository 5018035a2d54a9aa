/*
 * json_digits - a double as the shortest decimal that reads back as the same double.
 *
 * Private to core/json_*.c. Threads: [any].
 */
#ifndef CORE_JSON_DIGITS_H
#define CORE_JSON_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

struct json_digits {
	uint64_t digits; /* no trailing zero; at most 17 digits */
	int exponent;    /* the value is digits * 10^exponent */
};

/* positive must be finite and above 0. Of several shortest decimals the nearest, as ECMA-262 Number::toString asks. */
struct json_digits json_shortest_digits(double positive);

#endif
