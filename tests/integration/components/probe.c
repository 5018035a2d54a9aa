/*
 * Probe - a component for tests that does what its payloads say: rooms, emits, delays, large values, nested state.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <live/live.h>

static int set(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set_state(self, live_value_ref(live_get(payload, "patch")));
	return 0;
}

/* Several patches, one after the other, in one call. */
static int set_all(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (live_iter it = {0}; live_next(live_get(payload, "patches"), &it);)
		live_set_state(self, live_value_ref(it.value));
	return 0;
}

static int push(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_emit(self, live_as_string(live_get(payload, "type")), live_value_ref(live_get(payload, "data")));
	return 0;
}

static int say(live_component *self, const live_value *payload, live_reply *reply)
{
	bool others = live_as_bool(live_get(payload, "others"));
	int rc = live_broadcast(self, "note", live_value_ref(live_get(payload, "data")), others);

	return rc < 0 ? live_reply_error(reply, "broadcast: %d", rc) : 0;
}

static const char *room_of(const live_value *payload)
{
	return live_as_string(live_get(payload, "room"));
}

static int join(live_component *self, const live_value *payload, live_reply *reply)
{
	return live_room_join(self, room_of(payload), NULL) < 0 ? live_reply_error(reply, "no such room") : 0;
}

static int leave(live_component *self, const live_value *payload, live_reply *reply)
{
	return live_room_leave(self, room_of(payload)) < 0 ? live_reply_error(reply, "not there") : 0;
}

static int room_emit(live_component *self, const live_value *payload, live_reply *reply)
{
	int rc = live_room_emit(self, room_of(payload), live_as_string(live_get(payload, "event")),
				live_value_ref(live_get(payload, "data")));
	return rc < 0 ? live_reply_error(reply, "emit: %d", rc) : 0;
}

static const live_value *slow_work(const live_value *argument)
{
	usleep((useconds_t)live_as_int(argument, 0) * 1000);
	return live_value_ref(argument);
}

static void slow_done(live_component *self, const live_value *result)
{
	live_deferred **waiting = live_private(self);

	if (!*waiting)
		return;
	live_deferred_value(*waiting, live_value_ref(result));
	*waiting = NULL;
}

/* Answers after so many ms of blocking work. */
static int slow(live_component *self, const live_value *payload, live_reply *reply)
{
	live_deferred **waiting = live_private(self);

	if (*waiting)
		return live_reply_error(reply, "one at a time");
	*waiting = live_reply_defer(reply);
	return live_offload(self, slow_work, live_value_ref(live_get(payload, "ms")), slow_done);
}

static int huge(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t size = (size_t)live_as_int(live_get(payload, "bytes"), 0);
	char *text = malloc(size + 1);

	(void)reply;
	memset(text, 'x', size);
	text[size] = 0;
	live_set(self, "huge", live_string(text));
	free(text);
	return 0;
}

static int who(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply,
			 live_object("id", live_string(live_id(self)), "shard", live_int(live_shard(self)), "shards",
				     live_int(live_shard_count(self)), "node", live_string(live_node(self)), NULL));
	return 0;
}

static int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_destroy(self);
	return 0;
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	const char *refusal = live_as_string(live_get(payload, "refuse"));

	(void)self;
	(void)action;
	if (!refusal)
		return 0;
	return strcmp(refusal, "cancel") ? live_reply_error(reply, "%s", refusal) : LIVE_CANCEL;
}

static void on_destroy(live_component *self)
{
	live_deferred **waiting = live_private(self);

	if (*waiting)
		live_deferred_error(*waiting, "gone");
}

LIVE_COMPONENT{
	.name = "Probe",
	.default_state = LIVE_JSON({"value" : 0, "nested" : {"a" : {"b" : 1}}, "list" : [ 1, 2 ]}),
	.actions = LIVE_ACTIONS({"set", set}, {"setAll", set_all}, {"push", push}, {"say", say}, {"join", join},
				{"leave", leave}, {"roomEmit", room_emit}, {"slow", slow}, {"huge", huge}, {"who", who},
				{"end", end}, {"setValue", live_action_set_value}, {"destroy", end}, {"toString", who},
				{"missing", NULL}),
	.private_size = sizeof(live_deferred *),
	.on_action = on_action,
	.on_destroy = on_destroy,
};
