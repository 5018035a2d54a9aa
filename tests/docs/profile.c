#include <live/live.h>

LIVE_COMPONENT{
	.name = "Profile",
	.default_state = LIVE_JSON({"name" : "", "colour" : "blue", "visits" : 0}),
	.updatable = (const char *const[]){"name", "colour", NULL},
	.actions = LIVE_ACTIONS({"setValue", live_action_set_value}),
};
