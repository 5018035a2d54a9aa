/*
 * The HTTP routes of the server: health, monitoring (protocol.md section 17), the client script, static files.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "core/mem.h"
#include "redis/node.h"
#include "server/server_private.h"

static void healthz(live_request *request, void *argument)
{
	(void)argument;
	live_request_reply_json(request, 200, "{\"status\":\"ok\"}");
}

/* Ready with Redis gone, too, unless it is required: rooms go on within the node. */
static void readyz_by_redis(live_request *request, const struct server *server)
{
	enum redis_state state = redis_node_state(server->redis);
	bool is_up = state == REDIS_UP;
	bool is_refused = !is_up && server->config->redis_required;
	char json[96];

	snprintf(json, sizeof json, "{\"status\":\"%s\",\"redis\":\"%s\"}",
		 is_up        ? "ready"
		 : is_refused ? "not ready"
			      : "degraded",
		 redis_state_name(state));
	live_request_reply_json(request, is_refused ? 503 : 200, json);
}

static void readyz(live_request *request, void *argument)
{
	struct server *server = argument;

	if (!atomic_load_explicit(&server->is_ready, memory_order_relaxed))
		live_request_reply_json(request, 503, "{\"status\":\"shutting down\"}");
	else if (server->redis)
		readyz_by_redis(request, server);
	else
		live_request_reply_json(request, 200, "{\"status\":\"ready\"}");
}

static void stats(live_request *request, void *argument)
{
	struct server *server = argument;

	stats_answer(request, server->group, &server->stats);
}

static void metrics(live_request *request, void *argument)
{
	struct server *server = argument;

	metrics_answer(request, server->group, &server->metrics);
}

static void reply_json(live_request *request, struct buf *json)
{
	live_request_reply(request, 200, "application/json", json->ptr, json->len);
	buf_deinit(json);
}

struct names_asked { /* on its way to a shard: each has its registry, which may change */
	struct mail mail;
	live_request *request;
};

static void tell_names(struct mail *mail, struct shard *here)
{
	struct names_asked *asked = LIST_OF(mail, struct names_asked, mail);
	const struct component_shard *components = component_shard_of(here);
	struct buf out;

	if (!components) {
		mail->discard(mail);
		return;
	}
	buf_init(&out, SIZE_MAX);
	buf_append_str(&out, STR("{\"names\":["));
	for (unsigned i = 0; i < registry_count(components->registry); i++) {
		if (i)
			buf_append_char(&out, ',');
		json_write_string(&out, registry_at(components->registry, i)->name);
	}
	buf_append_str(&out, STR("]}"));
	reply_json(asked->request, &out);
	free(asked);
}

static void tell_no_names(struct mail *mail)
{
	struct names_asked *asked = LIST_OF(mail, struct names_asked, mail);

	live_request_reply_json(asked->request, 503, "{\"error\":\"shutting down\"}");
	free(asked);
}

static void components(live_request *request, void *argument)
{
	const struct server *server = argument;
	struct names_asked *asked = mem_alloc(sizeof *asked);

	asked->mail.deliver = tell_names;
	asked->mail.discard = tell_no_names;
	asked->request = request;
	shard_post_any(server->group, 0, &asked->mail);
}

/* ---- rooms by HTTP ---- */

/* The body as a value without prototype names; NULL: it was answered with 400. The caller owns it. */
static const live_value *body_of(live_request *request, const struct server *server)
{
	const struct json_limits limits = {.max_depth = server->sessions.max_depth, .flags = JSON_DROP_PROTOTYPE_NAMES};
	const live_value *body;
	struct str text;

	text.ptr = live_request_body(request, &text.len);
	if (json_parse(&body, text, &limits, NULL) == 0)
		return body;
	live_request_reply_json(request, 400, "{\"success\":false,\"error\":\"Invalid JSON\"}");
	return NULL;
}

/* Emits and answers; data is a loan. */
static void emit(live_request *request, struct server *server, struct str event, const live_value *data,
		 bool name_event)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	if (data)
		json_write(&out, data);
	struct room_emit what = {
		.type = STR("room"),
		.room_id = str_of(live_request_param(request, "roomId")),
		.event = event,
		.data = buf_str(&out),
	};
	int rc = rooms_emit_outside(shard_group_at(server->group, 0), &what);
	buf_reset(&out, SIZE_MAX);
	if (rc < 0) {
		buf_deinit(&out);
		live_request_reply_json(request, 503, "{\"error\":\"out of memory\"}");
		return;
	}
	const live_value *room = live_string(what.room_id.ptr); /* well-formed, whatever the path held */
	buf_append_str(&out, STR("{\"success\":true,\"roomId\":"));
	json_write(&out, room);
	live_value_unref(room);
	if (name_event) {
		buf_append_str(&out, STR(",\"event\":"));
		json_write_string(&out, event);
	}
	buf_append_char(&out, '}');
	reply_json(request, &out);
}

static void room_message(live_request *request, void *argument)
{
	const live_value *body = body_of(request, argument);

	if (body)
		emit(request, argument, STR("message:new"), body, false);
	live_value_unref(body);
}

static void room_emit(live_request *request, void *argument)
{
	const live_value *body = body_of(request, argument);
	const live_value *event = live_get(body, "event");

	if (!body)
		return;
	if (!live_as_string(event))
		live_request_reply_json(request, 400, "{\"success\":false,\"error\":\"event must be a string\"}");
	else
		emit(request, argument, (struct str){live_as_string(event), live_len(event)}, live_get(body, "data"),
		     true);
	live_value_unref(body);
}

