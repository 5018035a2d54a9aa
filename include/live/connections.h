/*
 * connections - the clients of a server, for the program that embeds it: the connection manager and the rate limiter.
 *
 * A client is named by its connection id, which it learns in its greeting and components in on_client_join. It is
 * looked for on all shards, so these are for management, not for every message. "Connection not found" is the error for
 * an id that nobody has, which is an ordinary case: it may have gone meanwhile. How many there may be, the heartbeat
 * and the marks of queues are settings (max_connections, ping_ms, outbox_*).
 *
 * Threads: [any].
 */
#ifndef LIVE_CONNECTIONS_H
#define LIVE_CONNECTIONS_H

#include <live/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the connection manager ---- */

/*
 * {id, connectedAt, lastActivity, messagesSent, messagesReceived, errorCount, reconnectCount, status, components,
 * rooms, userId, pool, address, transport, queuedBytes, bytesTransferred, latency}: times in ms since 1970
 * (lastActivity: the last message that came); userId, pool and address may be null; queuedBytes is what it has still to
 * take; bytesTransferred went either way, and latency is a round trip in ms, as the kernel knows them (0: it does not,
 * as of a unix socket).
 *
 * status: "connecting" (its token is being looked at), "connected", "behind" (it does not take what it is sent),
 * "disconnecting" (it was told to go, and has not gone yet). reconnectCount: how often in a row the client lost its
 * connection and came back, up to 255. It shows by presenting signed state, so a client that starts over counts from 0;
 * one that comes from another node, or before its old connection is known to be gone, from 1.
 */
LIVE_API void live_connections_get(live_server *server, const char *connection, live_done_fn *done, void *argument);
/* The same of all, or of those in a pool (NULL: all), as an array. */
LIVE_API void live_connections_list(live_server *server, const char *pool, live_done_fn *done, void *argument);
/* {totalConnections, activeConnections, totalPools, totalQueuedMessages, maxConnections, connectionUtilization}: those
 * that are "connected" are active; what waits for components is queued; the utilization is in percent. */
LIVE_API void live_connections_stats(live_server *server, live_done_fn *done, void *argument);
/* Puts a client into a pool, a name of the program's for some of its clients; NULL: out of its pool. */
LIVE_API void live_connections_set_pool(live_server *server, const char *connection, const char *pool,
					live_done_fn *done, void *argument);
/* {<pool>: <connections>}. */
LIVE_API void live_connections_pools(live_server *server, live_done_fn *done, void *argument);
/* Ends a client's connection with a WebSocket close code (1000, 1001, 1008, 3000 to 4999) and a reason (at most 123
 * bytes). */
LIVE_API void live_connections_close(live_server *server, const char *connection, unsigned code, const char *reason,
				     live_done_fn *done, void *argument);
/* Sends all clients, or those in a pool, a message {type, payload, timestamp}; payload is given away. The result is how
 * many got it. */
LIVE_API void live_connections_broadcast(live_server *server, const char *pool, const char *type,
					 const live_value *payload, live_done_fn *done, void *argument);

/* ---- the rate limiter: messages of each client (settings rate_limit_tokens, rate_limit_refill) ---- */

/* {tokens, maxTokens, refillRate} of a client; maxTokens 0: there is no limit. */
LIVE_API void live_rate_limiter_get(live_server *server, const char *connection, live_done_fn *done, void *argument);
/* Takes count tokens of a client's, as so many messages would. The result is whether there were as many; if not, none
 * is taken. */
LIVE_API void live_rate_limiter_consume(live_server *server, const char *connection, unsigned count, live_done_fn *done,
					void *argument);
/* Gives a client, or all (NULL), all its tokens back. */
LIVE_API void live_rate_limiter_reset(live_server *server, const char *connection, live_done_fn *done, void *argument);
/* {connections, limited, maxTokens, refillRate}: limited is how many messages were refused so far. */
LIVE_API void live_rate_limiter_stats(live_server *server, live_done_fn *done, void *argument);

#ifdef __cplusplus
}
#endif

#endif
