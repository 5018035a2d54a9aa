#include "redis/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "redis/script.h"

enum { PREFIX_MAX = 128 };

static void fill_defaults(struct redis_options *options)
{
	if (!options->connect_ms)
		options->connect_ms = 3000;
	if (!options->timeout_ms)
		options->timeout_ms = 3000;
	if (!options->ping_ms)
		options->ping_ms = 5000;
	if (!options->retry_min_ms)
		options->retry_min_ms = 50;
	if (!options->retry_max_ms)
		options->retry_max_ms = 5000;
	if (options->retry_max_ms < options->retry_min_ms)
		options->retry_max_ms = options->retry_min_ms;
	if (!options->queue_commands)
		options->queue_commands = 16384;
	if (!options->queue_bytes)
		options->queue_bytes = 64 << 20;
	if (!options->subscribe_rate)
		options->subscribe_rate = 20000;
}

int redis_node_new(struct redis_node **out, const struct redis_options *options, char error[REDIS_ERROR_SIZE])
{
	const char *prefix = options->prefix ? options->prefix : "fluxstack:";
	struct redis_target target;
	int rc = redis_target_parse(&target, options->url, error);

	if (rc < 0)
		return rc;
	if (strlen(prefix) > PREFIX_MAX) {
		snprintf(error, REDIS_ERROR_SIZE, "a prefix of at most %d bytes, please", PREFIX_MAX);
		return -EINVAL;
	}
	assert_always(options->shards > 0);
	size_t size = sizeof(struct redis_node) + options->shards * sizeof(struct redis_figures);
	/* The figures of two shards must not share a cache line. */
	struct redis_node *node = aligned_alloc(alignof(struct redis_figures), size);
	assert_always(node);
	memset(node, 0, size);
	node->options = *options;
	node->options.url = NULL; /* it holds the password, which target has */
	node->options.prefix = mem_strndup(prefix, strlen(prefix));
	fill_defaults(&node->options);
	node->target = target;
	id_make(node->origin);
	*out = node;
	return 0;
}

void redis_node_free(struct redis_node *node)
{
	if (!node)
		return;
	free((char *)(uintptr_t)node->options.prefix);
	free(node);
}

void redis_node_add_script(struct redis_node *node, struct redis_script *script)
{
	for (unsigned i = 0; i < node->script_count; i++) {
		if (node->scripts[i] == script)
			return;
	}
	assert_always(node->script_count < REDIS_SCRIPTS_MAX);
	redis_script_prepare(script);
	node->scripts[node->script_count++] = script;
}

enum redis_state redis_node_state(const struct redis_node *node)
{
	static const int badness[REDIS_STATES] = {
		[REDIS_UP] = 0, [REDIS_CONNECTING] = 1, [REDIS_FULL] = 2, [REDIS_DOWN] = 3};
	enum redis_state worst = REDIS_UP;

	for (unsigned i = 0; i < node->options.shards; i++) {
		int state = atomic_load_explicit(&node->figures[i].state, memory_order_relaxed);
		if (badness[state] > badness[worst])
			worst = (enum redis_state)state;
	}
	return worst;
}
