#include <live/live.h>

static int honk(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	if (live_broadcast(self, "honk", live_object("loud", live_bool(true), NULL), false) < 0)
		return live_reply_error(reply, "it was mounted without a room");
	return 0;
}

LIVE_COMPONENT{
	.name = "Horn",
	.actions = LIVE_ACTIONS({"honk", honk}),
};
