/*
 * singleton_cluster - a singleton that is one for all nodes, as the home of its name on this node has it: owned here,
 * or mirrored, since another node owns it.
 *
 * The first mount claims it. Whoever wins makes the instance, from the state that is stored, if there is one. All
 * others mirror it: they hold its state for their clients, hear its changes, and forward what their clients ask. When
 * the owner leaves or its claim expires, a mirror that has clients claims it, and its clients go on under the same id.
 * behaviour.md 14.2; docs/clustering.md tells what is promised.
 *
 * One of these belongs to an audience, from its first mount to its end. Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_CLUSTER_H
#define SERVER_COMPONENT_SINGLETON_CLUSTER_H

#include <stdbool.h>

#include <live/component.h>

#include "core/list.h"
#include "core/str.h"
#include "pubsub/cluster.h"

struct audience;
struct call;
struct clustered;
struct component_shard;
struct owner;
struct singleton_request;

/* For a new audience: claims its singleton. */
struct clustered *clustered_new(struct audience *audience);

/* ---- for the home ---- */

/* Serves a request while the instance is not here. Whether it keeps request, which is then its own. */
bool clustered_serve(struct clustered *clustered, struct singleton_request *request);
/* The owner, or NULL: the instance is not here. */
struct owner *clustered_owner(const struct clustered *clustered);
/* The last client leaves: what ends now is to be left to other nodes. */
void clustered_leave(struct clustered *clustered);
/* The instance has ended, with state (a loan) and id. Whether the audience goes on without it. */
bool clustered_ended(struct clustered *clustered, struct str id, const live_value *state);
/* Who owns it elsewhere; empty: nobody, or this node. A loan. */
struct str clustered_elsewhere(const struct clustered *clustered);

/* ---- for its owner ---- */

/* The claim is another node's. */
void clustered_lost(struct clustered *clustered);
/* At each heartbeat. */
void clustered_beat(struct clustered *clustered);

/* ---- for the shard's place in the cluster ---- */

/* Another node told of it. */
void clustered_heard(struct clustered *clustered, const live_value *message);
/* The store can be reached again. */
void clustered_restored(struct clustered *clustered);
/* Gives it to another node, if it is owned here. */
void clustered_hand_over(struct clustered *clustered);
/* The shard ends. */
void clustered_end(struct clustered *clustered);

#endif
