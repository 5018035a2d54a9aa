#include <live/live.h>

#define ROOM "tickets"

/* Runs where the room lives, one call after the other: of two clients that ask at once, one gets the last ticket. */
static const live_value *take_at_home(const live_value *state, const live_value *argument, const live_value **result)
{
	int64_t left = live_as_int(live_get(state, "left"), 0);

	(void)argument;
	*result = live_object("got", live_bool(left > 0), NULL);
	return left > 0 ? live_object("left", live_int(left - 1), NULL) : live_value_ref(state);
}

static int take(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	return live_room_update(self, ROOM, take_at_home, live_null(), reply);
}

static void show(live_component *self)
{
	live_set(self, "left", live_value_ref(live_get(live_room_state(self, ROOM), "left")));
}

static void on_update(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room, (void)event, (void)data;
	show(self);
}

static void on_room_join(live_component *self, const char *room)
{
	(void)room;
	show(self);
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	live_room_join(self, ROOM, live_object("left", live_int(2), NULL));
	return live_room_on(self, ROOM, "$state:update", on_update);
}

LIVE_COMPONENT{
	.name = "Tickets",
	.default_state = LIVE_JSON({"left" : 0}),
	.actions = LIVE_ACTIONS({"take", take}),
	.on_mount = on_mount,
	.on_room_join = on_room_join,
};
