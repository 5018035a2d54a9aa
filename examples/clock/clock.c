/*
 * Clock - the server's time, pushed once a second, and which shard of which node pushes it.
 */
#include <live/live.h>

struct clock {
	int64_t started_ms;
};

static void tick(live_component *self, live_timer *timer)
{
	struct clock *clock = live_private(self);

	(void)timer;
	live_set_state(self, live_object("time", live_int(live_now_ms(self)), "uptime",
					 live_int((live_now_ms(self) - clock->started_ms) / 1000), NULL));
}

static int on_mount(live_component *self, live_reply *reply)
{
	struct clock *clock = live_private(self);

	(void)reply;
	clock->started_ms = live_now_ms(self);
	live_set_state(self, live_object("time", live_int(clock->started_ms), "uptime", live_int(0), "shard",
					 live_int(live_shard(self)), "shards", live_int(live_shard_count(self)), "node",
					 live_string(live_node(self)), NULL));
	live_every(self, 1000, tick);
	return 0;
}

LIVE_COMPONENT{
	.name = "Clock",
	.default_state = LIVE_JSON({"time" : 0, "uptime" : 0, "shard" : 0, "shards" : 0, "node" : ""}),
	.private_size = sizeof(struct clock),
	.on_mount = on_mount,
};
