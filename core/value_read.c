#include "core/value.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

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

/* ---- equality: a walk over both trees with a stack of its own, since a tree may be deep ---- */

enum { EQUAL_ON_STACK = 32 };

struct twins {
	const live_value *a, *b; /* two containers of one type and length */
	size_t next;             /* child of a that is compared next */
};

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

/* The next pair of children to compare, or false when a's child has no partner. */
static bool next_children(struct twins *twins, const live_value **a, const live_value **b)
{
	size_t at = twins->next++;
	if (twins->a->type == LIVE_ARRAY) {
		*a = value_items(twins->a)[at];
		*b = value_items(twins->b)[at];
		return true;
	}
	const struct value_member *member = value_members(twins->a) + at;
	const struct value_member *partner = value_find_near(twins->b, value_key(twins->a, member), at);
	*a = member->value;
	*b = partner ? partner->value : NULL;
	return partner;
}

static bool trees_equal(const live_value *a, const live_value *b)
{
	struct twins on_stack[EQUAL_ON_STACK], *stack = on_stack, *grown = NULL;
	size_t depth = 0, cap = EQUAL_ON_STACK;
	bool equal = true;

	stack[depth++] = (struct twins){a, b, 0};
	while (depth && equal) {
		struct twins *top = &stack[depth - 1];
		if (top->next == top->a->len) {
			depth--;
			continue;
		}
		equal = next_children(top, &a, &b);
		int heads = equal ? compare_heads(a, b) : 0;
		equal = heads != 0;
		if (heads >= 0)
			continue;
		if (depth == cap) {
			cap *= 2;
			grown = mem_realloc(grown, cap * sizeof *grown);
			if (stack == on_stack)
				memcpy(grown, on_stack, sizeof on_stack);
			stack = grown;
		}
		stack[depth++] = (struct twins){a, b, 0};
	}
	free(grown);
	return equal;
}

bool live_equal(const live_value *a, const live_value *b)
{
	a = value_or_null(a);
	b = value_or_null(b);
	int heads = compare_heads(a, b);
	return heads < 0 ? trees_equal(a, b) : heads;
}
