#include "stage/cluster_stage.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "stage/stage.h"

static void run_all(void *context)
{
	cluster_stage_run(context);
}

struct cluster_stage *cluster_stage_new(unsigned nodes, unsigned shards, uint64_t seed,
					const live_definition *const *definitions)
{
	struct cluster_stage *stage = mem_alloc(sizeof *stage);

	assert_always(nodes <= MEMORY_NODES);
	stage->random = stage_seed(seed);
	stage->cluster = memory_cluster_new(stage->random, STAGE_LEASE_MS);
	stage->count = nodes;
	for (unsigned i = 0; i < nodes; i++) {
		struct cluster_stage_node *node = &stage->nodes[i];
		node->settings = (struct cluster_settings){
			.adapter = memory_cluster_adapter(stage->cluster, i),
			.heartbeat_ms = STAGE_HEARTBEAT_MS,
			.timeout_ms = STAGE_TIMEOUT_MS,
		};
		const struct component_stage_cluster cluster = {&node->settings, run_all, stage};
		node->stage = component_stage_new_clustered(shards, stage->random + i + 1, definitions, &cluster);
	}
	return stage;
}

static struct stage *steps_of(struct cluster_stage *stage, unsigned node)
{
	return component_stage_steps(stage->nodes[node].stage);
}

static unsigned run_nodes(struct cluster_stage *stage)
{
	unsigned did = 0;

	for (unsigned i = 0; i < stage->count; i++)
		if (stage->nodes[i].stage && !stage->nodes[i].is_paused)
			did += stage_run(steps_of(stage, i));
	return did;
}

void cluster_stage_step(struct cluster_stage *stage, unsigned steps)
{
	while (steps--) {
		memory_cluster_pump(stage->cluster);
		if (stage_random_below(&stage->random, 2))
			run_nodes(stage);
	}
}

void cluster_stage_run(struct cluster_stage *stage)
{
	unsigned quiet = 0;

	while (quiet < 2) {
		unsigned did = run_nodes(stage);
		bool moved = memory_cluster_pump(stage->cluster);
		quiet = did || moved ? 0 : quiet + 1;
	}
}

void cluster_stage_advance(struct cluster_stage *stage, int64_t ms)
{
	cluster_stage_run(stage);
	for (int64_t piece; ms > 0; ms -= piece) {
		piece = ms < 50 ? ms : 50;
		memory_cluster_advance(stage->cluster, piece);
		for (unsigned i = 0; i < stage->count; i++) {
			if (stage->nodes[i].is_paused)
				stage->nodes[i].missed_ms += piece;
			else
				stage_advance(steps_of(stage, i), piece);
		}
		cluster_stage_run(stage);
	}
}

void cluster_stage_pause(struct cluster_stage *stage, unsigned node)
{
	stage->nodes[node].is_paused = true;
}

void cluster_stage_wake(struct cluster_stage *stage, unsigned node)
{
	stage->nodes[node].is_paused = false;
	stage_jump(steps_of(stage, node), stage->nodes[node].missed_ms);
	stage->nodes[node].missed_ms = 0;
}

unsigned cluster_stage_instances(const struct cluster_stage *stage, unsigned node)
{
	return component_stage_count(stage->nodes[node].stage);
}

uint64_t cluster_stage_count(const struct cluster_stage *stage, unsigned node, size_t counter_offset)
{
	uint64_t sum = 0;

	struct component_shard *shard;

	for (unsigned i = 0; (shard = component_stage_shard(stage->nodes[node].stage, i)); i++)
		sum += counter_read((const counter *)(const void *)((const char *)&shard->counters + counter_offset));
	return sum;
}

void cluster_stage_free(struct cluster_stage *stage)
{
	for (unsigned i = 0; i < stage->count; i++) {
		if (!stage->nodes[i].is_paused)
			continue;
		memory_cluster_link(stage->cluster, i, MEMORY_LINK_CUT);
		cluster_stage_wake(stage, i);
	}
	for (unsigned i = 0; i < stage->count; i++)
		component_stage_vanish_all(stage->nodes[i].stage);
	cluster_stage_advance(stage, STAGE_TIMEOUT_MS + 1000);
	for (unsigned i = 0; i < stage->count; i++) {
		struct component_stage *node = stage->nodes[i].stage;
		component_stage_free(node);
		stage->nodes[i].stage = NULL;
	}
	memory_cluster_free(stage->cluster);
	free(stage);
}
