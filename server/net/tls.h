/*
 * tls - the wire of encrypted connections: handshake, records and an orderly end, by OpenSSL.
 *
 * A handshake costs us a signature and a key exchange, up to a millisecond, where a message costs microseconds. So they
 * are rationed: a tick goes on with so many, the rest wait in a list, unread, in the order of their coming, and those
 * that are connected have their turn in between. However many knock, a tick stays short.
 *
 * Made per shard beside its net_shard, which frees it. What one may get wrong: an end without the peer's close_notify
 * is no orderly end (anybody on the way may have cut it off) but -ECONNRESET. Threads: [shard].
 */
#ifndef SERVER_NET_TLS_H
#define SERVER_NET_TLS_H

#include "server/net/tls_context.h"
#include "server/net/tls_tickets.h"

struct connection;
struct net_shard;

struct tls_options {
	unsigned handshake_ms;        /* for the whole handshake, waiting included; 0: 10000 */
	unsigned handshakes_per_tick; /* 0: 16 */
};

/* Readies net for encrypted connections: context is for those to come (a reference is taken), seed (one of its takers
 * is net's shard) for their tickets. options may be NULL. Once per net_shard. */
void tls_shard_new(struct net_shard *net, struct tls_context *context, struct tls_seed *seed,
		   const struct tls_options *options);
/* From now on new connections use context (a reference is taken); the others keep theirs. */
void tls_shard_set_context(struct net_shard *net, struct tls_context *context);
/* Encrypts conn, which is new and whose shard was readied: its owner hears nothing before the handshake is done. A
 * failure is the connection's, closed and counted. */
void tls_connection_start(struct connection *conn);

#endif
