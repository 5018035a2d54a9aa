/*
 * Versioned - built three times, as versions 1, 2 and 3: 1 and 2 stay with whom they began, 3 takes over from any.
 */
#include <live/live.h>

static int which(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_reply_value(reply, live_int(VERSION));
	return 0;
}

static int count(live_component *self, const live_value *payload, live_reply *reply)
{
	int *calls = live_private(self);

	(void)payload;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	live_reply_value(reply, live_int(++*calls));
	return 0;
}

static const live_value *work(const live_value *argument)
{
	return live_value_ref(argument);
}

static void done(live_component *self, const live_value *result)
{
	live_set(self, "worked", live_value_ref(result));
}

static int offload(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_offload(self, work, live_int(VERSION), done);
}

static void tick(live_component *self, live_timer *timer)
{
	(void)timer;
	live_set(self, "ticks", live_int(live_get_int(self, "ticks") + VERSION));
}

static void on_event(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room;
	(void)event;
	(void)data;
	live_set(self, "heard", live_int(VERSION));
}

static void on_room_join(live_component *self, const char *room)
{
	live_room_on(self, room, "*", on_event);
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	live_every(self, 20, tick);
	return live_room_join(self, "versions", NULL);
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	live_set(self, "from", live_value_ref(live_get(previous, "made")));
	live_set(self, "to", live_int(VERSION));
}

#define TEXT_(number) #number
#define TEXT(number) TEXT_(number)

LIVE_COMPONENT{
	.name = "Versioned",
	.default_state = "{\"made\":" TEXT(VERSION) ",\"count\":0,\"ticks\":0,\"new" TEXT(VERSION) "\":true}",
	.actions = LIVE_ACTIONS({"which", which}, {"count", count}, {"offload", offload}),
	.private_size = 16 * VERSION,
	.move_on_reload = VERSION == 3,
	.on_mount = on_mount,
	.on_rehydrate = on_rehydrate,
	.on_room_join = on_room_join,
};
