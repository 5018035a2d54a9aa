/*
 * Bare - a component for tests of what is refused: it has no actions at all, and its mount fails when its props say so.
 */
#include <live/live.h>

static int on_mount(live_component *self, live_reply *reply)
{
	return live_get_bool(self, "fails") ? live_reply_error(reply, "no disk") : 0;
}

LIVE_COMPONENT{
	.name = "Bare",
	.default_state = LIVE_JSON({"fails" : false}),
	.on_mount = on_mount,
};
