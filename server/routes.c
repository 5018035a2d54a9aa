/*
 * The HTTP routes of the server: health, monitoring (protocol.md section 17), the client script, static files, and
 * where clients connect.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/server_private.h"
#include "server/session/ws_session.h"

static void connect_client(struct http_request *request, void *argument)
{
	struct server *server = argument;
	struct server_shard *here = server_shard_of(http_request_shard(request));

	ws_session_accept(&here->sessions, request, &server->ws, &server->origins);
}

static void healthz(struct http_request *request, void *argument)
{
	(void)argument;
	http_reply_json(request, 200, STR("{\"status\":\"ok\"}"));
}

static void readyz(struct http_request *request, void *argument)
{
	struct server *server = argument;

	if (atomic_load_explicit(&server->is_ready, memory_order_relaxed))
		http_reply_json(request, 200, STR("{\"status\":\"ready\"}"));
	else
		http_reply_json(request, 503, STR("{\"status\":\"shutting down\"}"));
}

static void stats(struct http_request *request, void *argument)
{
	struct server *server = argument;

	stats_answer(request, &server->stats);
}

static void metrics(struct http_request *request, void *argument)
{
	struct server *server = argument;

	metrics_answer(request, &server->metrics);
}

static void components(struct http_request *request, void *argument)
{
	struct server *server = argument;
	struct buf out;

	buf_init(&out, SIZE_MAX);
	buf_append_str(&out, STR("{\"names\":["));
	for (unsigned i = 0; i < registry_count(server->registry); i++) {
		if (i)
			buf_append_char(&out, ',');
		json_write_string(&out, registry_at(server->registry, i)->name);
	}
	buf_append_str(&out, STR("]}"));
	http_reply_json(request, 200, buf_str(&out));
	buf_deinit(&out);
}

/* ---- rooms by HTTP ---- */

/* The body as a value without prototype names; NULL: it was answered with 400. The caller owns it. */
static const live_value *body_of(struct http_request *request, const struct server *server)
{
	const struct json_limits limits = {.max_depth = server->sessions.max_depth, .flags = JSON_DROP_PROTOTYPE_NAMES};
	const live_value *body;

	if (json_parse(&body, http_request_body(request), &limits, NULL) == 0)
		return body;
	http_reply_json(request, 400, STR("{\"success\":false,\"error\":\"Invalid JSON\"}"));
	return NULL;
}

/* Emits and answers; data is a loan. */
static void emit(struct http_request *request, struct str event, const live_value *data, bool name_event)
{
	struct server_shard *here = server_shard_of(http_request_shard(request));
	struct buf out;

	buf_init(&out, SIZE_MAX);
	if (data)
		json_write(&out, data);
	struct room_emit what = {
		.type = STR("room"),
		.room_id = http_request_param(request, "roomId"),
		.event = event,
		.data = buf_str(&out),
	};
	int rc = rooms_emit(here->components->rooms, &what);
	buf_reset(&out, SIZE_MAX);
	if (rc < 0) {
		http_reply_error(request, 503, "out of memory");
	} else {
		buf_append_str(&out, STR("{\"success\":true,\"roomId\":"));
		json_write_string(&out, what.room_id);
		if (name_event) {
			buf_append_str(&out, STR(",\"event\":"));
			json_write_string(&out, event);
		}
		buf_append_char(&out, '}');
		http_reply_json(request, 200, buf_str(&out));
	}
	buf_deinit(&out);
}

static void room_message(struct http_request *request, void *argument)
{
	const live_value *body = body_of(request, argument);

	if (body)
		emit(request, STR("message:new"), body, false);
	live_value_unref(body);
}

static void room_emit(struct http_request *request, void *argument)
{
	const live_value *body = body_of(request, argument);
	const live_value *event = live_get(body, "event");

	if (!body)
		return;
	if (!live_as_string(event))
		http_reply_json(request, 400, STR("{\"success\":false,\"error\":\"event must be a string\"}"));
	else
		emit(request, (struct str){live_as_string(event), live_len(event)}, live_get(body, "data"), true);
	live_value_unref(body);
}

/* ---- adding them ---- */

static void add_health(struct server *server, struct http_service *service)
{
	http_service_add(service, "GET", "/healthz", healthz, server);
	http_service_add(service, "GET", "/readyz", readyz, server);
}

static void add_monitoring(struct server *server)
{
	struct http_service *service = server->management ? server->management : server->http;
	static const struct {
		const char *method;
		const char *path;
		http_handler handler;
	} all[] = {
		{"GET", "/stats", stats},
		{"GET", "/components", components},
		{"POST", "/rooms/:roomId/messages", room_message},
		{"POST", "/rooms/:roomId/emit", room_emit},
	};

	if (server->management || strcmp(server->config->http_prefix, "off") != 0)
		http_service_add(service, "GET", "/metrics", metrics, server);
	if (!strcmp(server->config->http_prefix, "off"))
		return;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		size_t size = strlen(server->config->http_prefix) + strlen(all[i].path) + 1;
		char *path = mem_alloc(size);
		snprintf(path, size, "%s%s", server->config->http_prefix, all[i].path);
		http_service_add(service, all[i].method, path, all[i].handler, server);
		server->paths[i] = path;
	}
}

/* The client script: as configured, else where the build or an installation puts it beside the program. */
static int find_script(const struct server *server, char path[PATH_MAX])
{
	static const char *const places[] = {"../public/live-client.js", "../share/liveshard/live-client.js"};
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

static int add_files(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	char script[PATH_MAX];
	int rc = find_script(server, script);

	if (rc == 0)
		rc = http_service_add_file(server->http, "/live-client.js", script, "application/javascript",
					   "public, max-age=86400");
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
	http_service_add_upgrade(server->http, server->config->ws_path, connect_client, server);
	add_health(server, server->http);
	if (server->management)
		add_health(server, server->management);
	add_monitoring(server);
	return add_files(server, error);
}
