/* Tally - a singleton that counts increments by token, for tests/chaos.sh. */
#include "chaos_count.h"

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set_state(self, count_one(live_state(self), payload));
	return 0;
}

LIVE_COMPONENT{
	.name = "Tally",
	.singleton = true,
	.default_state = LIVE_JSON({"s" : 0}),
	.actions = LIVE_ACTIONS({"add", add}),
};