/* ---- adding them ---- */

static char *copy_text(const char *text)
{
	return text ? mem_strndup(text, strlen(text)) : NULL;
}

void server_add_route(struct server *server, const live_route *route)
{
	live_route copy = *route;

	copy.method = copy_text(route->method);
	copy.path = copy_text(route->path);
	copy.summary = copy_text(route->summary);
	server->routes = mem_realloc(server->routes, (server->route_count + 1) * sizeof *server->routes);
	server->routes[server->route_count++] = copy;
}

void server_free_routes(struct server *server)
{
	for (unsigned i = 0; i < server->route_count; i++) {
		free((char *)(uintptr_t)server->routes[i].method);
		free((char *)(uintptr_t)server->routes[i].path);
		free((char *)(uintptr_t)server->routes[i].summary);
	}
	free(server->routes);
}

static void add_health(struct server *server, bool is_management)
{
	server_add_route(server, &(live_route){.method = "GET",
					       .path = "/healthz",
					       .handler = healthz,
					       .argument = server,
					       .is_management = is_management,
					       .summary = "whether it lives"});
	server_add_route(server, &(live_route){.method = "GET",
					       .path = "/readyz",
					       .handler = readyz,
					       .argument = server,
					       .is_management = is_management,
					       .summary = "whether it takes clients"});
}

static void add_monitoring(struct server *server)
{
	const char *prefix = server->config->http_prefix;
	static const live_route all[] = {
		{.method = "GET", .path = "/stats", .handler = stats, .summary = "statistics of everything"},
		{.method = "GET", .path = "/components", .handler = components, .summary = "names of components"},
		{.method = "POST",
		 .path = "/rooms/:roomId/messages",
		 .handler = room_message,
		 .summary = "sends a message to a room"},
		{.method = "POST",
		 .path = "/rooms/:roomId/emit",
		 .handler = room_emit,
		 .summary = "emits an event to a room"},
	};
	bool has_prefix = strcmp(prefix, "off") != 0;

	if (server->management || has_prefix)
		server_add_route(server, &(live_route){.method = "GET",
						       .path = "/metrics",
						       .handler = metrics,
						       .argument = server,
						       .is_management = true,
						       .summary = "all counters, for Prometheus"});
	for (size_t i = 0; has_prefix && i < sizeof all / sizeof all[0]; i++) {
		char path[PATH_MAX];
		live_route route = all[i];
		snprintf(path, sizeof path, "%s%s", prefix, all[i].path);
		route.path = path;
		route.argument = server;
		route.is_management = true;
		server_add_route(server, &route);
	}
}

/* The client script: as configured, else where the build or an installation puts it beside the program. */
static int find_script(const struct server *server, char path[PATH_MAX])
{
	static const char *const places[] = {"../public/live-client.js", "../share/liveshard/client/live-client.js"};
	char program[PATH_MAX];

	if (*server->config->client_script)
		return snprintf(path, PATH_MAX, "%s", server->config->client_script) < PATH_MAX ? 0 : -ENAMETOOLONG;
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	if (len < 0)
		return -errno;
	program[len] = 0;
	char *folder = dirname(program);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (snprintf(path, PATH_MAX, "%s/%s", folder, places[i]) < PATH_MAX && access(path, R_OK) == 0)
			return 0;
	return -ENOENT;
}

/* One of the client's files: the script's name with another ending. 0, or -errno. */
static int add_client_file(struct server *server, const char *script, const char *ending, const char *type)
{
	static const char cache[] = "public, max-age=86400", usual[] = ".js";
	size_t stem = strlen(script), usual_len = sizeof usual - 1;
	char file[PATH_MAX + 16], url[64];

	if (stem > usual_len && !strcmp(script + stem - usual_len, usual))
		stem -= usual_len;
	else if (strcmp(ending, usual) != 0)
		return -ENOENT;
	snprintf(file, sizeof file, "%.*s%s", (int)stem, script, ending);
	snprintf(url, sizeof url, "/live-client%s", ending);
	return http_service_add_file(server->http, url, strcmp(ending, usual) ? file : script, type, cache);
}

/* The client script, and what was built with it, as far as it is there: the same as a module, and maps to the sources.
 */
static int add_client(struct server *server)
{
	char script[PATH_MAX];
	int rc = find_script(server, script);

	if (rc == 0)
		rc = add_client_file(server, script, ".js", "application/javascript");
	if (rc < 0)
		return rc;
	static const char *const others[][2] = {
		{".js.map", "application/json"}, {".mjs", "application/javascript"}, {".mjs.map", "application/json"}};
	for (size_t i = 0; i < sizeof others / sizeof others[0] && rc == 0; i++) {
		rc = add_client_file(server, script, others[i][0], others[i][1]);
		rc = rc == -ENOENT ? 0 : rc;
	}
	return rc;
}

static int add_files(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	int rc = add_client(server);

	if (rc < 0 && *server->config->client_script) {
		snprintf(error, CONFIG_ERROR_SIZE, "cannot read the client script %s: %s",
			 server->config->client_script, strerror(-rc));
		return rc;
	}
	if (!*server->config->public)
		return 0;
	rc = http_service_add_static(server->http, "/", server->config->public, "no-cache");
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "cannot serve the public folder %s: %s", server->config->public,
			 strerror(-rc));
	return rc;
}

int server_add_routes(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	add_health(server, false);
	if (server->management)
		add_health(server, true);
	add_monitoring(server);
	return add_files(server, error);
}
