/*
 * socket - the clients of a transport that is not ours, on their shards: see <live/transport.h>. Threads: [shard].
 */
#ifndef SERVER_EMBED_SOCKET_H
#define SERVER_EMBED_SOCKET_H

struct server_shard;

/* The server shuts down: asks each client's transport to end it. */
void sockets_send_away(struct server_shard *here);
/* The shard ends: the sessions of those that are still there do too. */
void sockets_end(struct server_shard *here);

#endif
