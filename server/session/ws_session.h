/*
 * ws_session - sessions over WebSocket: the first transport.
 *
 * Threads: [shard].
 */
#ifndef SERVER_SESSION_WS_SESSION_H
#define SERVER_SESSION_WS_SESSION_H

#include "server/security/origin.h"
#include "server/ws/ws.h"

struct http_request;
struct session_shard;

/* Answers an upgrade request: a session begins, or the request is refused. A page that origins does not allow gets its
 * upgrade and then close code 4003, since a refusal by status would make its client try for ever (protocol 2.1). */
void ws_session_accept(struct session_shard *here, struct http_request *request, const struct ws_options *options,
		       const struct origin_list *origins);

#endif
