/*
 * What other nodes say about rooms, as JSON or MessagePack: it is taken apart or refused, signed or not, and what was
 * taken apart says the same when it is written again in either form, under a signature that is believed, and not under
 * another. Stored states likewise. The first byte: 1 the message needs a signature, which it has only by chance.
 */
#include <errno.h>

#include "core/assert.h"
#include "core/json.h"
#include "redis/room_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_DEPTH = 128 };

static struct buf scratch;

static struct room_format format_of(bool msgpack, const char *secret)
{
	return (struct room_format){
		.msgpack = msgpack, .secret = str_of(secret), .scratch = &scratch, .max_depth = MAX_DEPTH};
}

/* JSON cannot tell bytes from texts, nor what is no number from null. */
static bool is_same(const live_value *a, const live_value *b)
{
	struct buf one, other;

	buf_init(&one, SIZE_MAX);
	buf_init(&other, SIZE_MAX);
	json_write(&one, a);
	json_write(&other, b);
	bool is_equal = str_equal(buf_str(&one), buf_str(&other));
	buf_deinit(&one);
	buf_deinit(&other);
	return is_equal;
}

/* In what its type has. */
static void check_same(const struct room_message *a, const struct room_message *b)
{
	assert_always(a->type == b->type);
	assert_always(str_equal(a->room_id, b->room_id) && str_equal(a->origin, b->origin));
	assert_always(a->version == b->version);
	assert_always(!a->version || (str_equal(a->lineage, b->lineage) && a->commit == b->commit));
	assert_always(a->members == b->members || (a->members < 0 && b->members < 0));
	assert_always(str_equal(a->node, b->node));
	if (a->type == ROOM_MESSAGE_EVENT)
		assert_always(str_equal(a->event, b->event) && str_equal(a->data, b->data));
	else if (a->type == ROOM_MESSAGE_STATE)
		assert_always(is_same(a->updates, b->updates));
	else if (a->type == ROOM_MESSAGE_MEMBERSHIP)
		assert_always(a->joined == b->joined && str_equal(a->member_id, b->member_id));
}

/* Written and read again; bytes and text are emptied first, and again lives as long as they do. */
static void write_and_read(const struct room_message *message, struct room_message *again, struct buf *bytes,
			   struct buf *text, const struct room_format *format)
{
	buf_reset(bytes, SIZE_MAX);
	buf_reset(text, SIZE_MAX);
	room_message_encode(bytes, message, format);
	int rc = room_message_decode(again, buf_str(bytes), format, text);
	assert_always(rc == 0);
}

static void check_signature(struct buf *bytes, const struct room_format *format)
{
	struct room_format other = format_of(format->msgpack, "another");
	struct room_message message;
	struct buf text;

	buf_init(&text, SIZE_MAX);
	int rc = room_message_decode(&message, buf_str(bytes), &other, &text);
	assert_always(rc == -EACCES);
	bytes->ptr[bytes->len / 2] ^= 1;
	if (format->secret.len) {
		rc = room_message_decode(&message, buf_str(bytes), format, &text);
		assert_always(rc < 0);
	}
	buf_deinit(&text);
}

/* Twice, since MessagePack has no lone surrogates: the first time they are replaced. */
static void check_again(const struct room_message *message, bool msgpack, const char *secret)
{
	struct room_format format = format_of(msgpack, secret);
	struct room_message once, twice;
	struct buf bytes[2], texts[2];

	for (unsigned i = 0; i < 2; i++) {
		buf_init(&bytes[i], SIZE_MAX);
		buf_init(&texts[i], SIZE_MAX);
	}
	write_and_read(message, &once, &bytes[0], &texts[0], &format);
	assert_always(once.type == message->type && once.version == message->version);
	write_and_read(&once, &twice, &bytes[1], &texts[1], &format);
	check_same(&once, &twice);
	live_value_unref(once.updates);
	live_value_unref(twice.updates);
	check_signature(&bytes[0], &format);
	for (unsigned i = 0; i < 2; i++) {
		buf_deinit(&bytes[i]);
		buf_deinit(&texts[i]);
	}
}

static const live_value *state_again(const live_value *state, const struct room_format *format)
{
	struct buf bytes;

	buf_init(&bytes, SIZE_MAX);
	room_state_encode(&bytes, state, format);
	const live_value *again = room_state_decode(buf_str(&bytes), format);
	assert_always(again);
	buf_deinit(&bytes);
	return again;
}

static void check_state(struct str bytes)
{
	const struct room_format formats[] = {format_of(false, ""), format_of(true, "")};
	const live_value *state = room_state_decode(bytes, &formats[0]);

	for (unsigned i = 0; state && i < 2; i++) {
		const live_value *once = state_again(state, &formats[i]);
		const live_value *twice = state_again(once, &formats[i]);
		assert_always(is_same(once, twice));
		live_value_unref(once);
		live_value_unref(twice);
	}
	live_value_unref(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct room_message message;
	struct buf text;

	if (!size)
		return 0;
	if (!scratch.limit)
		buf_init(&scratch, SIZE_MAX);
	struct room_format format = format_of(false, data[0] & 1 ? "secret" : "");
	struct str bytes = {(const char *)data + 1, size - 1};
	buf_init(&text, SIZE_MAX);
	int rc = room_message_decode(&message, bytes, &format, &text);
	assert_always(rc == 0 || rc == -EINVAL || (rc == -EACCES && data[0] & 1));
	if (rc == 0) {
		for (unsigned form = 0; form < 4; form++)
			check_again(&message, form & 1, form & 2 ? "secret" : "");
		live_value_unref(message.updates);
	}
	check_state(bytes);
	buf_deinit(&text);
	return 0;
}
