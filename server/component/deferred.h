/*
 * deferred - replies that come later (live_reply_defer), and those that never come.
 *
 * What waits for the reply stays on the component's shard, under a handle and with a deadline; what the author holds is
 * a piece of mail that names that handle. So a reply may be completed on any thread, after its client or its component
 * has gone, or after its time is over, and finds nothing then. Threads: [shard], but for live_deferred_value and
 * live_deferred_error.
 */
#ifndef SERVER_COMPONENT_DEFERRED_H
#define SERVER_COMPONENT_DEFERRED_H

#include <live/component.h>

struct component_shard;

/* The shard ends: frees what still waits. */
void deferred_forget_all(struct component_shard *here);
/* [any] Frees deferred unanswered: for when all shards end. */
void deferred_drop(live_deferred *deferred);

#endif
