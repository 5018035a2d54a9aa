/* A schema whose own default does not fit it. */
#include <live/live.h>

LIVE_COMPONENT{
	.name = "Broken",
	.actions = LIVE_ACTIONS({"set", live_action_set_value}),
	.rules = LIVE_RULES({.action = "set",
			     .schema = LIVE_JSON({"properties" : {"n" : {"type" : "integer", "default" : "x"}}})})};
