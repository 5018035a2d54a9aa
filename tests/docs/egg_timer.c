#include <live/live.h>

struct egg_timer {
	live_timer *ticking; /* NULL: it stands still */
};

static void tick(live_component *self, live_timer *timer)
{
	struct egg_timer *egg_timer = live_private(self);
	int64_t left = live_get_int(self, "left") - 1;

	live_set(self, "left", live_int(left));
	if (left > 0)
		return;
	live_timer_stop(timer);
	egg_timer->ticking = NULL;
	live_emit(self, "DONE", NULL);
}

static int start(live_component *self, const live_value *payload, live_reply *reply)
{
	struct egg_timer *egg_timer = live_private(self);
	int64_t seconds = live_as_int(live_get(payload, "seconds"), 0);

	if (seconds < 1 || seconds > 3600)
		return live_reply_error(reply, "seconds must be 1 to 3600");
	if (egg_timer->ticking)
		live_timer_stop(egg_timer->ticking);
	egg_timer->ticking = live_every(self, 1000, tick);
	live_set(self, "left", live_int(seconds));
	return 0;
}

LIVE_COMPONENT{
	.name = "EggTimer",
	.default_state = LIVE_JSON({"left" : 0}),
	.actions = LIVE_ACTIONS({"start", start}),
	.private_size = sizeof(struct egg_timer),
};
