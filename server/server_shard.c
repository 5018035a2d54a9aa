#include "server/server_shard.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/embed/errand.h"
#include "server/embed/pools.h"
#include "server/embed/socket.h"
#include "server/embed/subscriptions.h"
#include "server/server_private.h"

struct server_shard *server_shard_new(struct server *server, struct shard *shard)
{
	struct server_shard *here = mem_alloc(sizeof *here);

	here->server = server;
	here->shard = shard;
	here->net = net_shard_new(shard, &server->net);
	server_shard_ready_tls(server, here->net);
	server_shard_begin_redis(here);
	here->components =
		component_shard_new(shard, server->registry, &server->components, server->keys, &server->rooms);
	list_init(&here->sockets);
	here->pools = pools_new(shard);
	list_init(&here->legs);
	list_init(&here->subscriptions);
	reloader_begin(server->reloader, shard);
	session_shard_init(&here->sessions, shard, here->components, &server->sessions);
	shard_set_context(shard, SHARD_SERVER, here);
	return here;
}

void server_shard_free(struct server_shard *here)
{
	reloader_end(here->server->reloader, here->shard);
	drain_free(here->drain);
	net_shard_free(here->net);
	sockets_end(here);
	errands_end(here);
	pools_free(here->pools);
	subscriptions_end(here);
	component_shard_free(here->components);
	server_shard_end_redis(here);
	shard_set_context(here->shard, SHARD_SERVER, NULL);
	free(here);
}

struct server_shard *server_shard_of(struct shard *shard)
{
	return shard_context(shard, SHARD_SERVER);
}
