#include <live/live.h>

static int greet(live_component *self, const live_value *payload, live_reply *reply)
{
	const char *name = live_as_string(live_get(payload, "name"));
	(void)self;
	live_reply_value(reply, live_stringf("Hello, %s", name ? name : "you"));
	return 0;
}

LIVE_COMPONENT{
	.name = "Greeter",
	.default_state = LIVE_JSON({"greeted" : 0}),
	.actions = LIVE_ACTIONS({"greet", greet}),
};
