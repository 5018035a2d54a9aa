/*
 * server_private - the inside of a server, for the files that wire it. Built before the shards start, then read-only.
 * Threads: [any] to read.
 */
#ifndef SERVER_SERVER_PRIVATE_H
#define SERVER_SERVER_PRIVATE_H

#include <stdatomic.h>

#include <live/transport.h>

#include "pubsub/rooms.h"
#include "server/auth/manager.h"
#include "server/component/cluster_shard.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/plugin.h"
#include "server/component/reload.h"
#include "server/drain.h"
#include "server/http/http.h"
#include "server/inherited.h"
#include "server/monitor/metrics.h"
#include "server/monitor/stats.h"
#include "server/net/net_shard.h"
#include "server/security/origin.h"
#include "server/server.h"
#include "server/server_shard.h"
#include "server/ws/ws.h"
#include "shard/acceptor.h"
#include "shard/pool.h"
#include "shard/shard.h"

enum { DOOR_MAIN, DOOR_TLS, DOOR_MANAGEMENT, DOORS };

struct cluster_adapter;
struct redis_node;

struct door { /* where connections come in; the tag of its listeners */
	const struct http_service *http;
	const char *name; /* as inherited.h has it */
	bool is_tls;
	const char *purpose; /* behind the address, when it says where we listen; or NULL */
	char where[256];     /* empty: it is not there */
	unsigned port;       /* 0: a unix socket */
};

struct server {
	const struct config *config;
	struct registry *registry;
	struct plugins *plugins;
	struct buf names;          /* of the components, as of the start */
	struct reloader *reloader; /* from the start on the registry is its */
	struct signing_keys *keys;
	struct auth_manager *auth;
	struct tokens *tokens; /* the manager's; NULL: there is no file of them */
	struct debug_hub *debug;
	struct watchdog *watchdog; /* NULL: nobody watches */
	unsigned logging;          /* categories, of what concerns no component */
	struct shard_group *group;
	struct pool *pool;
	struct acceptor *acceptor;
	struct http_service *http;       /* what clients see */
	struct http_service *management; /* the routes of management, when they have a door of their own; else NULL */
	struct door doors[DOORS];
	struct tls_context *tls;       /* as of the start; NULL: no TLS */
	_Atomic int64_t tls_expires_s; /* of the certificate that new connections get; reload sets it, any reads */
	struct tls_seed *seed;
	struct address_set *trusted; /* proxies; NULL: none */
	struct room_adapter *adapter;
	struct room_adapter *shared_rooms; /* the adapter when nodes share rooms, else NULL */
	struct redis_node *redis;          /* NULL: the node is alone */
	struct cluster_adapter *cluster;   /* the same */
	struct cluster_settings cluster_settings;
	struct component_settings components;
	struct session_settings sessions;
	struct rooms_options rooms;
	struct net_options net;
	struct connection_options connection;
	struct ws_options ws;
	struct origin_list origins;
	struct stats_source stats;
	struct metrics_source metrics;
	_Atomic bool is_ready; /* /readyz: written by the starting thread, read by the shards */
	bool is_started;
	struct drain_plan drain;
	const struct inherited *inherited; /* NULL: no doors were given */
	live_transport transport;
	char *debug_path;   /* of the debugger's socket; NULL: none */
	live_route *routes; /* ours, and their strings: the server's, then the program's */
	unsigned route_count;
	struct live_server *owner; /* who embeds it, or NULL */
	char node[256];
};

/* ---- routes.c ---- */

/* Adds the server's own routes and files. 0, or -errno with one line in error. */
int server_add_routes(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

/* Adds a route (copied) behind those that are there. */
void server_add_route(struct server *server, const live_route *route);
void server_free_routes(struct server *server);

/* ---- server_transport.c ---- */

/* The transport that listens on our own sockets. */
live_transport server_own_transport(struct server *server);
/* Tells the transport of the endpoint and the routes. 0, or -errno with one line in error. */
int server_register_with_transport(struct server *server, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));

/* ---- server_watch.c ---- */

/* Builds the debugger and reads what is logged; the shards must be built. 0, or -errno with one line in error. */
int server_build_watch(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Starts the watchdog, before the shards. 0, or -errno with one line in error. */
int server_start_watch(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Adds the debugger's socket to our own transport. */
void server_serve_debug(struct server *server);
/* Ends the watchdog, before the group goes. */
void server_end_watch(struct server *server);

/* ---- server_metrics.c ---- */

/* Says where the figures of /metrics are; the acceptor must be built. */
void server_ready_metrics(struct server *server);

/* ---- server_listen.c ---- */

/* Whether the routes of management have a door of their own. */
bool server_has_management(const struct config *config);
/* Opens the doors. 0, or -errno with one line in error. */
int server_listen(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Prints one line per door. */
void server_say_where(const struct server *server);
/* The acceptor's call for what came in by a door. [shard] */
void server_on_accept(struct shard *shard, const struct accepted *accepted, void *argument);

/* ---- server_redis.c ---- */

/* Readies the way to other nodes, if there is a redis_url; the shards must be built and the components set. 0, or
 * -errno with one line in error. */
int server_build_redis(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
void server_free_redis(struct server *server);
/* Connects a shard, before its components are there; ends that after they have gone. [shard] */
void server_shard_begin_redis(struct server_shard *here);
void server_shard_end_redis(struct server_shard *here);

/* ---- server_tls.c ---- */

/* Builds what TLS needs, if it is wanted; the shards must be built. 0, or -errno with one line in error. */
int server_build_tls(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
void server_free_tls(struct server *server);
/* Readies net for TLS, if it is wanted. [shard] */
void server_shard_ready_tls(struct server *server, struct net_shard *net);

#endif
