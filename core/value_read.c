#include "core/value.h"

#include <math.h>
#include <string.h>

#include "core/value_walk.h"

live_type live_value_type(const live_value *value)
{
	return value ? (live_type)value->type : LIVE_NULL;
}

bool live_is_null(const live_value *value)
{
	return !value || value->type == LIVE_NULL;
}

bool live_as_bool(const live_value *value)
{
	return value_is(value, LIVE_BOOL) && value->boolean;
}

int64_t live_as_int(const live_value *value, int64_t fallback)
{
	if (value_is(value, LIVE_INT))
		return value->integer;
	if (!value_is(value, LIVE_DOUBLE) || isnan(value->number))
		return fallback;
	/* 2^63 itself is a double, INT64_MAX is not. */
	if (value->number >= 0x1p63)
		return INT64_MAX;
	return value->number <= -0x1p63 ? INT64_MIN : (int64_t)value->number;
}

double live_as_double(const live_value *value, double fallback)
{
	if (value_is(value, LIVE_INT))
		return (double)value->integer;
	return value_is(value, LIVE_DOUBLE) ? value->number : fallback;
}

const char *live_as_string(const live_value *value)
{
	return value_is(value, LIVE_STRING) ? value_bytes(value) : NULL;
}

size_t live_len(const live_value *value)
{
	return value && value->type >= LIVE_STRING ? value->len : 0;
}

const void *live_bytes(const live_value *value)
{
	return value_is(value, LIVE_STRING) || value_is(value, LIVE_BINARY) ? value_bytes(value) : NULL;
}

const live_value *live_at(const live_value *array, size_t index)
{
	return value_is(array, LIVE_ARRAY) && index < array->len ? value_items(array)[index] : NULL;
}

const live_value *live_get(const live_value *object, const char *key)
{
	return live_get_len(object, key, strlen(key));
}

const live_value *live_get_len(const live_value *object, const char *key, size_t key_len)
{
	if (!value_is(object, LIVE_OBJECT))
		return NULL;
	const struct value_member *member = value_find(object, (struct str){key, key_len});
	return member ? member->value : NULL;
}

/* The item that a step of a path names, such as "12"; NULL when it is no index of array. */
static const live_value *item_named(const live_value *array, struct str step)
{
	size_t index = 0;
	if (!step.len || step.len > 18 || (step.len > 1 && *step.ptr == '0'))
		return NULL;
	for (size_t i = 0; i < step.len; i++) {
		if (step.ptr[i] < '0' || step.ptr[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(step.ptr[i] - '0');
	}
	return live_at(array, index);
}

const live_value *live_path(const live_value *value, const char *path)
{
	while (value && *path) {
		struct str step = {path, strcspn(path, ".")};
		value = value_is(value, LIVE_ARRAY) ? item_named(value, step) : live_get_len(value, step.ptr, step.len);
		path += step.len;
		path += *path == '.';
	}
	return value;
}

bool live_next(const live_value *container, live_iter *iter)
{
	if (!container || container->type < LIVE_ARRAY || iter->index >= container->len)
		return false;
	if (container->type == LIVE_ARRAY) {
		iter->key = NULL;
		iter->key_len = 0;
		iter->value = value_items(container)[iter->index++];
		return true;
	}
	const struct value_member *member = value_members(container) + iter->index++;
	struct str key = value_key(container, member);
	iter->key = key.ptr;
	iter->key_len = key.len;
	iter->value = member->value;
	return true;
}

/* ---- equality ---- */

static bool numbers_equal(const live_value *a, const live_value *b)
{
	if (a->type == LIVE_INT && b->type == LIVE_INT)
		return a->integer == b->integer;
	if (a->type == LIVE_DOUBLE && b->type == LIVE_DOUBLE)
		return a->number == b->number || (isnan(a->number) && isnan(b->number));
	double number = a->type == LIVE_DOUBLE ? a->number : b->number;
	int64_t integer = a->type == LIVE_INT ? a->integer : b->integer;
	return number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number && (int64_t)number == integer;
}

/* 1: equal, 0: not, -1: two containers whose children decide. */
static int compare_heads(const live_value *a, const live_value *b)
{
	if (a == b)
		return 1;
	bool numbers =
		(a->type == LIVE_INT || a->type == LIVE_DOUBLE) && (b->type == LIVE_INT || b->type == LIVE_DOUBLE);
	if (numbers)
		return numbers_equal(a, b);
	if (a->type != b->type)
		return 0;
	switch ((live_type)a->type) {
	case LIVE_NULL: return 1;
	case LIVE_BOOL: return a->boolean == b->boolean;
	case LIVE_STRING:
	case LIVE_BINARY: return str_equal(value_str(a), value_str(b));
	default: return a->len != b->len ? 0 : a->len ? -1 : 1;
	}
}

/* The next child of a's level in *a and its partner in the container b; false when it has none. */
static bool next_children(struct value_level *level, const live_value *partner, const live_value **a,
			  const live_value **b)
{
	size_t at = level->next++;
	if (level->container->type == LIVE_ARRAY) {
		*a = value_items(level->container)[at];
		*b = value_items(partner)[at];
		return true;
	}
	const struct value_member *member = value_members(level->container) + at;
	const struct value_member *other = value_find_near(partner, value_key(level->container, member), at);
	if (!other)
		return false;
	*a = member->value;
	*b = other->value;
	return true;
}

/* Walks over both trees in step. */
static bool trees_equal(const live_value *a, const live_value *b)
{
	struct value_walk walk_a, walk_b;
	bool equal = true;

	value_walk_init(&walk_a);
	value_walk_init(&walk_b);
	value_walk_enter(&walk_a, a);
	value_walk_enter(&walk_b, b);
	while (walk_a.depth && equal) {
		struct value_level *level = value_walk_top(&walk_a);
		if (level->next == level->container->len) {
			walk_a.depth--;
			walk_b.depth--;
			continue;
		}
		equal = next_children(level, value_walk_top(&walk_b)->container, &a, &b);
		int heads = equal ? compare_heads(a, b) : 0;
		equal = heads != 0;
		if (heads < 0) {
			value_walk_enter(&walk_a, a);
			value_walk_enter(&walk_b, b);
		}
	}
	value_walk_deinit(&walk_a);
	value_walk_deinit(&walk_b);
	return equal;
}

bool live_equal(const live_value *a, const live_value *b)
{
	a = value_or_null(a);
	b = value_or_null(b);
	int heads = compare_heads(a, b);
	return heads < 0 ? trees_equal(a, b) : heads;
}
