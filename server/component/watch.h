/*
 * watch - how long components take and how often they fail: what is over a threshold becomes an alert
 * (behaviour.md section 13), kept, logged, and told to the debugger.
 *
 * The thresholds are settings; 0 turns one off. Threads: [shard] of the component.
 */
#ifndef SERVER_COMPONENT_WATCH_H
#define SERVER_COMPONENT_WATCH_H

#include "core/str.h"
#include "server/component/instance.h"

/* Its mount was answered after took_ns. */
void watch_mounted(live_component *self, int64_t took_ns);
/* An action of it was answered after took_ns. */
void watch_answered(live_component *self, struct str action, int64_t took_ns);
/* Something of it failed: one more error. */
void watch_failed(live_component *self);

#endif
