/*
 * server_private - the inside of a server, for the files that wire it. Built before the shards start, then read-only.
 * Threads: [any] to read.
 */
#ifndef SERVER_SERVER_PRIVATE_H
#define SERVER_SERVER_PRIVATE_H

#include <stdatomic.h>

#include "pubsub/rooms.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/plugin.h"
#include "server/http/http.h"
#include "server/monitor/stats.h"
#include "server/net/net_shard.h"
#include "server/security/origin.h"
#include "server/server.h"
#include "server/server_shard.h"
#include "server/ws/ws.h"
#include "shard/acceptor.h"
#include "shard/pool.h"
#include "shard/shard.h"

struct server {
	const struct config *config;
	struct registry *registry;
	struct plugins *plugins;
	struct signing_keys *keys;
	struct shard_group *group;
	struct pool *pool;
	struct acceptor *acceptor;
	struct http_service *http;
	struct room_adapter *adapter;
	struct component_settings components;
	struct session_settings sessions;
	struct rooms_options rooms;
	struct net_options net;
	struct connection_options connection;
	struct ws_options ws;
	struct origin_list origins;
	struct stats_source stats;
	_Atomic bool is_ready; /* /readyz: written by the starting thread, read by the shards */
	bool is_started;
	char *paths[4]; /* of routes below the prefix */
	char node[256];
};

/* Adds the routes (routes.c). 0, or -errno with one line in error. */
int server_add_routes(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

#endif
