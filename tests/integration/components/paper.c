/*
 * Paper - what random sessions write on: it does as its payloads say, and shows the state that the server has. Built
 * twice, as Page, which each client has for itself, and as Wall, which all write on.
 */
#include <live/live.h>

/* Patches, one after the other in one tick. */
static int set(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (live_iter it = {0}; live_next(payload, &it);)
		live_set_state(self, live_value_ref(it.value));
	return 0;
}

static int show(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_value_ref(live_state(self)));
	return 0;
}

LIVE_COMPONENT{
#ifdef WALL
	.name = "Wall",
	.singleton = true,
#else
	.name = "Page",
#endif
	.default_state = LIVE_JSON({"a" : {"b" : {"c" : 1}}, "d" : []}),
	.actions = LIVE_ACTIONS({"set", set}, {"show", show}, {"setValue", live_action_set_value}),
};
