/* A default state that is no object. */
#include <live/live.h>

LIVE_COMPONENT{.name = "Broken", .default_state = "[1"};
