/* Built for another header. */
#include <live/live.h>

LIVE_API extern const uint32_t live_plugin_abi;
LIVE_API extern const uint32_t live_plugin_size;
LIVE_API extern const live_definition live_plugin_definition;
const uint32_t live_plugin_abi = LIVE_ABI + 1;
const uint32_t live_plugin_size = sizeof(live_definition);
const live_definition live_plugin_definition = {.name = "Broken"};
