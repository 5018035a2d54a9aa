/*
 * Sealed - a component whose rooms take their state from the server alone.
 */
#include <live/live.h>

LIVE_COMPONENT{.name = "Sealed", .server_only_room_state = true};
