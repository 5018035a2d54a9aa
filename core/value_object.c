#include "core/value.h"

#include <stdarg.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/plain.h"
#include "core/utf8.h"

/* How many members a builder keeps on the stack before it asks for memory. */
enum { ON_STACK = 32 };
/* Behind the keys, so that the last one may be copied in whole units too. */
enum { AFTER_KEYS = VALUE_UNIT - 1 };

static struct value_member *members_of(live_value *object)
{
	return (struct value_member *)(uintptr_t)value_members(object);
}

static uint32_t *index_of(live_value *object)
{
	return (uint32_t *)(uintptr_t)value_index(object);
}

/* log2 of the slots for count members, at most half of them taken; 0 when a plain search does. */
static unsigned index_bits_for(size_t count)
{
	return count <= VALUE_LINEAR_MEMBERS ? 0 : 65 - (unsigned)__builtin_clzll(count - 1);
}

/* The slot that holds key, or the free one where it belongs. Slots hold the member's number + 1. */
static uint32_t *slot_of(live_value *object, struct str key)
{
	size_t mask = ((size_t)1 << object->index_bits) - 1;
	for (size_t at = hash_bytes(key.ptr, key.len) & mask;; at = (at + 1) & mask) {
		uint32_t *slot = &index_of(object)[at];
		if (!*slot || str_equal(value_key(object, members_of(object) + *slot - 1), key))
			return slot;
	}
}

static struct value_member *search(live_value *object, struct str key)
{
	struct value_member *members = members_of(object);
	for (size_t i = 0; i < object->len; i++) {
		struct str other = value_key(object, &members[i]);
		/* The first byte spares most of the calls. */
		if (other.len == key.len && (!key.len || (*other.ptr == *key.ptr && str_equal(other, key))))
			return &members[i];
	}
	return NULL;
}

const struct value_member *value_find(const live_value *object, struct str key)
{
	live_value *mutable = (live_value *)(uintptr_t)object;
	if (!object->index_bits)
		return search(mutable, key);
	uint32_t number = *slot_of(mutable, key);
	return number ? value_members(object) + number - 1 : NULL;
}

const struct value_member *value_find_near(const live_value *object, struct str key, size_t hint)
{
	if (hint < object->len && str_equal(value_key(object, value_members(object) + hint), key))
		return value_members(object) + hint;
	return value_find(object, key);
}

/* An object without members yet, with room for count of them and key_bytes of their keys. */
static live_value *object_new(size_t count, size_t key_bytes, unsigned index_bits, uint32_t *keys_at)
{
	size_t index_size = value_index_size(index_bits);
	size_t before_keys = sizeof(live_value) + index_size + count * sizeof(struct value_member);
	assert_always(count <= UINT32_MAX / 32 && key_bytes <= UINT32_MAX - before_keys);
	live_value *object = value_new(LIVE_OBJECT, before_keys - sizeof(live_value) + key_bytes + AFTER_KEYS);
	object->plain = true;
	object->index_bits = (uint8_t)index_bits;
	object->len = 0;
	if (index_size)
		memset(index_of(object), 0, index_size);
	*keys_at = (uint32_t)before_keys;
	return object;
}

/* Adds pair behind the members there are, its key at *keys_at, or puts its value in the place of an equal key's. */
static void object_put(live_value *object, const struct value_pair *pair, uint32_t *keys_at)
{
	uint32_t *slot = object->index_bits ? slot_of(object, pair->key) : NULL;
	struct value_member *member = slot ? *slot ? members_of(object) + *slot - 1 : NULL : search(object, pair->key);
	if (member) {
		live_value_unref(member->value);
		member->value = value_or_null(pair->value);
		return;
	}
	members_of(object)[object->len++] = (struct value_member){
		.value = value_or_null(pair->value),
		.key_offset = *keys_at,
		.key_len = (uint32_t)pair->key.len,
	};
	if (slot)
		*slot = (uint32_t)object->len;
	if (!plain_copy((char *)object + *keys_at, pair->key))
		object->plain = false;
	*keys_at += (uint32_t)pair->key.len;
}

const live_value *value_object(const struct value_pair *pairs, size_t count)
{
	size_t key_bytes = 0;
	uint32_t keys_at;

	if (!count)
		return value_empty(LIVE_OBJECT);
	for (size_t i = 0; i < count; i++)
		key_bytes += pairs[i].key.len;
	live_value *object = object_new(count, key_bytes, index_bits_for(count), &keys_at);
	for (size_t i = 0; i < count; i++)
		object_put(object, &pairs[i], &keys_at);
	return object;
}

/* key, or a well-formed copy of it in *arena, which is made when it is first needed. */
static struct str repaired_key(struct str key, struct arena **arena)
{
	if (utf8_check(key))
		return key;
	struct buf repaired;
	buf_init(&repaired, SIZE_MAX / 2);
	utf8_append_repaired(&repaired, key);
	assert_always(!buf_failed(&repaired));
	if (!*arena)
		*arena = arena_new(1024);
	struct str copy = arena_copy(*arena, buf_str(&repaired));
	buf_deinit(&repaired);
	return copy;
}

