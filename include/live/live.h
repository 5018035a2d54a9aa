/*
 * live - everything that the author of a component needs; include this one. Threads: as each header says.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include <live/component.h>
#include <live/value.h>

#endif
