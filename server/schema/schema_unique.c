/*
 * Are all items different? Few are compared each with each; many by a table of their hashes, which are keyed, so that
 * nobody can choose items that meet in it.
 */
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "server/schema/schema_check.h"

enum {
	FEW = 8,
	TABLE_COST = 8, /* of an item in the table, which lies in nobody's cache */
};

struct slot {
	uint64_t hash;
	const live_value *item; /* NULL: free */
};

/* The same for values that live_equal calls equal. The recursion is as deep as the value: at most 64. */
static uint64_t hash_value(struct check *check, const live_value *value)
{
	struct {
		uint64_t kind, a, b;
	} mixed = {live_value_type(value), 0, 0};
	double number;

	if (!check_spend(check, 1 + (live_bytes(value) ? live_len(value) / 16 : 0)))
		return 0;
	switch (live_value_type(value)) {
	case LIVE_NULL: break;
	case LIVE_BOOL: mixed.a = live_as_bool(value); break;
	case LIVE_INT:
	case LIVE_DOUBLE:
		mixed.kind = LIVE_DOUBLE;
		number = live_as_double(value, 0) + 0.0; /* -0 is 0 */
		memcpy(&mixed.a, &number, sizeof number);
		break;
	case LIVE_STRING:
	case LIVE_BINARY: mixed.a = hash_bytes(live_bytes(value), live_len(value)); break;
	case LIVE_ARRAY:
		for (live_iter it = {0}; live_next(value, &it);) {
			mixed.b = hash_value(check, it.value);
			mixed.a = hash_bytes(&mixed, sizeof mixed);
		}
		break;
	case LIVE_OBJECT: /* in any order */
		for (live_iter it = {0}; live_next(value, &it);) {
			uint64_t pair[2] = {hash_bytes(it.key, it.key_len), hash_value(check, it.value)};
			mixed.a += hash_bytes(pair, sizeof pair);
		}
		break;
	}
	return hash_bytes(&mixed, sizeof mixed);
}

static bool is_unique_few(struct check *check, const live_value *array)
{
	for (size_t i = 1; i < live_len(array); i++)
		for (size_t k = 0; k < i; k++)
			if (!check_spend(check, 1) || live_equal(live_at(array, i), live_at(array, k)))
				return false;
	return true;
}

bool check_unique(struct check *check, const live_value *array)
{
	size_t count = live_len(array);
	size_t size = 2 * FEW;
	bool unique = true;

	if (count <= FEW)
		return is_unique_few(check, array);
	if (!check_spend(check, TABLE_COST * count))
		return false;
	while (size < 2 * count)
		size *= 2;
	struct slot *table = mem_try_alloc(size * sizeof *table);
	check->is_over = !table;
	if (!table)
		return false;
	memset(table, 0, size * sizeof *table);
	for (live_iter it = {0}; unique && live_next(array, &it);) {
		uint64_t hash = hash_value(check, it.value);
		size_t at = hash & (size - 1);
		while (table[at].item && !(table[at].hash == hash && live_equal(table[at].item, it.value)))
			at = (at + 1) & (size - 1);
		unique = !table[at].item && !check->is_over;
		table[at] = (struct slot){hash, it.value};
	}
	free(table);
	return unique;
}
