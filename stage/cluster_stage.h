/*
 * cluster_stage - several nodes on stages, with a cluster between them, all run on one thread in an order that the seed
 * decides.
 *
 * Each node is a component_stage; its clients are stage_clients, and whatever runs one of them runs the whole cluster.
 * A node may be paused: it does nothing, and finds when it wakes that the time has gone on. Threads: the test's alone.
 */
#ifndef STAGE_CLUSTER_STAGE_H
#define STAGE_CLUSTER_STAGE_H

#include "server/component/cluster_shard.h"
#include "stage/component_stage.h"
#include "stage/memory_cluster.h"

struct cluster_stage_node {
	struct component_stage *stage;
	struct cluster_settings settings;
	bool is_paused;
	int64_t missed_ms;
};

struct cluster_stage {
	struct memory_cluster *cluster;
	unsigned count;
	uint64_t random;
	struct cluster_stage_node nodes[MEMORY_NODES];
};

enum { STAGE_LEASE_MS = 30000, STAGE_HEARTBEAT_MS = 10000, STAGE_TIMEOUT_MS = 5000 };

/* So many nodes of so many shards. */
struct cluster_stage *cluster_stage_new(unsigned nodes, unsigned shards, uint64_t seed,
					const live_definition *const *definitions);
/* All clients vanish, paused nodes are cut off and end as well; asserts that nothing remains. */
void cluster_stage_free(struct cluster_stage *stage);
/* Runs all until nothing is left to do. */
void cluster_stage_run(struct cluster_stage *stage);
/* Runs so many steps only. */
void cluster_stage_step(struct cluster_stage *stage, unsigned steps);
/* Lets time go by, in pieces, for all nodes and the store. */
void cluster_stage_advance(struct cluster_stage *stage, int64_t ms);
void cluster_stage_pause(struct cluster_stage *stage, unsigned node);
void cluster_stage_wake(struct cluster_stage *stage, unsigned node);
/* How many instances live on node. */
unsigned cluster_stage_instances(const struct cluster_stage *stage, unsigned node);
/* The sum of a counter over the shards of node: offsetof(struct component_counters, ...). */
uint64_t cluster_stage_count(const struct cluster_stage *stage, unsigned node, size_t counter_offset);

#endif
