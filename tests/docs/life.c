#include <live/live.h>

/* Says to its client which hook runs, so that hooks and frames can be seen in one order. */
static void say(live_component *self, const char *hook)
{
	live_emit(self, "HOOK", live_string(hook));
}

static void on_connect(live_component *self)
{
	say(self, "on_connect");
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	say(self, "on_mount");
	live_set(self, "mounts", live_int(live_get_int(self, "mounts") + 1));
	return live_room_join(self, "life", NULL);
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	(void)previous;
	say(self, "on_rehydrate");
}

static void on_state_change(live_component *self, const live_value *changes)
{
	(void)changes;
	say(self, "on_state_change");
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)action, (void)payload, (void)reply;
	say(self, "on_action");
	return 0;
}

static void on_room_join(live_component *self, const char *room)
{
	(void)room;
	say(self, "on_room_join");
}

static void on_room_leave(live_component *self, const char *room)
{
	(void)room;
	say(self, "on_room_leave");
}

static void on_destroy(live_component *self)
{
	say(self, "on_destroy");
}

static int step(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	say(self, "the action");
	live_set(self, "steps", live_int(live_get_int(self, "steps") + 1));
	live_reply_value(reply, live_string("done"));
	return 0;
}

static int leave(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	return live_room_leave(self, "life");
}

LIVE_COMPONENT{
	.name = "Life",
	.default_state = LIVE_JSON({"mounts" : 0, "steps" : 0}),
	.actions = LIVE_ACTIONS({"step", step}, {"leave", leave}),
	.on_connect = on_connect,
	.on_mount = on_mount,
	.on_rehydrate = on_rehydrate,
	.on_destroy = on_destroy,
	.on_state_change = on_state_change,
	.on_action = on_action,
	.on_room_join = on_room_join,
	.on_room_leave = on_room_leave,
};
