/*
 * server_shard - all that one shard of the server has: its edge, its sessions, its components.
 *
 * Made on the shard's thread when it starts, ended there when it stops. Threads: [shard].
 */
#ifndef SERVER_SERVER_SHARD_H
#define SERVER_SERVER_SHARD_H

#include "server/session/session.h"

struct component_shard;
struct drain;
struct net_shard;
struct redis_link;
struct pools;
struct server;
struct shard;

struct server_shard {
	struct server *server;
	struct shard *shard;
	struct net_shard *net;
	struct redis_link *link; /* NULL: the node is alone */
	struct component_shard *components;
	struct session_shard sessions;
	struct list sockets;       /* of live_socket: the clients of a transport that is not ours */
	struct list legs;          /* of struct errand_leg: questions of the program that wait */
	struct pools *pools;       /* of clients, by names of the program's */
	struct list subscriptions; /* of live_subscription: the program's handlers of events */
	struct drain *drain;       /* NULL until the clients are sent away */
};

/* Never NULL. */
struct server_shard *server_shard_new(struct server *server, struct shard *shard);
/* Closes what is open, destroys what lives. */
void server_shard_free(struct server_shard *here);
struct server_shard *server_shard_of(struct shard *shard);

#endif
