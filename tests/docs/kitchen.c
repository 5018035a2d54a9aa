#include <live/live.h>

static void on_ordered(live_component *self, const char *event, const live_value *dish)
{
	(void)event;
	live_set(self, "orders", live_append(live_state_get(self, "orders"), live_value_ref(dish)));
}

static int order(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *dish = live_get(payload, "dish");

	if (!live_as_string(dish))
		return live_reply_error(reply, "dish must be a string");
	return live_emit_room_event(self, "ordered", live_value_ref(dish), true);
}

static int on_mount(live_component *self, live_reply *reply)
{
	if (live_on_room_event(self, "ordered", on_ordered) < 0)
		return live_reply_error(reply, "a kitchen needs a room");
	return 0;
}

LIVE_COMPONENT{
	.name = "Kitchen",
	.default_state = LIVE_JSON({"orders" : []}),
	.actions = LIVE_ACTIONS({"order", order}),
	.room_type = "kitchen",
	.on_mount = on_mount,
};
