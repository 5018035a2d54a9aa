/*
 * action_rate - how often a client may call a component's actions (live_rate_limit): so many calls in a fixed window,
 * per client, and per action if wanted. A refused call counts too (behaviour.md section 4, step 8).
 *
 * The counts live with the instance and end with it, or with a singleton's client. Threads: [shard].
 */
#ifndef SERVER_COMPONENT_ACTION_RATE_H
#define SERVER_COMPONENT_ACTION_RATE_H

#include <stdbool.h>

#include <live/component.h>

#include "shard/shard.h"

/* Counts a call of action by client: whether it is within the limit. */
bool action_rate_take(live_component *self, struct handle client, const live_action *action);
/* The client let go of a singleton. */
void action_rate_forget(live_component *self, struct handle client);
/* Forgets the windows that are over: of clients of other nodes nobody tells when they let go. */
void action_rate_sweep(live_component *self);
/* The instance ends. */
void action_rate_end(live_component *self);

#endif
