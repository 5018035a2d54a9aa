/*
 * live_request - a request as a route's handler sees it: copies of all that came, and where the answer goes.
 *
 * Made on the shard of its connection, or by a transport that is not ours; it belongs to the handler until that has
 * answered it, from whatever thread. See <live/http.h>. Threads: tagged.
 */
#ifndef SERVER_HTTP_LIVE_REQUEST_H
#define SERVER_HTTP_LIVE_REQUEST_H

#include <live/http.h>

#include "server/http/http.h"

/* [shard] What the handler of a route gets for request, which is answered with it. Never NULL. */
live_request *live_request_of(struct http_request *request);

#endif
