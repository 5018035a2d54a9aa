#include "core/msgpack.h"

#include <errno.h>
#include <msgpack/unpack.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/mem.h"
#include "core/plain.h"
#include "core/utf8.h"
#include "core/value.h"

/*
 * msgpack-c's parser finds the pieces and calls the functions below; its own object tree is not used, because it
 * allocates what a length claims. Finished values wait on a stack, as in json_parse: a container is the stack's top
 * part until its last child has come, and then one value in the place of the first. So whatever happens, all values
 * that exist are on the stack.
 */

enum { PAIRS_INLINE = 64 };
#define MAX_BYTES ((size_t)64 << 20)

enum piece_kind { PIECE_CONSTANT, PIECE_INT, PIECE_DOUBLE, PIECE_STRING, PIECE_BINARY, PIECE_CONTAINER };

/* What the parser hands back to us. It owns nothing, so the parser may forget it. */
struct piece {
	enum piece_kind kind;
	union {
		const live_value *constant; /* immortal */
		int64_t integer;
		double number;
		struct str bytes; /* a slice of the input */
		struct {
			size_t first;    /* its place on the stack */
			size_t expected; /* children it claims to have */
			bool map;
		} container;
	};
};

struct unpacker {
	struct value_pair *pairs; /* the stack: in_place, or memory of its own */
	size_t count, cap;
	unsigned depth, max_depth;
	int error;           /* 0 or why we stopped the parser */
	struct arena *arena; /* for keys made of integers; NULL until there is one */
	struct value_pair in_place[PAIRS_INLINE];
};

static int stop(struct unpacker *unpacker, int error)
{
	unpacker->error = error;
	return error;
}

static void push(struct unpacker *unpacker, const live_value *value, struct str key)
{
	if (unpacker->count == unpacker->cap) {
		struct value_pair *old = unpacker->pairs == unpacker->in_place ? NULL : unpacker->pairs;
		unpacker->cap *= 2;
		unpacker->pairs = mem_realloc(old, unpacker->cap * sizeof *unpacker->pairs);
		if (!old)
			memcpy(unpacker->pairs, unpacker->in_place, sizeof unpacker->in_place);
	}
	unpacker->pairs[unpacker->count++] = (struct value_pair){value, key};
}

static const live_value *value_of_scalar(const struct piece *piece)
{
	switch (piece->kind) {
	case PIECE_INT: return live_int(piece->integer);
	case PIECE_DOUBLE: return live_double(piece->number);
	case PIECE_STRING: return value_string(piece->bytes, plain_is(piece->bytes));
	case PIECE_BINARY: return live_binary(piece->bytes.ptr, piece->bytes.len);
	default: return piece->constant;
	}
}

/* Puts piece on the stack under key; a container is there already. */
static void place(struct unpacker *unpacker, const struct piece *piece, struct str key)
{
	if (piece->kind == PIECE_CONTAINER)
		unpacker->pairs[unpacker->count - 1].key = key;
	else
		push(unpacker, value_of_scalar(piece), key);
}

/* Makes container out of its children when the last one has come. */
static void close_if_complete(struct unpacker *unpacker, const struct piece *container)
{
	size_t first = container->container.first, count = unpacker->count - first;
	if (count < container->container.expected)
		return;
	const live_value *value = container->container.map ? value_object(unpacker->pairs + first, count)
							   : value_array_of_pairs(unpacker->pairs + first, count);
	unpacker->count = first;
	unpacker->depth--;
	push(unpacker, value, (struct str){0});
}

static int open_container(struct unpacker *unpacker, size_t expected, bool map, struct piece *piece)
{
	if (unpacker->depth == unpacker->max_depth)
		return stop(unpacker, -E2BIG);
	unpacker->depth++;
	*piece = (struct piece){.kind = PIECE_CONTAINER, .container = {unpacker->count, expected, map}};
	if (!expected)
		close_if_complete(unpacker, piece);
	return 0;
}

/* The text of a key, or a NULL str when key cannot be one. */
static struct str key_text(struct unpacker *unpacker, const struct piece *key)
{
	char digits[24];
	if (key->kind == PIECE_STRING)
		return key->bytes;
	if (key->kind != PIECE_INT)
		return (struct str){0};
	if (!unpacker->arena)
		unpacker->arena = arena_new(4096);
	int len = snprintf(digits, sizeof digits, "%lld", (long long)key->integer);
	return arena_copy(unpacker->arena, (struct str){digits, (size_t)len});
}

/* ---- the functions that msgpack-c's parser calls ---- */

static struct piece take_root(struct unpacker *unpacker)
{
	(void)unpacker;
	return (struct piece){.kind = PIECE_CONSTANT, .constant = live_null()};
}

static int take_constant(const live_value *constant, struct piece *piece)
{
	*piece = (struct piece){.kind = PIECE_CONSTANT, .constant = constant};
	return 0;
}

static int take_integer(int64_t integer, struct piece *piece)
{
	*piece = (struct piece){.kind = PIECE_INT, .integer = integer};
	return 0;
}

static int take_double(double number, struct piece *piece)
{
	*piece = (struct piece){.kind = PIECE_DOUBLE, .number = number};
	return 0;
}

