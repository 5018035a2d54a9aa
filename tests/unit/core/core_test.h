/*
 * core_test - what the tests of core/ share: a seeded generator, values written as JSON, and a main of one line.
 */
#ifndef UNIT_CORE_TEST_H
#define UNIT_CORE_TEST_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <live/value.h>

#include "core/hash.h"
#include "core/str.h"

/* Runs the tests of a NULL-terminated list; what main returns. */
static inline int run_tests(const char *name, const TTest *const *tests)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create(name);
	tcase_set_timeout(all, 50);
	for (; *tests; tests++)
		tcase_add_test(all, *tests);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#define CORE_TESTS(name, ...)                                     \
	int main(void)                                            \
	{                                                         \
		const TTest *const tests[] = {__VA_ARGS__, NULL}; \
		return run_tests(name, tests);                    \
	}

/* ---- chance, repeatable: the seed is printed, and TEST_SEED sets it ---- */

/* The first thing that a test does: the order of maps follows from the seed, too. */
static inline uint64_t test_seed(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2654435761u + (uint64_t)clock();
	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	hash_seed(seed);
	return seed;
}

/* The next number of a sequence (SplitMix64, Steele et al. 2014). */
static inline uint64_t chance(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline uint64_t chance_below(uint64_t *state, uint64_t bound)
{
	return chance(state) % bound;
}

/* A random tree, at most depth levels deep. names: how many different keys there are. */
static inline const live_value *chance_value(uint64_t *state, unsigned depth, unsigned names)
{
	uint64_t kind = chance_below(state, depth ? 12 : 8);
	switch (kind) {
	case 0: return live_null();
	case 1: return live_bool(chance_below(state, 2));
	case 2:
	case 3: return live_int((int64_t)chance_below(state, 5));
	case 4: return live_int((int64_t)(chance(state) >> chance_below(state, 64)) % (INT64_C(1) << 53));
	case 5: return live_double((double)(int64_t)chance(state) / (double)(1 + chance_below(state, 1000)));
	case 6: return live_stringf("s%d", (int)chance_below(state, 4));
	case 7: return live_string(chance_below(state, 2) ? "\xc3\xa9\"\\\n\x01 \xf0\x9f\x98\x80" : "");
	default: break;
	}
	uint64_t len = chance_below(state, 5);
	const live_value *made = kind == 8 ? live_array(0, NULL) : live_object(NULL, NULL);
	for (uint64_t i = 0; i < len; i++) {
		char name[16];
		snprintf(name, sizeof name, "k%d", (int)chance_below(state, names));
		const live_value *child = chance_value(state, depth - 1, names);
		const live_value *grown = kind == 8 ? live_append(made, child) : live_with(made, name, child);
		live_value_unref(made);
		made = grown;
	}
	return made;
}

/* ---- values as text ---- */

static inline const live_value *parsed(const char *json)
{
	char error[200];
	const live_value *value = live_from_json(json, strlen(json), error, sizeof error);
	ck_assert_msg(value != NULL, "%s: %s", json, error);
	return value;
}

/* Fails unless value prints as json; takes value. */
static inline void assert_prints(const live_value *value, const char *json)
{
	char *text = live_to_json(value, NULL);
	ck_assert_str_eq(text, json);
	free(text);
	live_value_unref(value);
}

#endif
