/*
 * timers - a component's timers (live_every, live_after). Threads: [shard].
 */
#ifndef SERVER_COMPONENT_TIMERS_H
#define SERVER_COMPONENT_TIMERS_H

#include <live/component.h>

/* Ends all timers of self. */
void timers_stop_all(live_component *self);

#endif
