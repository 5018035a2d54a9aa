#include <live/live.h>

enum { KEPT = 100 };

/* {text} -> {count}: a payload comes from outside, so each part of it is checked. */
static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *text = live_get(payload, "text");

	if (!live_as_string(text) || live_len(text) == 0)
		return live_reply_error(reply, "text must be a string that is not empty");
	if (live_len(live_state_get(self, "notes")) == KEPT)
		return live_reply_error(reply, "there are %d notes already", KEPT);
	live_set(self, "notes", live_append(live_state_get(self, "notes"), live_value_ref(text)));
	live_reply_value(reply, live_object("count", live_int((int64_t)live_len(live_state_get(self, "notes"))), NULL));
	return 0;
}

static int lock(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	live_set(self, "locked", live_bool(true));
	return 0;
}

/* Before each action: when locked, none runs. */
static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)action, (void)payload, (void)reply;
	return live_get_bool(self, "locked") ? LIVE_CANCEL : 0;
}

LIVE_COMPONENT{
	.name = "Notes",
	.default_state = LIVE_JSON({"notes" : [], "locked" : false}),
	.actions = LIVE_ACTIONS({"add", add}, {"lock", lock}),
	.on_action = on_action,
};
