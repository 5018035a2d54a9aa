/*
 * cluster_visit - what a client of another node asks of a singleton that is owned here.
 *
 * The request names who asks; with that the owner authorises, as it would a client of its own (so nodes trust one
 * another, or what is sealed). Each is done once, however often it comes. Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_CLUSTER_VISIT_H
#define SERVER_COMPONENT_CLUSTER_VISIT_H

#include <live/value.h>

struct cluster_shard;

/* Does it, and answers the port that sent it. request is a loan. */
void cluster_visit(struct cluster_shard *cluster, const live_value *request);

#endif
