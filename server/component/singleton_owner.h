/*
 * singleton_owner - a singleton that this node owns in the cluster: its claim, which is kept alive, and its state,
 * which is stored.
 *
 * All changes of a tick are stored with one question, and further ones wait for its answer, so the store is asked as
 * often as it can answer. What the singleton says to its clients elsewhere is told by the store in that same step: an
 * owner that was replaced while it slept says nothing and changes nothing. By its own clock it knows for how long its
 * claim is good; beyond that it answers nothing until the store has confirmed it.
 *
 * An owner that let go lives on until the store has answered. Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_OWNER_H
#define SERVER_COMPONENT_SINGLETON_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/str.h"

struct call;
struct cluster_answer;
struct cluster_shard;
struct clustered;
struct owner;

/* The claim of clustered was won at asked_ms, with that answer; state (a loan) is what it begins with. */
struct owner *owner_new(struct cluster_shard *cluster, struct clustered *clustered, struct str name,
			const struct cluster_answer *answer, int64_t asked_ms, const live_value *state);
/* Whether its claim is good, by its own clock. */
bool owner_is_leased(const struct owner *owner);
/* The state has changed to state (a loan). */
void owner_changed(struct owner *owner, const live_value *state);
/* Clients elsewhere shall hear text, too. */
void owner_push(struct owner *owner, struct str text);
/* Answers a call as singleton_answer does, with result as JSON (ptr NULL: none). */
void owner_answer(struct owner *owner, const struct call *call, struct str result, struct str error);
/* The fence of its claim. */
uint64_t owner_fence(const struct owner *owner);
/* A request of another node: true when it is new; else *result is its answer, empty while it is under way. */
bool owner_begin(struct owner *owner, struct str request_id, struct str *result);
/* The stored answer to a request that was forwarded to the owner before; empty: it is not known. */
struct str owner_find(const struct owner *owner, struct str request_id);
/* The store is there again: it may have forgotten. */
void owner_restored(struct owner *owner);

/* ---- the end; owner is not the caller's any more ---- */

enum owner_farewell {
	OWNER_RELEASE, /* its state stays, for whoever claims it next */
	OWNER_FORGET,  /* its state goes, too */
	OWNER_LOST     /* it is another node's already */
};

void owner_let_go(struct owner *owner, enum owner_farewell farewell);
/* The shard ends: those that let go and would ask the store once more do not. */
void owners_end(struct cluster_shard *cluster);

#endif
