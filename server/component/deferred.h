/*
 * deferred - replies that come later (live_reply_defer), and those that never come.
 *
 * What waits for the reply stays on the component's shard, under a handle and with a deadline; what the author holds is
 * a piece of mail that names that handle. So a reply may be completed on any thread, after its client or its component
 * has gone, or after its time is over, and finds nothing then. The shard owns what the author holds: it outlives the
 * reply for a while, so that one who ends it twice is found out, and what was never ended is freed with the shard.
 * Threads: [shard], but for live_deferred_value and live_deferred_error.
 */
#ifndef SERVER_COMPONENT_DEFERRED_H
#define SERVER_COMPONENT_DEFERRED_H

#include <live/component.h>

struct component_shard;

/* The shard ends: forgets what still waits. What authors hold stays until the shard is freed. */
void deferred_forget_all(struct component_shard *here);

#endif
