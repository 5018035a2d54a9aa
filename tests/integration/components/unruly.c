/*
 * Unruly - a component that takes more than its part of the shard, in whatever way it is asked to: it holds it, floods
 * it, storms it with timers, joins thousands of rooms, and says again whatever it hears.
 */
#include <stdio.h>
#include <unistd.h>

#include <live/live.h>

struct unruly {
	live_timer *timer;
	bool is_over; /* its loop of events */
};

static int64_t number(const live_value *payload, const char *key)
{
	return live_as_int(live_get(payload, key), 0);
}

/* ---- time ---- */

static int hold(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)reply;
	usleep((useconds_t)number(payload, "ms") * 1000);
	return 0;
}

static void stop_itself(live_component *self, live_timer *timer)
{
	live_timer_stop(timer);
	live_timer_stop(timer);
	live_set(self, "ticks", live_int(live_get_int(self, "ticks") + 1));
}

static void stop_other(live_component *self, live_timer *timer)
{
	struct unruly *unruly = live_private(self);

	(void)timer;
	live_timer_stop(unruly->timer); /* due in the same tick */
	live_set(self, "stopped", live_bool(true));
}

static void must_not_run(live_component *self, live_timer *timer)
{
	(void)timer;
	live_set(self, "ran", live_bool(true));
}

static int timers(live_component *self, const live_value *payload, live_reply *reply)
{
	struct unruly *unruly = live_private(self);

	(void)payload;
	(void)reply;
	live_every(self, 1, stop_itself);
	live_after(self, 1, stop_itself);
	live_after(self, 5, stop_other);
	unruly->timer = live_after(self, 5, must_not_run);
	return 0;
}

static void tick(live_component *self, live_timer *timer)
{
	(void)timer;
	live_set(self, "ticks", live_int(live_get_int(self, "ticks") + 1));
}

static int storm(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (int64_t i = 0; i < number(payload, "count"); i++)
		live_every(self, -1, tick);
	return 0;
}

/* ---- blocking work ---- */

static const live_value *sleep_on(const live_value *argument)
{
	usleep((useconds_t)live_as_int(argument, 0) * 1000);
	return NULL;
}

static void worked(live_component *self, const live_value *result)
{
	live_set(self, "worked", live_bool(live_is_null(result)));
}

static int work(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	return live_offload(self, sleep_on, live_value_ref(live_get(payload, "ms")), worked);
}

/* ---- events ---- */

static int flood(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (int64_t i = 0; i < number(payload, "count"); i++)
		live_emit(self, "FLOOD", live_int(i));
	return 0;
}

static int join(live_component *self, const live_value *payload, live_reply *reply)
{
	char room[32];

	for (int64_t i = 0; i < number(payload, "count"); i++) {
		snprintf(room, sizeof room, "many-%lld", (long long)i);
		if (live_room_join(self, room, NULL) < 0)
			return live_reply_error(reply, "room %lld", (long long)i);
	}
	return 0;
}

static int join_odd(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_array_of(live_int(live_room_join(self, "", NULL)),
					      live_int(live_room_join(self, "a b", NULL)),
					      live_int(live_room_join(self, NULL, NULL)),
					      live_int(live_room_emit(self, "nowhere", "e", NULL)),
					      live_int(live_room_set_state(self, "nowhere", NULL)),
					      live_int(live_room_leave(self, "nowhere")), LIVE_END));
	return 0;
}

static void on_toggled(live_component *self, const char *room, const char *event, const live_value *data);

/* Leaves inside its own handler, comes back, and listens twice. */
static void on_toggled(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)event;
	(void)data;
	char name[64];

	snprintf(name, sizeof name, "%s", room); /* the loan ends with the membership */
	live_room_leave(self, name);
	live_room_join(self, name, NULL);
	live_room_on(self, name, "*", on_toggled);
	live_room_on(self, name, "toggle", on_toggled);
	live_set(self, "toggled", live_int(live_get_int(self, "toggled") + 1));
}

static int toggle(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	if (live_room_join(self, "toggled", NULL) < 0)
		return -1;
	return live_room_on(self, "toggled", "toggle", on_toggled);
}

/* Says again what it has heard: two of these never stop by themselves. */
static void on_echo(live_component *self, const char *room, const char *event, const live_value *data)
{
	struct unruly *unruly = live_private(self);

	if (unruly->is_over)
		return;
	live_set(self, "heard", live_int(live_get_int(self, "heard") + 1));
	live_room_emit(self, room, event, live_value_ref(data));
}

static void on_bus(live_component *self, const char *event, const live_value *data)
{
	struct unruly *unruly = live_private(self);

	if (unruly->is_over)
		return;
	live_set(self, "heard", live_int(live_get_int(self, "heard") + 1));
	live_emit_room_event(self, event, live_value_ref(data), true);
}

static int echo(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_room_join(self, "echo", NULL);
	return live_room_on(self, "echo", "*", on_echo);
}

static int say(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_room_emit(self, "echo", "ping", live_int(1));
}

static int echo_on_bus(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	if (live_on_room_event(self, "*", on_bus) < 0)
		return -1;
	return live_emit_room_event(self, "ping", live_int(1), true);
}

static int hush(live_component *self, const live_value *payload, live_reply *reply)
{
	struct unruly *unruly = live_private(self);

	(void)payload;
	(void)reply;
	unruly->is_over = true;
	return 0;
}

LIVE_COMPONENT{
	.name = "Unruly",
	.default_state = LIVE_JSON({"ticks" : 0}),
	.private_size = sizeof(struct unruly),
	.actions = LIVE_ACTIONS({"hold", hold}, {"timers", timers}, {"storm", storm}, {"work", work}, {"flood", flood},
				{"join", join}, {"joinOdd", join_odd}, {"toggle", toggle}, {"echo", echo}, {"say", say},
				{"echoOnBus", echo_on_bus}, {"hush", hush}),
};
