/*
 * What GET /metrics reads of the server, gathered when all its parts are there.
 */
#include "server/server_private.h"
#include "server/version.h"

/* Only a server with TLS has a certificate. */
static void write_tls(struct buf *out, void *argument)
{
	struct server *server = argument;
	int64_t expires_s = atomic_load_explicit(&server->tls_expires_s, memory_order_relaxed);

	if (!server->tls)
		return;
	metrics_family(out, "tls_certificate_expiry_timestamp_seconds", "gauge",
		       "When the certificate ends, or one of those that vouch for it, in seconds since 1970.");
	metrics_value(out, "tls_certificate_expiry_timestamp_seconds", NULL, expires_s > 0 ? (uint64_t)expires_s : 0);
}

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
		.redis = server->redis,
		.shared_rooms = server->shared_rooms,
		.more = {{.write = write_tls, .argument = server}},
	};
	server->stats.redis = server->redis;
	server->stats.shared_rooms = server->shared_rooms;
}
