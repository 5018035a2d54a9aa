/*
 * redis_stage - shards stepped by hand, with real sockets and real time: nodes in one process, on one thread.
 *
 * Each node has a shard group and a link per shard. redis_stage_until steps all nodes until a condition holds, with a
 * deadline, and sleeps a little when nothing happens. Threads: the test's alone.
 */
#ifndef TESTS_UNIT_REDIS_REDIS_STAGE_H
#define TESTS_UNIT_REDIS_REDIS_STAGE_H

#include <stdbool.h>

#include "redis/link.h"
#include "redis/node.h"
#include "shard/shard.h"

enum { STAGE_NODES_MAX = 4, STAGE_SHARDS_MAX = 4 };

struct stage_node {
	struct redis_node *node;
	struct shard_group *group;
	struct pool *pool;
	unsigned shards;
	struct redis_link *links[STAGE_SHARDS_MAX];
};

struct redis_stage {
	struct stage_node *nodes[STAGE_NODES_MAX];
	unsigned count;
};

/* A node with links to url and fast settings; options (may be NULL) are otherwise kept. */
struct stage_node *stage_node_new(struct redis_stage *stage, const char *url, unsigned shards,
				  const struct redis_options *options);
/* The same; ready is called when the node is made and has no links yet, to add scripts. */
struct stage_node *stage_node_new_with(struct redis_stage *stage, const char *url, unsigned shards,
				       const struct redis_options *options,
				       void (*ready)(struct redis_node *node, void *context), void *context);
/* Ends the links, then the shards. */
void stage_node_free(struct redis_stage *stage, struct stage_node *node);
/* Makes shard index of node the one that is here. */
struct shard *stage_node_enter(struct stage_node *node, unsigned index);
/* Steps all until check(context) holds; false when that does not come within 20 s. */
bool redis_stage_until(struct redis_stage *stage, bool (*check)(void *context), void *context);
/* Steps all for so long. */
void redis_stage_run(struct redis_stage *stage, int ms);

#endif
