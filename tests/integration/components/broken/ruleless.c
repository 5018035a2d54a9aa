/* A rule of an action that there is not. */
#include <live/live.h>

LIVE_COMPONENT{.name = "Broken", .rules = LIVE_RULES({.action = "wipe", .auth = LIVE_AUTH(.required = true)})};