const live_value *live_object(const char *key, ...)
{
	struct value_pair on_stack[ON_STACK], *pairs = on_stack;
	struct arena *arena = NULL;
	size_t count = 0;
	va_list arguments, again;

	va_start(arguments, key);
	va_copy(again, arguments);
	for (const char *name = key; name; name = va_arg(arguments, const char *)) {
		(void)va_arg(arguments, const live_value *);
		count++;
	}
	va_end(arguments);
	if (!count) {
		va_end(again);
		return value_empty(LIVE_OBJECT);
	}
	if (count > ON_STACK)
		pairs = mem_alloc(count * sizeof *pairs);
	const char *name = key;
	for (size_t i = 0; i < count; i++) {
		pairs[i].key = repaired_key(str_of(name), &arena);
		pairs[i].value = va_arg(again, const live_value *);
		name = va_arg(again, const char *);
	}
	va_end(again);
	const live_value *object = value_object(pairs, count);
	if (pairs != on_stack)
		free(pairs);
	arena_free(arena);
	return object;
}

/* Where the keys of an object that has members begin and end, in bytes from its start. */
static size_t keys_start(const live_value *object)
{
	return value_members(object)[0].key_offset;
}

static size_t keys_end(const live_value *object)
{
	const struct value_member *last = value_members(object) + object->len - 1;
	return (size_t)last->key_offset + last->key_len;
}

/* object with another value at place; takes value. */
static const live_value *with_replaced(const live_value *object, size_t place, const live_value *value)
{
	size_t size = keys_end(object);
	live_value *copy = value_new(LIVE_OBJECT, size - sizeof *copy + AFTER_KEYS);
	memcpy(copy + 1, object + 1, size - sizeof *copy);
	copy->plain = object->plain;
	copy->index_bits = object->index_bits;
	copy->len = object->len;
	struct value_member *members = members_of(copy);
	for (size_t i = 0; i < copy->len; i++) {
		if (i == place)
			members[i].value = value;
		else
			live_value_ref(members[i].value);
	}
	return copy;
}

/* object, whose index has room for it, with one more member. */
static const live_value *with_appended(const live_value *object, const struct value_pair *pair)
{
	size_t old_keys = keys_end(object) - keys_start(object);
	uint32_t keys_at;
	live_value *copy = object_new(object->len + 1, old_keys + pair->key.len, object->index_bits, &keys_at);
	memcpy(index_of(copy), value_index(object), value_index_size(object->index_bits));
	memcpy((char *)copy + keys_at, (const char *)object + keys_start(object), old_keys);
	for (size_t i = 0; i < object->len; i++) {
		struct value_member member = value_members(object)[i];
		live_value_ref(member.value);
		member.key_offset += keys_at - (uint32_t)keys_start(object);
		members_of(copy)[i] = member;
	}
	copy->plain = object->plain;
	copy->len = object->len;
	keys_at += (uint32_t)old_keys;
	object_put(copy, pair, &keys_at);
	return copy;
}

/* object made anew from its members but the one at without (SIZE_MAX for none), and pair when it is not NULL. */
static const live_value *rebuilt(const live_value *object, size_t without, const struct value_pair *pair)
{
	struct value_pair on_stack[ON_STACK], *pairs = on_stack;
	size_t count = 0;

	if (object->len + 1 > ON_STACK)
		pairs = mem_alloc_raw((object->len + 1) * sizeof *pairs);
	for (size_t i = 0; i < object->len; i++) {
		const struct value_member *member = value_members(object) + i;
		if (i == without)
			continue;
		pairs[count++] = (struct value_pair){live_value_ref(member->value), value_key(object, member)};
	}
	if (pair)
		pairs[count++] = *pair;
	const live_value *built = value_object(pairs, count);
	if (pairs != on_stack)
		free(pairs);
	return built;
}

const live_value *live_with_len(const live_value *object, const char *key, size_t key_len, const live_value *value)
{
	struct arena *arena = NULL;
	const live_value *base = value_is(object, LIVE_OBJECT) ? object : value_empty(LIVE_OBJECT);
	struct value_pair pair = {value_or_null(value), repaired_key((struct str){key, key_len}, &arena)};
	const struct value_member *member = value_find(base, pair.key);
	const live_value *changed;

	if (member && member->value == pair.value) {
		live_value_unref(pair.value);
		changed = live_value_ref(base);
	} else if (member) {
		changed = with_replaced(base, (size_t)(member - value_members(base)), pair.value);
	} else if (base->len && index_bits_for(base->len + 1) <= base->index_bits) {
		changed = with_appended(base, &pair);
	} else {
		changed = rebuilt(base, SIZE_MAX, &pair);
	}
	arena_free(arena);
	return changed;
}

const live_value *live_with(const live_value *object, const char *key, const live_value *value)
{
	return live_with_len(object, key, strlen(key), value);
}

const live_value *live_without(const live_value *object, const char *key)
{
	if (!value_is(object, LIVE_OBJECT))
		return value_empty(LIVE_OBJECT);
	const struct value_member *member = value_find(object, str_of(key));
	if (!member)
		return live_value_ref(object);
	return rebuilt(object, (size_t)(member - value_members(object)), NULL);
}
