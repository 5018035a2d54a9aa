/*
 * What GET /metrics reads of the server, gathered when all its parts are there.
 */
#include "server/server_private.h"
#include "server/version.h"

void server_ready_metrics(struct server *server)
{
	server->metrics = (struct metrics_source){
		.sessions_of = server->stats.sessions_of,
		.net_of = server->stats.net_of,
		.acceptor = server->acceptor,
		.pool = server->pool,
		.is_ready = &server->is_ready,
		.version = LIVESHARD_VERSION,
		.node = server->node,
		.max_connections = server->config->max_connections,
	};
}
