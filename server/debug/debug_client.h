/*
 * debug_client - the debugger's own WebSocket: it shows a page what happens on the server (protocol.md section 18).
 *
 * It only speaks; what the page says is ignored. A client that does not take what it is sent is left out until it has
 * caught up, and then gets a new snapshot; the marks of ordinary connections hold for it as well. Threads: [shard].
 */
#ifndef SERVER_DEBUG_DEBUG_CLIENT_H
#define SERVER_DEBUG_DEBUG_CLIENT_H

#include "server/security/origin.h"
#include "server/ws/ws.h"

struct debug_hub;
struct http_request;

/* Answers an upgrade request: snapshot, the last events, then what happens; or, when the debugger is off, that it is.
 * A page that origins does not allow gets its upgrade and then close code 4003. */
void debug_client_accept(struct debug_hub *hub, struct http_request *request, const struct ws_options *options,
			 const struct origin_list *origins);

#endif
