/*
 * edge_base - the edge of the server alone (net, http, ws, without the live protocol), put together for test programs.
 *
 * It owns the shards, the acceptor and one net_shard per shard; the program brings the http_service. Threads: [start].
 */
#ifndef TESTS_TOOLS_EDGE_BASE_H
#define TESTS_TOOLS_EDGE_BASE_H

#include "server/http/http.h"
#include "server/net/net_shard.h"
#include "server/net/tls.h"

struct edge_options {
	const char *host; /* NULL: 127.0.0.1 */
	unsigned port;    /* 0: a free one */
	unsigned shards;
	struct net_options net;
	struct tls_files tls_files; /* with a cert, the port speaks TLS */
	struct tls_options tls;
};

/* Serves until SIGINT or SIGTERM, or standard input ends when stop_at_eof; prints "listening on PORT" first. Then shuts
 * down in order. Returns the exit status. */
int edge_serve(const struct edge_options *options, const struct http_service *service, bool stop_at_eof);
/* The net_shard of shard number index. [any] */
struct net_shard *edge_net(unsigned index);
unsigned edge_shards(void);

#endif
