/*
 * node - this process as Redis and the other nodes know it: where Redis is, the settings of the links, our name.
 *
 * Built before the shards start, then read-only but for the figures: each shard's link writes its own, any thread reads
 * them. It must outlive the links. Threads: [start] to build, [any] to read.
 */
#ifndef REDIS_NODE_H
#define REDIS_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/id.h"
#include "core/str.h"
#include "redis/figures.h"
#include "redis/target.h"

struct redis_script;

enum { REDIS_SCRIPTS_MAX = 32 };

struct redis_options {           /* 0 gives the default */
	const char *url;         /* redis/target.h */
	const char *prefix;      /* of all keys and channels; default "fluxstack:"; at most 128 bytes */
	unsigned shards;         /* links there will be; at least 1 */
	int64_t connect_ms;      /* for a connection to be there and signed on; default 3000 */
	int64_t timeout_ms;      /* for an answer; default 3000 */
	int64_t ping_ms;         /* of silence until a ping; default 5000 */
	int64_t retry_min_ms;    /* first pause before connecting again; default 50 */
	int64_t retry_max_ms;    /* longest one; default 5000 */
	uint32_t queue_commands; /* not answered, per shard; default 16384 */
	size_t queue_bytes;      /* of commands not answered, per shard; default 64 MiB */
	uint32_t subscribe_rate; /* channels subscribed to again per second after a reconnect; default 20000 */
};

struct redis_node {
	struct redis_options options; /* without zeros; the texts are ours */
	struct redis_target target;
	char origin[ID_LEN + 1]; /* the instance id: new in each process */
	const struct redis_script *scripts[REDIS_SCRIPTS_MAX];
	unsigned script_count;
	_Atomic unsigned down; /* links that are not up: each link for itself; who moves it from or to 0 logs */
	struct redis_figures figures[];
};

/* 0, or -EINVAL with one line in error. */
int redis_node_new(struct redis_node **out, const struct redis_options *options, char error[REDIS_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* NULL is fine. */
void redis_node_free(struct redis_node *node);
/* [start] Has script loaded on every connection. It must outlive the node. */
void redis_node_add_script(struct redis_node *node, struct redis_script *script);
/* The worst of all shards' links. */
enum redis_state redis_node_state(const struct redis_node *node);

#endif
