/* No name. */
#include <live/live.h>

LIVE_COMPONENT{.default_state = "{}"};
