/*
 * Limited - a component for tests of what authors declare: rate limits, replies that never come, slow actions, the
 * event bus.
 */
#include <time.h>

#include <live/live.h>

static int touch(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "touched", live_int(live_get_int(self, "touched") + 1));
	return 0;
}

static int idle(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

struct limited {
	live_deferred *kept;
};

/* Defers its reply and ends it only when everything is over. */
static int never(live_component *self, const live_value *payload, live_reply *reply)
{
	struct limited *limited = live_private(self);

	(void)payload;
	limited->kept = live_reply_defer(reply);
	return 0;
}

static void on_destroy(live_component *self)
{
	struct limited *limited = live_private(self);

	if (limited->kept)
		live_deferred_value(limited->kept, live_string("too late"));
}

/* Fails after it deferred: what was deferred counts. */
static int both(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_deferred_value(live_reply_defer(reply), live_string("deferred"));
	return live_reply_error(reply, "and failed");
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Holds its shard. */
static int hog(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t until_ms = clock_ms() + live_as_int(live_get(payload, "ms"), 0);

	(void)self;
	(void)reply;
	while (clock_ms() < until_ms)
		;
	return 0;
}

static int tell(live_component *self, const live_value *payload, live_reply *reply)
{
	bool notify_self = live_as_bool(live_get(payload, "too"));

	if (live_emit_room_event(self, "told", live_value_ref(live_get(payload, "data")), notify_self) < 0)
		return live_reply_error(reply, "no room");
	return 0;
}

static int tell_with_state(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	return live_emit_room_event_with_state(self, "told", live_value_ref(live_get(payload, "data")),
					       live_object("mine", live_value_ref(live_get(payload, "data")), NULL));
}

static const live_value *double_touched(const live_value *state, const live_value *argument)
{
	return live_object("touched", live_int(live_as_int(live_get(state, "touched"), 0) * live_as_int(argument, 1)),
			   NULL);
}

static int multiply(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_update_state(self, double_touched, live_value_ref(live_get(payload, "by")));
	return 0;
}

static void on_told(live_component *self, const char *event, const live_value *data)
{
	live_set_state(self, live_object("event", live_string(event), "heard", live_value_ref(data), NULL));
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	if (live_room(self))
		return live_on_room_event(self, "told", on_told);
	return 0;
}

LIVE_COMPONENT{
	.name = "Limited",
	.default_state = LIVE_JSON({"touched" : 0, "heard" : null, "event" : "", "mine" : null}),
	.actions = LIVE_ACTIONS({"touch", touch}, {"idle", idle}, {"never", never}, {"both", both}, {"hog", hog},
				{"tell", tell}, {"tellWithState", tell_with_state}, {"multiply", multiply}),
	.rate_limit = LIVE_RATE_LIMIT(.max_calls = 3, .window_ms = 60000, .per_action = true),
	.private_size = sizeof(struct limited),
	.on_mount = on_mount,
	.on_destroy = on_destroy,
};
