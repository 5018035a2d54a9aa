#include "core/msgpack.h"

#include <msgpack/pack.h>

#include "core/assert.h"
#include "core/utf8.h"
#include "core/value_walk.h"

/* msgpack-c chooses the shortest form, so a number from this range never becomes a 64-bit integer. */
#define INT_MIN_WRITTEN (-(INT64_C(1) << 31))
#define INT_MAX_WRITTEN ((INT64_C(1) << 32) - 1)

static int append(void *to, const char *bytes, size_t len)
{
	buf_append(to, bytes, len);
	return 0;
}

static void write_string(msgpack_packer *packer, struct str s)
{
	assert_always(s.len <= UINT32_MAX);
	if (utf8_check(s)) {
		msgpack_pack_str_with_body(packer, s.ptr, s.len);
		return;
	}
	struct buf repaired;
	buf_init(&repaired, UINT32_MAX);
	utf8_append_repaired(&repaired, s);
	if (buf_failed(&repaired))
		((struct buf *)packer->data)->failed = true;
	else
		msgpack_pack_str_with_body(packer, repaired.ptr, repaired.len);
	buf_deinit(&repaired);
}

/* Writes value, of a container the head alone; whether there is more of it. */
static bool write_head(msgpack_packer *packer, const live_value *value, bool wide)
{
	switch ((live_type)value->type) {
	case LIVE_NULL: msgpack_pack_nil(packer); break;
	case LIVE_BOOL: value->boolean ? msgpack_pack_true(packer) : msgpack_pack_false(packer); break;
	case LIVE_INT:
		if (wide || (value->integer >= INT_MIN_WRITTEN && value->integer <= INT_MAX_WRITTEN))
			msgpack_pack_int64(packer, value->integer);
		else
			msgpack_pack_double(packer, (double)value->integer);
		break;
	case LIVE_DOUBLE: msgpack_pack_double(packer, value->number); break;
	case LIVE_STRING: write_string(packer, value_str(value)); break;
	case LIVE_BINARY: msgpack_pack_bin_with_body(packer, value_bytes(value), value->len); break;
	case LIVE_ARRAY: msgpack_pack_array(packer, value->len); return value->len;
	case LIVE_OBJECT: msgpack_pack_map(packer, value->len); return value->len;
	}
	return false;
}

/* The next child of the innermost container, its key written; NULL at the container's end. */
static const live_value *next_child(msgpack_packer *packer, struct value_walk *walk)
{
	struct value_level *level = value_walk_top(walk);
	if (level->next == level->container->len) {
		walk->depth--;
		return NULL;
	}
	size_t at = level->next++;
	if (level->container->type == LIVE_ARRAY)
		return value_items(level->container)[at];
	const struct value_member *member = value_members(level->container) + at;
	write_string(packer, value_key(level->container, member));
	return member->value;
}

static void write_value(struct buf *to, const live_value *value, bool wide)
{
	msgpack_packer packer;
	struct value_walk walk;

	msgpack_packer_init(&packer, to, append);
	value_walk_init(&walk);
	value = value_or_null(value);
	if (write_head(&packer, value, wide))
		value_walk_enter(&walk, value);
	while (walk.depth && !buf_failed(to)) {
		const live_value *child = next_child(&packer, &walk);
		if (child && write_head(&packer, child, wide))
			value_walk_enter(&walk, child);
	}
	value_walk_deinit(&walk);
}

void msgpack_write(struct buf *to, const live_value *value)
{
	write_value(to, value, false);
}

void msgpack_write_wide(struct buf *to, const live_value *value)
{
	write_value(to, value, true);
}
