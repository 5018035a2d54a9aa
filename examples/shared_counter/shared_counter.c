/*
 * SharedCounter - one number that everybody counts on.
 *
 * The number is the state of the room "shared-counter". To read it and then change it would lose counts when two
 * clients do so at once, so the change runs where the room lives (live_room_update), one after the other. Each member
 * copies what it hears of the room into its own state, which its client sees.
 */
#include <live/live.h>

#define ROOM "shared-counter"

/* Where the room lives. argument: {step, user}; a step of null resets. */
static const live_value *count_at_home(const live_value *state, const live_value *argument, const live_value **result)
{
	const live_value *step = live_get(argument, "step");
	int64_t count = live_is_null(step) ? 0 : live_as_int(live_get(state, "count"), 0) + live_as_int(step, 0);

	*result = live_object("success", live_bool(true), "count", live_int(count), NULL);
	return live_object("count", live_int(count), "lastUser", live_value_ref(live_get(argument, "user")), NULL);
}

static int count(live_component *self, const live_value *step, live_reply *reply)
{
	const char *user = live_user_id(self) ? live_user_id(self) : live_id(self);

	return live_room_update(self, ROOM, count_at_home, live_object("step", step, "user", live_string(user), NULL),
				reply);
}

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	return count(self, live_int(1), reply);
}

static int decrement(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	return count(self, live_int(-1), reply);
}

static int reset(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	return count(self, live_null(), reply);
}

/* What the room holds, into what the client sees. */
static void show(live_component *self)
{
	const live_value *room = live_room_state(self, ROOM);

	live_set_state(self, live_object("count", live_value_ref(live_get(room, "count")), "lastUser",
					 live_value_ref(live_get(room, "lastUser")), "viewers",
					 live_int(live_room_members(self, ROOM)), NULL));
}

static void on_event(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room;
	(void)event;
	(void)data;
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
	live_room_join(self, ROOM, live_object("count", live_int(0), "lastUser", live_null(), NULL));
	return live_room_on(self, ROOM, "*", on_event);
}

LIVE_COMPONENT{
	.name = "SharedCounter",
	.default_state = LIVE_JSON({"count" : 0, "lastUser" : null, "viewers" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}, {"decrement", decrement}, {"reset", reset}),
	.on_mount = on_mount,
	.on_room_join = on_room_join,
};
