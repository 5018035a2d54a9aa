/*
 * broadcast - messages to all components that were mounted with the same room (protocol.md 7.6, behaviour.md 6.7). That
 * group is apart from the room's members: it is a channel of type "broadcast" on the event bus. Threads: [shard].
 */
#ifndef SERVER_COMPONENT_BROADCAST_H
#define SERVER_COMPONENT_BROADCAST_H

#include <live/component.h>

#include "core/str.h"

struct broadcast;

/* From now on self hears the broadcasts of its room. NULL without a room. The caller ends it with broadcast_leave. */
struct broadcast *broadcast_join(live_component *self);
/* NULL is fine. */
void broadcast_leave(struct broadcast *broadcast);
/* Sends BROADCAST {type, data} (a loan) to the room of self. 0 or -ENOMEM. */
int broadcast_send(live_component *self, struct str type, const live_value *data, bool exclude_user)
	__attribute__((warn_unused_result));

#endif
