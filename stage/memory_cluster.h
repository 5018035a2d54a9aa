/*
 * memory_cluster - a cluster within one test: a store and channels that several nodes on stages share, and the ways in
 * which the real ones fail.
 *
 * What a port asks, tells and hears waits in queues until memory_cluster_pump moves one thing of one queue, which the
 * seed chooses; so answers and messages come as late, and as much turned round among nodes, as they may, but each queue
 * keeps its order. The store does what the scripts of redis/cluster_adapter.c do. Threads: the test's alone.
 */
#ifndef STAGE_MEMORY_CLUSTER_H
#define STAGE_MEMORY_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "pubsub/cluster.h"

struct memory_cluster;

enum { MEMORY_NODES = 4 };

/* How a node gets on with the store. */
enum memory_link {
	MEMORY_LINK_UP,
	MEMORY_LINK_CUT,   /* nothing is asked, told or heard; questions are answered with CLUSTER_UNKNOWN */
	MEMORY_LINK_STUCK, /* all waits, and goes on when it is up */
	MEMORY_LINK_DEAF,  /* what is asked is done, but its answer is CLUSTER_UNKNOWN, and nothing is heard */
};

struct memory_cluster *memory_cluster_new(uint64_t seed, int64_t lease_ms);
/* After all ports were closed. */
void memory_cluster_free(struct memory_cluster *cluster);
/* The adapter of a node, below MEMORY_NODES. */
struct cluster_adapter *memory_cluster_adapter(struct memory_cluster *cluster, unsigned node);
void memory_cluster_link(struct memory_cluster *cluster, unsigned node, enum memory_link link);
/* Moves one thing; false when nothing waits that could be moved. */
bool memory_cluster_pump(struct memory_cluster *cluster);
/* Claims expire as time goes by. */
void memory_cluster_advance(struct memory_cluster *cluster, int64_t ms);
/* The store loses all that it knows. */
void memory_cluster_forget(struct memory_cluster *cluster);
/* Who owns name, as "port:component"; "" when nobody does. A loan. */
const char *memory_cluster_owner(const struct memory_cluster *cluster, const char *name);
/* The stored state of name ({"state":...}), or "". A loan. */
const char *memory_cluster_state(const struct memory_cluster *cluster, const char *name);
/* The last message told to a port that no node has (a reference node, say), or "". A loan. */
const char *memory_cluster_stray(const struct memory_cluster *cluster);
/* Somebody else (a reference node, say) tells message to the port id, or (NULL) to all who hear deltas. */
void memory_cluster_tell(struct memory_cluster *cluster, const char *id, const char *message);
/* Somebody else claims name; state NULL: it stores none. value as memory_cluster_owner has it. */
void memory_cluster_put(struct memory_cluster *cluster, const char *name, const char *value, const char *state);
/* The id of the port that node opened n-th. */
const char *memory_cluster_port(const struct memory_cluster *cluster, unsigned node, unsigned n);

#endif
