#include "unit/redis/redis_stage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "shard/pool.h"

enum { DEADLINE_MS = 20000 };

static void set_time(struct stage_node *node)
{
	for (unsigned i = 0; i < node->shards; i++)
		shard_set_time(shard_group_at(node->group, i), clock_now_wall_ms(), clock_now_mono_ms());
}

struct stage_node *stage_node_new(struct redis_stage *stage, const char *url, unsigned shards,
				  const struct redis_options *options)
{
	return stage_node_new_with(stage, url, shards, options, NULL, NULL);
}

struct stage_node *stage_node_new_with(struct redis_stage *stage, const char *url, unsigned shards,
				       const struct redis_options *options,
				       void (*ready)(struct redis_node *node, void *context), void *context)
{
	struct stage_node *node = mem_alloc(sizeof *node);
	const struct shard_options group = {
		.count = shards, .mailbox_depth = 1 << 20, .mail_budget = 1000, .manual = true};
	struct redis_options fast = options ? *options : (struct redis_options){0};
	char error[REDIS_ERROR_SIZE];

	fast.url = url;
	fast.shards = shards;
	if (!fast.retry_max_ms) {
		fast.retry_min_ms = 5;
		fast.retry_max_ms = 50;
	}
	node->shards = shards;
	int rc = redis_node_new(&node->node, &fast, error);
	if (rc < 0)
		fprintf(stderr, "%s %s\n", url, error);
	assert_always(rc == 0);
	if (ready)
		ready(node->node, context);
	rc = shard_group_new(&node->group, &group);
	assert_always(rc == 0);
	rc = pool_new(&node->pool, 1, 16);
	assert_always(rc == 0);
	set_time(node);
	for (unsigned i = 0; i < shards; i++)
		node->links[i] = redis_link_new(stage_node_enter(node, i), node->pool, node->node);
	shard_enter(NULL);
	assert_always(stage->count < STAGE_NODES_MAX);
	stage->nodes[stage->count++] = node;
	return node;
}

struct shard *stage_node_enter(struct stage_node *node, unsigned index)
{
	struct shard *shard = shard_group_at(node->group, index);

	shard_enter(shard);
	return shard;
}

void stage_node_free(struct redis_stage *stage, struct stage_node *node)
{
	for (unsigned i = 0; i < stage->count; i++) {
		if (stage->nodes[i] == node)
			stage->nodes[i] = stage->nodes[--stage->count];
	}
	for (unsigned i = 0; i < node->shards; i++) {
		stage_node_enter(node, i);
		redis_link_free(node->links[i]);
	}
	shard_enter(NULL);
	pool_free(node->pool);
	shard_group_free(node->group);
	redis_node_free(node->node);
	free(node);
}

/* Whether anything was done. */
static bool step(struct redis_stage *stage)
{
	unsigned did = 0;

	for (unsigned i = 0; i < stage->count; i++) {
		set_time(stage->nodes[i]);
		for (unsigned j = 0; j < stage->nodes[i]->shards; j++)
			did += shard_step(shard_group_at(stage->nodes[i]->group, j));
	}
	log_flush();
	return did > 0;
}

bool redis_stage_until(struct redis_stage *stage, bool (*check)(void *context), void *context)
{
	int64_t until = clock_now_mono_ms() + DEADLINE_MS;

	shard_enter(NULL);
	while (!check(context)) {
		if (!step(stage))
			poll(NULL, 0, 1);
		if (clock_now_mono_ms() > until)
			return false;
	}
	return true;
}

void redis_stage_run(struct redis_stage *stage, int ms)
{
	int64_t until = clock_now_mono_ms() + ms;

	shard_enter(NULL);
	while (clock_now_mono_ms() < until) {
		if (!step(stage))
			poll(NULL, 0, 1);
	}
}
