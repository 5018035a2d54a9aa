/*
 * action - what a client may do to a component: call an action, write a property. The checks stand in the order of
 * behaviour.md section 4, with its words. Threads: [shard] of the component.
 */
#ifndef SERVER_COMPONENT_ACTION_H
#define SERVER_COMPONENT_ACTION_H

#include <live/component.h>

#include "core/str.h"

struct call;

/* Runs call->action of self with payload (a loan) and completes the call, now or later. Notes in call when it began and
 * how long it took. */
void action_run(live_component *self, struct call *call, const live_value *payload);
/* Writes all keys of state (an object; a loan) as one change, if a client may write each. NULL, or the text of the
 * refusal in the tick's memory. */
const char *action_set_state(live_component *self, const live_value *state);
/* Writes the property key. NULL, or the text of the refusal in the tick's memory. value is a loan. */
const char *action_set_property(live_component *self, struct str key, const live_value *value);

#endif
