/* Tally - a singleton that counts increments by token, for tests/chaos.sh. */
#include "chaos_count.h"

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *result;

	live_set_state(self, count_one(live_state(self), payload, &result));
	live_reply_value(reply, result);
	return 0;
}

LIVE_COMPONENT{
	.name = "Tally",
	.singleton = true,
	.default_state = LIVE_JSON({"t" : 0}),
	.actions = LIVE_ACTIONS({"add", add}),
};
