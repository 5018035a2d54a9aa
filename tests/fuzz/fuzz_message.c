/*
 * Whatever bytes come as a client's frame: it is taken apart or refused; what is in good shape can be used, and what
 * travels on as text is JSON without prototype names.
 */
#include "core/assert.h"
#include "core/json.h"
#include "server/protocol/message.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct json_limits limits = {.max_depth = 32};

/* Room events carry the sender's bytes to others. */
static void check_data(const struct message *message)
{
	struct json_span span;
	struct json_reader reader;
	struct arena *arena = arena_new(1024);

	json_reader_init(&reader, message->data, arena, &limits);
	assert_always(json_skip(&reader, &span) == 0 && json_finish(&reader) == 0 && !span.has_prototype_names);
	arena_free(arena);
}

static void check_fields(const struct message *message)
{
	bool needs_id = message->type != MESSAGE_UNKNOWN && message->type != MESSAGE_MOUNT &&
			message->type != MESSAGE_AUTH && message->type != MESSAGE_PING &&
			message->type != MESSAGE_COMPONENT_PING;

	assert_always(message->type_name.ptr);
	assert_always(!needs_id || message->component_id.ptr);
	assert_always(message->type != MESSAGE_ACTION || message->action.ptr);
	assert_always(message->type != MESSAGE_PROPERTY || message->property.ptr);
	if (message->type < MESSAGE_ROOM_JOIN || message->type > MESSAGE_ROOM_GET)
		return;
	assert_always(message->room_id.len);
	assert_always(message->type != MESSAGE_ROOM_EMIT || message->event.ptr);
	assert_always(message->type != MESSAGE_ROOM_SET ||
		      live_value_type(live_get(message->payload, "state")) == LIVE_OBJECT);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena *arena = arena_new(1024);
	const live_value *value = NULL;
	struct message message;

	enum message_result result = message_decode(&message, text, arena, limits.max_depth);
	int rc = json_parse(&value, text, &limits, NULL);
	assert_always((rc == 0) == (result == MESSAGE_OK || result == MESSAGE_NOT_OBJECT));
	assert_always(rc < 0 || (result == MESSAGE_OK) == (live_value_type(value) == LIVE_OBJECT));
	if (result == MESSAGE_OK && !message.invalid) {
		check_fields(&message);
		if (message.data.len)
			check_data(&message);
	}
	message_deinit(&message);
	if (rc == 0)
		live_value_unref(value);
	arena_free(arena);
	return 0;
}
