/* Persistent data that is no object. */
#include <live/live.h>

LIVE_COMPONENT{.name = "Broken", .persistent = "7"};
