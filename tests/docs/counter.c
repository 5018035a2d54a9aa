#include <live/live.h>

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

LIVE_COMPONENT{
	.name = "Counter",
	.default_state = LIVE_JSON({"count" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}),
};
