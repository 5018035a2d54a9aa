/*
 * errand - a question of the program, carried to one shard or to all of them, and its one answer.
 *
 * An errand has a leg for each shard that it asks. A leg is mail: on its shard, visit looks for what is asked and ends
 * the leg, at once or later, with a part of the answer, an error, or nothing. Whoever ends the last leg tells the
 * program: an error if any leg had one, else what join makes of the parts (without join: the first part), else nothing
 * was found, and that is an error, too. So nothing is shared, and the answer comes exactly once, also when the server
 * ends meanwhile.
 *
 * What one may get wrong: a visit that neither ends its leg nor sees to it that somebody will. Threads: tagged.
 */
#ifndef SERVER_EMBED_ERRAND_H
#define SERVER_EMBED_ERRAND_H

#include <live/registry.h>

#include "core/list.h"
#include "core/str.h"
#include "shard/shard.h"

struct errand;
struct server_shard;

/* What is said when the server does not run, or ends before it answered. */
#define ERRAND_ENDED "The server does not run"

struct errand_leg {
	struct mail mail;
	struct list link; /* server_shard->legs, while it is held */
	struct errand *errand;
	const live_value *part; /* ours */
	char *error;            /* ours */
};

/* Reads each leg on the way to its shard. [shard] Ends leg, now or later, by errand_end. */
typedef void errand_visit(struct errand_leg *leg, struct server_shard *here);
/* Makes the answer of count parts (loans; those of shards with nothing to say are NULL). A new reference. [any] */
typedef const live_value *errand_join(const live_value *const *parts, unsigned count);

struct errand_plan { /* what a function of the API asks */
	errand_visit *visit;
	errand_join *join; /* NULL: the first part is the answer */
	const live_value
		*nothing;    /* given away: the answer when there is no part; NULL: then it is the error missing */
	const char *missing; /* a static text */
	const live_value *argument; /* given away; for visit */
	const live_auth *auth;      /* given away; for visit */
	union {                     /* a function of the program, for visit */
		live_visit_fn *visit;
		live_room_update_fn *update;
	} program;
	live_done_fn *done; /* may be NULL: nobody wants to know */
	void *context;
};

/* [any] Asks all shards, or only the one numbered shard. */
void errand_send(live_server *server, const struct errand_plan *plan);
void errand_send_to(live_server *server, unsigned shard, const struct errand_plan *plan);

/* [any] What visit needs. */
const struct errand_plan *errand_plan(const struct errand_leg *leg);
/* The string named key of the argument; ptr NULL when there is none. */
struct str errand_text(const struct errand_leg *leg, const char *key);
const live_value *errand_value(const struct errand_leg *leg, const char *key);

/* [shard] The leg waits for something that does not come when the shard ends: then it is ended by errands_end. */
void errand_hold(struct errand_leg *leg, struct server_shard *here);
/* [shard] The shard ends: so do the legs that are held. */
void errands_end(struct server_shard *here);

/* [any] Ends leg, which is gone afterwards: with an error (copied; NULL: none) and a part (given away; NULL: none). */
void errand_end(struct errand_leg *leg, const char *error, const live_value *part);

/* ---- lists, which are what many ask for ---- */

struct errand_list { /* zeroed before first use */
	const live_value **items;
	size_t count;
};

/* Gives item away. */
void errand_list_add(struct errand_list *list, const live_value *item);
/* The array of all that was added; list is empty again. */
const live_value *errand_list_end(struct errand_list *list);
/* All parts, which are arrays, one behind the other. */
const live_value *errand_join_lists(const live_value *const *parts, unsigned count);

#endif
