/*
 * debug - the debugger: what happened to components, clients and rooms, kept for whoever looks (behaviour.md section
 * 12).
 *
 * One hub for a server. While it is enabled every shard tells it what happens (debug_tap.h); the shard that owns it
 * keeps the last 500 events and sends them to its clients (debug_client.h). Whoever is on any thread may ask it; the
 * answer comes on the owning shard. Built before the shards start, freed after their group. What one may get wrong:
 * waiting on a shard for an answer, since that shard may be the one that answers.
 */
#ifndef SERVER_DEBUG_DEBUG_H
#define SERVER_DEBUG_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "shard/shard.h"

struct debug_hub;

struct debug_options {
	bool enabled;
	/* [shard] Appends to out the components that live on shard, for a snapshot: JSON objects separated by commas,
	 * and no more of them once out is longer than limit. */
	void (*collect)(struct shard *shard, struct buf *out, size_t limit);
};

/* [start] The debugger of the shards of group. Never NULL. */
struct debug_hub *debug_hub_new(struct shard_group *group, const struct debug_options *options);
/* [start] After the group was freed. NULL is fine. */
void debug_hub_free(struct debug_hub *hub);
/* [any] */
bool debug_is_enabled(const struct debug_hub *hub);

/* ---- asking [any] ---- */

struct debug_filter {
	const char *component_id; /* only of this instance; NULL: of all */
	const char *type;         /* only of this type ("LOG"); NULL: of all */
	unsigned limit;           /* at most the last so many; 0: 100 */
};

/* [shard] An answer, a loan; NULL when the server ended before it came. Called once, on the owning shard. */
typedef void debug_answer_fn(void *context, const live_value *answer);

/* The events that filter (copied) lets through, oldest first, as an array of objects. */
void debug_get_events(struct debug_hub *hub, const struct debug_filter *filter, debug_answer_fn *answer, void *context);
/* Components, clients of the debugger, uptime and number of events, as the object that its clients get. */
void debug_get_snapshot(struct debug_hub *hub, debug_answer_fn *answer, void *context);
/* Forgets the events that are kept; their numbers go on. */
void debug_clear(struct debug_hub *hub);

/* ---- listening [shard]: snapshot, the last 100 events, then what happens, as messages of protocol.md section 18 ----
 */

struct debug_listener { /* embedded in who listens, and named by a handle of its shard */
	void (*take)(struct debug_listener *self, struct str message);
};

enum debug_wish {
	DEBUG_COME,  /* to be welcomed with a snapshot, then to hear what happens */
	DEBUG_SHOW,  /* a new snapshot: it missed something */
	DEBUG_LEAVE, /* to hear no more; its handle may be closed */
};

/* here: the shard of listener. */
void debug_wish(struct debug_hub *hub, struct shard *here, enum debug_wish wish, struct handle listener);

/* ---- figures [any] ---- */

struct debug_figures {
	uint64_t events;  /* that were kept since the start */
	uint64_t dropped; /* that came too fast */
	uint64_t skipped; /* not sent to a client that was behind */
	uint64_t clients; /* now */
};

struct debug_figures debug_figures(const struct debug_hub *hub);

#endif
