/* Holds its shard by work for payload.ms, as a component with a bug would: for what must notice that. */
#include <live/live.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int hold(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t until = now_ms() + live_as_int(live_get(payload, "ms"), 0);

	(void)self;
	(void)reply;
	while (now_ms() < until)
		;
	return 0;
}

LIVE_COMPONENT{
	.name = "Stall",
	.actions = LIVE_ACTIONS({"hold", hold}),
};
