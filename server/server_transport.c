/*
 * The transport that comes with the server: our own listening sockets, HTTP and WebSocket on libevent. And how the
 * server registers with its transport, whichever it is.
 */
#include <errno.h>

#include "server/http/live_request.h"
#include "server/server_private.h"
#include "server/session/ws_session.h"

/* ---- our own ---- */

static void connect_client(struct http_request *request, void *argument)
{
	struct server *server = argument;
	struct server_shard *here = server_shard_of(http_request_shard(request));

	ws_session_accept(&here->sessions, request, &server->ws, &server->origins);
}

static int register_endpoint(void *argument, live_server *owner, const char *path)
{
	struct server *server = argument;

	(void)owner;
	http_service_add_upgrade(server->http, path, connect_client, server);
	server_serve_debug(server);
	return 0;
}

static void serve(struct http_request *request, void *argument)
{
	const live_route *route = argument;

	route->handler(live_request_of(request), route->argument);
}

static int register_routes(void *argument, const live_route *routes, size_t count)
{
	struct server *server = argument;

	for (size_t i = 0; i < count; i++) {
		const live_route *route = &routes[i];
		struct http_service *service =
			route->is_management && server->management ? server->management : server->http;
		if (route->max_body_bytes)
			http_service_add_limited(service, route->method, route->path, route->max_body_bytes, serve,
						 (live_route *)(uintptr_t)route);
		else
			http_service_add(service, route->method, route->path, serve, (live_route *)(uintptr_t)route);
	}
	return 0;
}

static int start(void *argument, char *error, size_t error_size)
{
	struct server *server = argument;
	char line[CONFIG_ERROR_SIZE];
	int rc = server_listen(server, line);

	if (rc < 0) {
		snprintf(error, error_size, "%s", line);
		return rc;
	}
	rc = acceptor_start(server->acceptor);
	if (rc < 0)
		snprintf(error, error_size, "cannot start the thread that accepts: %s", strerror(-rc));
	return rc;
}

static void shut_down(void *argument)
{
	struct server *server = argument;

	acceptor_stop(server->acceptor);
}

live_transport server_own_transport(struct server *server)
{
	return (live_transport){
		.name = "websocket",
		.argument = server,
		.register_endpoint = register_endpoint,
		.register_routes = register_routes,
		.start = start,
		.shutdown = shut_down,
	};
}

/* ---- whichever it is ---- */

int server_register_with_transport(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const live_transport *transport = &server->transport;
	int rc = transport->register_endpoint(transport->argument, server->owner, server->config->ws_path);

	if (rc == 0 && transport->register_routes)
		rc = transport->register_routes(transport->argument, server->routes, server->route_count);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "the transport '%s' does not take the routes: %s", transport->name,
			 strerror(-rc));
	return rc;
}
