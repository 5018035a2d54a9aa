/* A component for the tests of debugger, log and watchdog: it fails, takes its time, and says what it does. */
#include <stdlib.h>
#include <time.h>

#include <live/live.h>

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t n = live_get_int(self, "n") + live_as_int(live_get(payload, "by"), 1);

	live_set(self, "n", live_int(n));
	live_log(self, LIVE_LOG_MESSAGES, "n is %lld now", (long long)n);
	live_reply_value(reply, live_int(n));
	return 0;
}

static int patch(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set_state(self, live_value_ref(payload));
	return 0;
}

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_log_warn(self, LIVE_LOG_LIFECYCLE, "about to fail: \xff");
	return live_reply_error(reply, "no luck");
}

/* Holds its shard for so many ms. */
static int hold(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t ms = live_as_int(live_get(payload, "ms"), 0);
	struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)self;
	(void)reply;
	nanosleep(&rest, NULL);
	return 0;
}

static void reply_later(live_component *self, live_timer *timer)
{
	live_deferred **waiting = live_private(self);

	(void)timer;
	live_deferred_value(*waiting, live_string("late"));
}

static int later(live_component *self, const live_value *payload, live_reply *reply)
{
	live_deferred **waiting = live_private(self);

	*waiting = live_reply_defer(reply);
	live_after(self, live_as_int(live_get(payload, "ms"), 0), reply_later);
	return 0;
}

/* Says something in every way there is. */
static int say(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_emit(self, "NOTE", live_value_ref(payload));
	live_broadcast(self, "CAST", live_value_ref(payload), false);
	live_emit_room_event(self, "bus", live_value_ref(payload), true);
	live_room_set_state(self, NULL, live_object("said", live_bool(true), NULL));
	return live_room_emit(self, NULL, "talk", live_value_ref(payload));
}

static void on_bus(live_component *self, const char *event, const live_value *data)
{
	(void)event;
	live_set(self, "heard", live_value_ref(data));
}

static void on_talk(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room;
	(void)event;
	live_set(self, "heard", live_value_ref(data));
}

static int listen(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_room_on(self, NULL, "talk", on_talk);
}

static int on_mount(live_component *self, live_reply *reply)
{
	if (live_room(self) && live_on_room_event(self, "bus", on_bus) < 0)
		return live_reply_error(reply, "no bus");
	if (live_get_bool(self, "refuse"))
		return live_reply_error(reply, "not today");
	return 0;
}

LIVE_COMPONENT{
	.name = "Watched",
	.default_state = LIVE_JSON({"n" : 0}),
	.logging = LIVE_LOG_STATE | LIVE_LOG_MESSAGES,
	.on_mount = on_mount,
	.private_size = sizeof(live_deferred *),
	.actions = LIVE_ACTIONS({"add", add}, {"patch", patch}, {"fail", fail}, {"hold", hold}, {"listen", listen},
				{"later", later}, {"say", say}),
};