static int take_bytes(enum piece_kind kind, const char *bytes, size_t len, struct piece *piece)
{
	/* An empty one comes without a place in the input. */
	*piece = (struct piece){.kind = kind, .bytes = {len ? bytes : "", len}};
	return 0;
}

static int take_string(struct unpacker *unpacker, const char *bytes, size_t len, struct piece *piece)
{
	if (!utf8_check((struct str){bytes, len}))
		return stop(unpacker, -EINVAL);
	return take_bytes(PIECE_STRING, bytes, len, piece);
}

static int take_item(struct unpacker *unpacker, const struct piece *array, const struct piece *item)
{
	place(unpacker, item, (struct str){0});
	close_if_complete(unpacker, array);
	return 0;
}

static int take_member(struct unpacker *unpacker, const struct piece *map, const struct piece *key,
		       const struct piece *value)
{
	struct str text = key_text(unpacker, key);
	if (!text.ptr)
		return stop(unpacker, -EINVAL);
	place(unpacker, value, text);
	close_if_complete(unpacker, map);
	return 0;
}

/* The parser is a template that finds the functions by their names. */
#define msgpack_unpack_struct(name) struct unpack##name
#define msgpack_unpack_func(type, name) static type unpack##name
#define msgpack_unpack_callback(name) unpack_callback##name
#define msgpack_unpack_object struct piece
#define msgpack_unpack_user struct unpacker *
/* One more than we ever fill, so that the limit is ours to tell. */
#define MSGPACK_EMBED_STACK_SIZE (MSGPACK_MAX_DEPTH + 1)

#define unpack_callback_root(user) take_root(*(user))
#define unpack_callback_nil(user, piece) take_constant(live_null(), piece)
#define unpack_callback_true(user, piece) take_constant(live_bool(true), piece)
#define unpack_callback_false(user, piece) take_constant(live_bool(false), piece)
#define unpack_callback_uint8(user, n, piece) take_integer(n, piece)
#define unpack_callback_uint16(user, n, piece) take_integer(n, piece)
#define unpack_callback_uint32(user, n, piece) take_integer(n, piece)
#define unpack_callback_uint64(user, n, piece) \
	((n) <= INT64_MAX ? take_integer((int64_t)(n), piece) : take_double((double)(n), piece))
#define unpack_callback_int8(user, n, piece) take_integer(n, piece)
#define unpack_callback_int16(user, n, piece) take_integer(n, piece)
#define unpack_callback_int32(user, n, piece) take_integer(n, piece)
#define unpack_callback_int64(user, n, piece) take_integer(n, piece)
#define unpack_callback_float(user, n, piece) take_double((double)(n), piece)
#define unpack_callback_double(user, n, piece) take_double(n, piece)
#define unpack_callback_str(user, base, bytes, len, piece) take_string(*(user), bytes, len, piece)
#define unpack_callback_bin(user, base, bytes, len, piece) take_bytes(PIECE_BINARY, bytes, len, piece)
#define unpack_callback_ext(user, base, bytes, len, piece) stop(*(user), -EINVAL)
#define unpack_callback_array(user, count, piece) open_container(*(user), count, false, piece)
#define unpack_callback_map(user, count, piece) open_container(*(user), count, true, piece)
#define unpack_callback_array_item(user, array, item) take_item(*(user), array, &(item))
#define unpack_callback_map_item(user, map, key, value) take_member(*(user), map, &(key), &(value))
#include <msgpack/unpack_define.h>
#include <msgpack/unpack_template.h>

static int parse(struct unpacker *unpacker, struct str bytes, const live_value **out)
{
	struct unpack_context context = {.user = unpacker};
	size_t used = 0;

	unpack_init(&context);
	/* 1 at the end of the value, 0 at the end of the input, else an error of the parser's or ours. */
	int rc = unpack_execute(&context, bytes.ptr, bytes.len, &used);
	if (unpacker->error)
		return unpacker->error;
	if (rc != 1 || used != bytes.len)
		return -EINVAL;
	struct piece root = unpack_data(&context);
	if (root.kind == PIECE_CONTAINER)
		*out = unpacker->pairs[--unpacker->count].value;
	else
		*out = value_of_scalar(&root);
	return 0;
}

int msgpack_parse(const live_value **out, struct str bytes, unsigned max_depth)
{
	struct unpacker unpacker;

	*out = NULL;
	if (bytes.len > MAX_BYTES)
		return -E2BIG;
	if (!bytes.len)
		return -EINVAL;
	unpacker.pairs = unpacker.in_place;
	unpacker.count = 0;
	unpacker.cap = PAIRS_INLINE;
	unpacker.depth = 0;
	unpacker.max_depth = max_depth < MSGPACK_MAX_DEPTH ? max_depth : MSGPACK_MAX_DEPTH;
	unpacker.error = 0;
	unpacker.arena = NULL;
	int rc = parse(&unpacker, bytes, out);
	for (size_t i = 0; i < unpacker.count; i++)
		live_value_unref(unpacker.pairs[i].value);
	if (unpacker.pairs != unpacker.in_place)
		free(unpacker.pairs);
	arena_free(unpacker.arena);
	return rc;
}
