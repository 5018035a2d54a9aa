/* One action's name twice. */
#include <live/live.h>

LIVE_COMPONENT{.name = "Broken", .actions = LIVE_ACTIONS({"a", live_action_set_value}, {"a", live_action_set_value})};
