/*
 * singleton_replies - the answers of a singleton that is owned in a cluster: those that wait until what they tell is
 * stored, and those that were given to other nodes, so that a request which comes again is answered again and not done
 * again.
 *
 * Each answer waits for a change, by its number; they go out in their order. Of those for other nodes the last few are
 * remembered, and travel to the store with the change that they tell of. Embedded in the owner.
 *
 * Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_REPLIES_H
#define SERVER_COMPONENT_SINGLETON_REPLIES_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/arena.h"
#include "core/list.h"
#include "core/map.h"
#include "core/str.h"

struct call;
struct cluster_shard;

enum { REPLIES_REMEMBERED = 512 };

struct replies {
	struct cluster_shard *cluster;
	struct list due;     /* of struct due: answers that wait, oldest first */
	struct map handled;  /* of struct handled, by request id */
	struct list order;   /* of these, oldest first */
	struct list unsaved; /* of these, what the store does not know yet */
};

void replies_init(struct replies *replies, struct cluster_shard *cluster);
/* Forgets all; nobody is answered. */
void replies_deinit(struct replies *replies);

/* A request of another node comes in: true when it is new; else *result is its answer, empty while it is under way. */
bool replies_begin(struct replies *replies, struct str request_id, struct str *result);
/* The answer to request_id, or an empty one when it is not known. */
struct str replies_find(const struct replies *replies, struct str request_id);
/* What the store remembers, oldest first; texts as replies_unsaved gives them. */
void replies_load(struct replies *replies, const struct str *results, size_t count);

/* Answers call when change number waits_for is stored, by deadline_ms; 0: at once. changed: it is to be remembered by
 * the store with that change. result: JSON (ptr NULL: none). */
void replies_put(struct replies *replies, const struct call *call, struct str result, struct str error,
		 uint64_t waits_for, uint64_t changed, int64_t deadline_ms);
/* Changes up to that number are stored: answers what waited for them. */
void replies_stored(struct replies *replies, uint64_t change);
/* Answers all that waits with an error. */
void replies_fail(struct replies *replies, struct str error);
/* Answers those whose time is over with an error; returns the next deadline, or 0. */
int64_t replies_expire(struct replies *replies, int64_t now_ms, struct str error);
/* What the store has to remember yet, or all; returns how many. In arena. */
size_t replies_unsaved(const struct replies *replies, bool all, struct arena *arena, const struct str **results);

#endif
