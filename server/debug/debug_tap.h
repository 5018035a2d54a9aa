/*
 * debug_tap - where one shard tells the debugger what happened there.
 *
 * Events leave as mail to the shard that keeps them. What is on its way from one shard is bounded in number and bytes:
 * what comes faster is dropped and counted, and the next event that fits is preceded by a LOG that says how many are
 * missing. A tap exists only while the debugger is on: without one nothing is written at all. Threads: [shard].
 */
#ifndef SERVER_DEBUG_DEBUG_TAP_H
#define SERVER_DEBUG_DEBUG_TAP_H

#include "core/buf.h"
#include "server/debug/debug_event.h"
#include "shard/shard.h"

struct debug_hub;
struct debug_tap;

/* The tap of shard; NULL when the debugger is off (or hub NULL). The hub's. */
struct debug_tap *debug_tap_of(struct debug_hub *hub, struct shard *shard);
/* Begins an event: append its data to what is returned, one JSON value, then call debug_end. NULL: it is dropped. No
 * other event may begin meanwhile. tap NULL is fine. */
struct buf *debug_begin(struct debug_tap *tap);
void debug_end(struct debug_tap *tap, enum debug_type type, const struct debug_subject *subject);

#endif
