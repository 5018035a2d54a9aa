/*
 * transport - how clients and HTTP requests come to a server: as an interface, of which the server's own listening
 * sockets are one implementation and a program may bring another.
 *
 * A transport is a table of functions. The server tells it, before it starts, which endpoint clients connect to and
 * which routes there are; then it starts it, and in the end shuts it down. For each client that connects the transport
 * opens a live_socket, hands its messages to it and sends what comes back; how the bytes travel (WebSocket, event
 * stream, long polling, memory) is its own business. For each HTTP request it makes a live_request and calls the
 * route's handler.
 *
 * Order: messages of one socket are handled in the order in which they are given, and what is sent leaves in the order
 * in which it is to arrive. What one may get wrong: to forget live_socket_close, since a socket belongs to the
 * transport until then, whoever ended the connection; to block in live_socket_ops.
 *
 * Threads: [any], but for the functions of the tables, which are called as their tags say.
 */
#ifndef LIVE_TRANSPORT_H
#define LIVE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <live/http.h>
#include <live/server.h>
#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a transport does ---- */

typedef struct live_transport {
	const char *name; /* "websocket"; copied */
	void *argument;   /* given to each function */
	/* Clients of server connect at path (a loan), by live_socket_open. 0 or -errno. [start] */
	int (*register_endpoint)(void *argument, live_server *server, const char *path);
	/* These are the routes (a loan), the server's and the program's, the first that matches wins. 0 or -errno. May
	 * be NULL: it carries no HTTP. [start] */
	int (*register_routes)(void *argument, const live_route *routes, size_t count);
	/* The server runs: take clients. 0, or -errno with one line in error. May be NULL. [start] */
	int (*start)(void *argument, char *error, size_t error_size);
	/* Take no more clients; those that are there are ended one by one, by their close. May be NULL. [start] */
	void (*shutdown)(void *argument);
	/* The server is gone: frees argument. May be NULL. [start] */
	void (*free)(void *argument);
} live_transport;

/* ---- one client ---- */

typedef struct live_socket live_socket;

typedef struct live_socket_ops { /* must outlive the socket */
	/* One message for the client, a loan: UTF-8 text unless is_binary. [shard] */
	void (*send)(void *owner, const void *bytes, size_t len, bool is_binary);
	/* End the connection after what was sent, with a code of RFC 6455 and a reason (a loan); then
	 * live_socket_close. [shard] */
	void (*close)(void *owner, unsigned code, const char *reason);
	/* No answer yet to what it asked: a transport that can stop reading does, until resume. Messages that come
	 * meanwhile wait, up to the setting max_message_bytes in all; above, the client is closed with 1008. May be
	 * NULL. [shard] */
	void (*pause)(void *owner);
	void (*resume)(void *owner);
	/* The last call: nobody refers to owner any more. [shard], or live_server_free */
	void (*released)(void *owner);
} live_socket_ops;

typedef struct live_socket_info { /* what is known of who connects; all may be NULL */
	const char *token;        /* to sign on with */
	const char *origin;       /* of the page; checked against the setting allowed_origin */
	const char *address;      /* of the client */
} live_socket_info;

/* A client connected. ops->send may be called before this returns. NULL: the server does not run. */
LIVE_API live_socket *live_socket_open(live_server *server, const live_socket_ops *ops, void *owner,
				       const live_socket_info *info);
/* It sent a message (copied). */
LIVE_API void live_socket_message(live_socket *socket, const void *bytes, size_t len, bool is_binary);
/* It does not take what it is sent (is_behind), or took it all: meanwhile its state is collapsed into one. */
LIVE_API void live_socket_set_behind(live_socket *socket, bool is_behind);
/* The connection is gone, whoever ended it. Gives socket away; ops->released follows. */
LIVE_API void live_socket_close(live_socket *socket);

/* ---- one request ---- */

typedef struct live_request_info { /* all but method and path may be NULL or 0; copied */
	const char *method;
	const char *path;           /* without the query */
	const char *query;          /* behind the '?', as sent */
	const char *const *headers; /* name, value, name, value, ..., NULL */
	const void *body;
	size_t body_len;
	const char *address; /* of the client */
	bool is_secure;
} live_request_info;

/* The answer to a request: headers (name: value lines, each ended by CR LF), content_type (may be NULL) and body are
 * loans. */
typedef void live_answer_fn(void *argument, unsigned status, const char *headers, const char *content_type,
			    const void *body, size_t len);
/* Whether route is for this method and path. */
LIVE_API bool live_route_matches(const live_route *route, const char *method, const char *path);
/* Has route's handler answer a request, which it matches, by answer: called once, on the thread that answers. */
LIVE_API void live_route_serve(const live_route *route, const live_request_info *info, live_answer_fn *answer,
			       void *argument);

#ifdef __cplusplus
}
#endif

#endif
