/*
 * Other nodes: the way to Redis, and the rooms and singletons that all nodes share by it.
 */
#include <errno.h>
#include <stdio.h>

#include "redis/cluster_adapter.h"
#include "redis/link.h"
#include "redis/node.h"
#include "redis/room_adapter.h"
#include "server/server_private.h"

static int build_rooms(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct config *c = server->config;

	if (c->redis_signatures && !*c->cluster_secret) {
		snprintf(error, CONFIG_ERROR_SIZE, "redis_signatures: there is no cluster_secret to sign with");
		return -EINVAL;
	}
	const struct redis_room_options options = {
		.ttl = c->room_ttl,
		.msgpack = !strcmp(c->redis_format, "msgpack"),
		.secret = c->redis_signatures ? c->cluster_secret : NULL,
		.commit_ms = c->cluster_room_ms,
		.node_ms = c->node_timeout_ms,
		.cluster_rooms = c->cluster_rooms.items,
		.cluster_room_count = c->cluster_rooms.count,
	};
	server->shared_rooms = redis_room_adapter_new(server->redis, &options);
	server->adapter = server->rooms.adapter = server->shared_rooms;
	return 0;
}

static void set_cluster(struct server *server)
{
	const struct config *c = server->config;

	server->cluster_settings = (struct cluster_settings){
		.adapter = server->cluster,
		.heartbeat_ms = c->cluster_heartbeat_ms,
		.timeout_ms = c->cluster_timeout_ms,
		.acks_local = !strcmp(c->cluster_ack, "local"),
		.secret = str_of(c->cluster_secret),
	};
	server->components.cluster = &server->cluster_settings;
}

int server_build_redis(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct config *c = server->config;
	const struct redis_options options = {
		.url = c->redis_url,
		.prefix = c->redis_prefix,
		.shards = shard_group_count(server->group),
		.connect_ms = c->redis_connect_ms,
		.timeout_ms = c->redis_timeout_ms,
		.ping_ms = c->redis_ping_ms,
		.retry_max_ms = c->redis_retry_ms,
		.queue_commands = (uint32_t)c->redis_queue_commands,
		.queue_bytes = (size_t)c->redis_queue_bytes,
	};
	char reason[REDIS_ERROR_SIZE];

	if (!*c->redis_url)
		return 0;
	if (c->cluster_heartbeat_ms * 2 > c->cluster_lease_ms) {
		snprintf(error, CONFIG_ERROR_SIZE, "cluster_heartbeat_ms: more than half of cluster_lease_ms");
		return -EINVAL;
	}
	if (redis_node_new(&server->redis, &options, reason) < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "redis_url: %s", reason);
		return -EINVAL;
	}
	server->cluster = redis_cluster_adapter_new(
		server->redis,
		&(struct redis_cluster_options){.lease_ms = c->cluster_lease_ms, .ttl = c->cluster_state_ttl});
	set_cluster(server);
	return build_rooms(server, error);
}

void server_free_redis(struct server *server)
{
	redis_cluster_adapter_free(server->cluster);
	redis_room_adapter_free(server->shared_rooms);
	redis_node_free(server->redis);
}

void server_shard_begin_redis(struct server_shard *here)
{
	struct server *server = here->server;

	if (!server->redis)
		return;
	here->link = redis_link_new(here->shard, server->pool, server->redis);
	redis_cluster_adapter_start(server->cluster, here->link);
	redis_room_adapter_start(server->shared_rooms, here->link);
}

void server_shard_end_redis(struct server_shard *here)
{
	if (!here->link)
		return;
	redis_room_adapter_stop(here->server->shared_rooms, here->shard);
	redis_cluster_adapter_stop(here->server->cluster, here->link);
	redis_link_free(here->link);
}
