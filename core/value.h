/*
 * value - how a live_value lies in memory: for core's own builders, readers and encodings, and for value_object to
 * whoever builds in bulk; nobody else looks inside.
 *
 * One value is one allocation, of whole units of VALUE_UNIT bytes: what lies in it may be copied unit by unit. A
 * string's bytes, an array's pointers, an object's members and their keys follow the header. null, booleans, small
 * ints and the empty string, array and object are immortal: they exist once and are not counted. The thing to get
 * right: a value is built completely before anyone else may see it, and never changes after.
 *
 * An object of more than VALUE_LINEAR_MEMBERS members carries an index: open addressing with linear probing on the
 * process's seeded hash, since a peer may send a hundred thousand keys that it chose.
 *
 *	header | index: uint32_t[1 << index_bits] | struct value_member[len] | key bytes | VALUE_UNIT - 1 bytes unused
 *
 * Threads: [any].
 */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include <stdatomic.h>

#include <live/value.h>

#include "core/str.h"
#include "core/value_pool.h"

enum { VALUE_LINEAR_MEMBERS = 8 };

/* Integers that a double, and thus JavaScript, holds exactly. */
#define VALUE_SAFE_INT (INT64_C(1) << 53)

struct live_value {
	_Atomic uint32_t refs; /* any thread; the release of a drop pairs with the acquire of the last */
	uint8_t type;          /* enum live_type */
	uint8_t units;         /* of its memory when that goes back to the pool; 0 when to free, or nowhere */
	uint8_t index_bits;    /* objects: log2 of the index's slots, 0 for none */
	bool immortal : 1;
	bool plain : 1; /* all of a string, or of an object's keys, is known to be printed as it is, without escapes */
	union {
		bool boolean;
		size_t len; /* bytes, items or members */
		int64_t integer;
		double number;
	};
};

/* A member of an object. The key is at key_offset bytes from the object's start. */
struct value_member {
	const live_value *value; /* never NULL */
	uint32_t key_offset;
	uint32_t key_len;
};

/* A member to be: what the builders take. */
struct value_pair {
	const live_value *value; /* given away; NULL counts as null */
	struct str key;          /* copied; must be well-formed */
};

static inline const char *value_bytes(const live_value *value)
{
	return (const char *)(value + 1);
}

static inline struct str value_str(const live_value *value)
{
	return (struct str){value_bytes(value), value->len};
}

static inline const live_value *const *value_items(const live_value *array)
{
	return (const live_value *const *)(const void *)(array + 1);
}

static inline const uint32_t *value_index(const live_value *object)
{
	return (const uint32_t *)(const void *)(object + 1);
}

static inline size_t value_index_size(unsigned index_bits)
{
	return index_bits ? sizeof(uint32_t) << index_bits : 0;
}

static inline const struct value_member *value_members(const live_value *object)
{
	return (const struct value_member *)(const void *)(value_bytes(object) + value_index_size(object->index_bits));
}

static inline struct str value_key(const live_value *object, const struct value_member *member)
{
	return (struct str){(const char *)object + member->key_offset, member->key_len};
}

static inline bool value_is(const live_value *value, live_type type)
{
	return value && value->type == type;
}

static inline const live_value *value_or_null(const live_value *value)
{
	return value ? value : live_null();
}

/* Child number index of an array or object. */
static inline const live_value *value_child(const live_value *container, size_t index)
{
	return container->type == LIVE_ARRAY ? value_items(container)[index] : value_members(container)[index].value;
}

/* A value with one reference and extra bytes behind its header, for the caller to fill before anyone else sees it. */
live_value *value_new(live_type type, size_t extra);
/* A string whose len was made smaller, without the memory that it does not need; nobody else has seen it yet. */
live_value *value_shrink(live_value *string);
/* The empty string, binary, array or object. */
const live_value *value_empty(live_type type);
/* A string of bytes that are known to be well-formed (surrogates in their three-byte form are allowed); plain when it
 * is known that JSON prints them as they are. */
const live_value *value_string(struct str bytes, bool plain);
/* An array of the values of pairs, which it takes; none of them NULL; their keys do not matter. */
const live_value *value_array_of_pairs(const struct value_pair *pairs, size_t count);
/* An object of pairs, whose values it takes; of equal keys the last wins, at the first one's place. */
const live_value *value_object(const struct value_pair *pairs, size_t count);
/* The member named key, or NULL; object must be an object. */
const struct value_member *value_find(const live_value *object, struct str key);
/* The same, tried at place hint first: for two objects that were made alike. */
const struct value_member *value_find_near(const live_value *object, struct str key, size_t hint);

#endif
