/*
 * Counter - a private counter: the smallest component there is.
 */
#include <live/live.h>

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

static int decrement(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") - 1));
	return 0;
}

static int reset(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(0));
	return 0;
}

LIVE_COMPONENT{
	.name = "Counter",
	.default_state = LIVE_JSON({"count" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}, {"decrement", decrement}, {"reset", reset}),
};
