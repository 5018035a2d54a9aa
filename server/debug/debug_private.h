/*
 * debug_private - the inside of the debugger, for the files of this folder.
 *
 * Everything of the hub belongs to the shard DEBUG_OWNER, but for the taps, one of each shard, and the counters.
 * Threads: [shard], as said.
 */
#ifndef SERVER_DEBUG_DEBUG_PRIVATE_H
#define SERVER_DEBUG_DEBUG_PRIVATE_H

#include "core/counter.h"
#include "core/frame.h"
#include "core/list.h"
#include "server/debug/debug.h"
#include "server/debug/debug_event.h"
#include "server/debug/debug_tap.h"
#include "shard/shard.h"

enum { DEBUG_OWNER = 0, DEBUG_KEPT = 500, DEBUG_REPLAYED = 100, DEBUG_SCRATCH_BYTES = 64 * 1024 };

struct debug_tap {
	struct debug_hub *hub;
	unsigned shard;
	struct buf data;    /* of the event that was begun */
	uint64_t untold;    /* dropped since the last LOG about it */
	counter sent;       /* events: written by this shard, as are the next two */
	counter sent_bytes; /* of data */
	counter dropped;
	counter taken; /* written by the owner, as is the next: what is between sent and taken is on its way */
	counter taken_bytes;
};

struct kept_event {
	struct frame *message; /* DEBUG_EVENT, as clients get it */
	size_t start, len;     /* of the event in message */
	enum debug_type type;
	char component_id[]; /* NUL-terminated; empty: none */
};

/* The way from the owner to those who listen on one shard. */
struct debug_lane {
	uint64_t sent; /* messages: the owner's own */
	counter taken; /* written by the shard, read by the owner */
};

struct debug_hub {
	struct shard_group *group;
	unsigned shards;
	struct debug_options options;
	bool is_started;    /* the owner has its tap, since: */
	int64_t started_ms; /* mono */
	struct kept_event *kept[DEBUG_KEPT];
	uint64_t first;          /* of those kept: number first + 1 is the oldest */
	counter last;            /* number of the newest: written by the owner, read by any */
	struct list subscribers; /* of debug_audience.c */
	counter clients;         /* written by the owner, read by any */
	counter skipped;         /* the same */
	struct buf scratch;
	struct debug_lane *lanes; /* one of each shard */
	struct debug_tap taps[];
};

/* ---- debug_tap.c ---- */

void debug_tap_init(struct debug_tap *tap, struct debug_hub *hub, unsigned shard);
void debug_tap_deinit(struct debug_tap *tap);

/* ---- debug_hub.c ---- */

/* Takes an event in, on the owner. */
void debug_hub_deliver(struct mail *mail, struct shard *here);
/* The event of that number, which is above hub->first. On the owner. */
static inline struct kept_event *debug_hub_kept(const struct debug_hub *hub, uint64_t number)
{
	return hub->kept[number % DEBUG_KEPT];
}
/* Forgets what is kept. On the owner. */
void debug_hub_clear(struct debug_hub *hub);

/* ---- debug_audience.c: on the owner ---- */

/* Sends message (a loan) to all that were welcomed; who is too far behind goes without. */
void debug_audience_tell(struct debug_hub *hub, struct shard *here, struct frame *message);
/* When the group has gone. */
void debug_audience_free(struct debug_hub *hub);

/* ---- debug_snapshot.c ---- */

struct debug_question {
	/* On the owner; snapshot is a JSON object, a loan, ptr NULL when the server ended before. Frees self. */
	void (*done)(struct debug_question *self, struct shard *here, struct str snapshot);
};

/* Asks all shards, from the owner. */
void debug_snapshot_ask(struct debug_hub *hub, struct shard *here, struct debug_question *question);

#endif
