/* A shared object, but no component. */
#include <live/visibility.h>

LIVE_API extern const int nothing;
const int nothing = 1;
