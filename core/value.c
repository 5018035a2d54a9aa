#include "core/value.h"

#include <math.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

/*
 * Counting, and the values that exist once. Freeing a tree takes no stack and no memory: a dead container waits for its
 * children to be dropped on a list that is threaded through the containers themselves.
 */

#define IMMORTAL(kind) .refs = 1, .type = (kind), .immortal = true
#define INT_1(n)                                   \
	{                                          \
		IMMORTAL(LIVE_INT), .integer = (n) \
	}
#define INT_4(n) INT_1(n), INT_1((n) + 1), INT_1((n) + 2), INT_1((n) + 3)
#define INT_16(n) INT_4(n), INT_4((n) + 4), INT_4((n) + 8), INT_4((n) + 12)
#define INT_64(n) INT_16(n), INT_16((n) + 16), INT_16((n) + 32), INT_16((n) + 48)
#define INT_256(n) INT_64(n), INT_64((n) + 64), INT_64((n) + 128), INT_64((n) + 192)

enum { SMALL_INT_MIN = -128, SMALL_INT_MAX = 1023 };

static const live_value null_value = {IMMORTAL(LIVE_NULL)};
static const live_value bool_values[2] = {{IMMORTAL(LIVE_BOOL)}, {IMMORTAL(LIVE_BOOL), .boolean = true}};
static const live_value small_ints[] = {
	INT_64(-128), INT_64(-64), INT_256(0), INT_256(256), INT_256(512), INT_256(768),
};
_Static_assert(sizeof small_ints / sizeof *small_ints == SMALL_INT_MAX - SMALL_INT_MIN + 1, "every small int is there");

/* The empty ones have the NUL that live_as_string promises. */
static const struct {
	live_value value;
	char nul;
} empty_string = {{IMMORTAL(LIVE_STRING), .plain = true}, 0}, empty_binary = {{IMMORTAL(LIVE_BINARY)}, 0};
static const live_value empty_array = {IMMORTAL(LIVE_ARRAY)};
static const live_value empty_object = {IMMORTAL(LIVE_OBJECT)};

/* Immutable is what holds data; the count is not part of it. */
static inline _Atomic uint32_t *refs_of(const live_value *value)
{
	return (_Atomic uint32_t *)(uintptr_t)&value->refs;
}

const live_value *live_null(void)
{
	return &null_value;
}

const live_value *live_bool(bool b)
{
	return &bool_values[b];
}

live_value *value_new(live_type type, size_t extra)
{
	size_t units = value_units(sizeof(live_value) + extra);
	live_value *value = value_pool_take(units);
	*value = (live_value){
		.refs = 1,
		.type = (uint8_t)type,
		.units = units <= VALUE_POOL_UNITS ? (uint8_t)units : 0,
	};
	return value;
}

/* Gives back the memory of a value whose children are gone. */
static inline void value_free(live_value *value)
{
	if (value->units)
		value_pool_give(value, value->units);
	else
		free(value);
}

live_value *value_shrink(live_value *string)
{
	string = mem_realloc(string, value_units(sizeof *string + string->len + 1) * VALUE_UNIT);
	string->units = 0;
	return string;
}

const live_value *live_int(int64_t n)
{
	if (n >= SMALL_INT_MIN && n <= SMALL_INT_MAX)
		return &small_ints[n - SMALL_INT_MIN];
	live_value *value = value_new(LIVE_INT, 0);
	value->integer = n;
	return value;
}

const live_value *live_double(double d)
{
	/* The comparison fails for NaN; the sign bit keeps -0 apart from 0. */
	if (d >= -(double)VALUE_SAFE_INT && d <= (double)VALUE_SAFE_INT) {
		int64_t n = (int64_t)d;
		if ((double)n == d && !(n == 0 && signbit(d)))
			return live_int(n);
	}
	live_value *value = value_new(LIVE_DOUBLE, 0);
	value->number = d;
	return value;
}

const live_value *value_empty(live_type type)
{
	switch (type) {
	case LIVE_STRING: return &empty_string.value;
	case LIVE_BINARY: return &empty_binary.value;
	case LIVE_ARRAY: return &empty_array;
	case LIVE_OBJECT: return &empty_object;
	default: return &null_value;
	}
}

const live_value *live_value_ref(const live_value *value)
{
	if (!value || value->immortal)
		return value;
	uint32_t before = atomic_fetch_add_explicit(refs_of(value), 1, memory_order_relaxed);
	/* Past this, a leak would wrap around and free what is in use. */
	assert_always(before > 0 && before < UINT32_MAX);
	return value;
}

/* Drops one reference; whether it was the last. */
static inline bool drop(const live_value *value)
{
	if (value->immortal)
		return false;
	_Atomic uint32_t *refs = refs_of(value);
	/* Who holds the only reference need not lock the bus to know it: nobody else can add one. */
	if (atomic_load_explicit(refs, memory_order_acquire) == 1)
		return true;
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* Where a container keeps its child number index. */
static const live_value **child_of(live_value *container, size_t index)
{
	if (container->type == LIVE_ARRAY)
		return (const live_value **)(void *)(container + 1) + index;
	struct value_member *members = (struct value_member *)(uintptr_t)value_members(container);
	return &members[index].value;
}

static inline bool has_children(const live_value *value)
{
	return (value->type == LIVE_ARRAY || value->type == LIVE_OBJECT) && value->len > 0;
}

/*
 * Frees a dead tree. dead is a stack of containers whose children are being dropped, last child first: len counts down,
 * and the place of child 0, which is taken out first, holds the link to the container below.
 */
static void free_tree(live_value *value)
{
	live_value *dead = NULL;

	for (;;) {
		const live_value *child = NULL;
		if (has_children(value)) {
			const live_value **first = child_of(value, 0);
			child = *first;
			*first = dead;
			dead = value;
		} else {
			value_free(value);
		}
		while (!child || !drop(child)) {
			if (!dead)
				return;
			if (dead->len > 1) {
				child = *child_of(dead, --dead->len);
			} else {
				live_value *below = (live_value *)(uintptr_t)*child_of(dead, 0);
				value_free(dead);
				dead = below;
				child = NULL;
			}
		}
		value = (live_value *)(uintptr_t)child;
	}
}

void live_value_unref(const live_value *value)
{
	if (!value || !drop(value))
		return;
	if (has_children(value))
		free_tree((live_value *)(uintptr_t)value);
	else
		value_free((live_value *)(uintptr_t)value);
}
