#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/http_private.h"

struct http_service *http_service_new(const struct http_options *options)
{
	struct http_service *service = mem_alloc(sizeof *service);
	struct http_options *o = &service->options;
	if (options)
		*o = *options;
	if (o->max_target_bytes == 0)
		o->max_target_bytes = 8 << 10;
	if (o->max_header_bytes == 0)
		o->max_header_bytes = 32 << 10;
	if (o->max_headers == 0)
		o->max_headers = 100;
	if (o->max_body_bytes == 0)
		o->max_body_bytes = 1 << 20;
	if (o->header_ms == 0)
		o->header_ms = 10000;
	if (o->body_ms == 0)
		o->body_ms = 30000;
	if (o->idle_ms == 0)
		o->idle_ms = 60000;
	if (o->max_requests == 0)
		o->max_requests = 10000;
	if (o->api_prefix.len == 0)
		o->api_prefix = STR("/api/");
	if (o->connection)
		service->connection = *o->connection;
	connection_options_fill(&service->connection);
	map_init(&service->files);
	return service;
}

void http_service_free(struct http_service *service)
{
	if (!service)
		return;
	http_static_free_all(service);
	free(service->routes);
	free(service);
}

static void add_route(struct http_service *service, const struct route *route)
{
	service->routes = mem_realloc(service->routes, (service->route_count + 1) * sizeof *route);
	service->routes[service->route_count++] = *route;
}

void http_service_add_limited(struct http_service *service, const char *method, const char *pattern,
			      size_t max_body_bytes, http_handler handler, void *argument)
{
	assert_always(pattern[0] == '/');
	add_route(service, &(struct route){str_of(method), str_of(pattern), max_body_bytes, handler, argument});
}

void http_service_add(struct http_service *service, const char *method, const char *pattern, http_handler handler,
		      void *argument)
{
	http_service_add_limited(service, method, pattern, service->options.max_body_bytes, handler, argument);
}

void http_service_add_upgrade(struct http_service *service, const char *path, http_handler handler, void *argument)
{
	http_service_add_limited(service, "GET", path, 0, handler, argument);
}

/* ---- matching ---- */

static struct str next_segment(struct str *path)
{
	/* path begins with '/'; the segment is what follows, up to the next one. */
	const char *start = path->ptr + 1;
	size_t rest = path->len - 1;
	const char *slash = rest ? memchr(start, '/', rest) : NULL;
	struct str segment = {start, slash ? (size_t)(slash - start) : rest};
	path->ptr = start + segment.len;
	path->len = rest - segment.len;
	return segment;
}

int http_match_path(struct str pattern, struct str path, struct str names[HTTP_MAX_PARAMS],
		    struct str values[HTTP_MAX_PARAMS])
{
	int params = 0;
	while (pattern.len && path.len) {
		struct str want = next_segment(&pattern);
		struct str have = next_segment(&path);
		if (want.len && want.ptr[0] == ':') {
			if (have.len == 0 || params == HTTP_MAX_PARAMS)
				return -1;
			names[params] = (struct str){want.ptr + 1, want.len - 1};
			values[params++] = have;
		} else if (!str_equal(want, have)) {
			return -1;
		}
	}
	return pattern.len == 0 && path.len == 0 ? params : -1;
}

/* Whether path fits pattern; the parameters (still encoded) go to request. */
static bool matches(struct str pattern, struct str path, struct http_request *request)
{
	int params = http_match_path(pattern, path, request->param_names, request->param_values);
	request->param_count = params < 0 ? 0 : (unsigned)params;
	return params >= 0;
}

/* The parameters decoded, into memory of the request's. False when one is badly encoded. */
static bool decode_params(struct http_request *request)
{
	if (!request->param_count)
		return true;
	char *at = request->params = mem_alloc(request->path.len + 1);
	for (unsigned i = 0; i < request->param_count; i++) {
		struct str *value = &request->param_values[i];
		long len = http_percent_decode(*value, false, at);
		if (len < 0)
			return false;
		*value = (struct str){at, (size_t)len};
		at += len;
	}
	return true;
}

static bool method_fits(const struct route *route, const struct http_request *request)
{
	return str_equal(route->method, request->method) || (request->is_head && str_equal(route->method, STR("GET")));
}

static void allow(struct buf *list, struct str method)
{
	if (http_list_has(buf_str(list), method))
		return;
	if (list->len)
		buf_append(list, ", ", 2);
	buf_append_str(list, method);
	if (str_equal(method, STR("GET")))
		buf_append_str(list, STR(", HEAD"));
}

/* No route takes the method: which would they? 404 for none, else 405, or 204 for who asks just that. */
static unsigned refuse_method(const struct http_service *service, struct http_request *request)
{
	struct buf list;
	bool is_options = str_equal(request->method, STR("OPTIONS"));
	bool any = str_equal(request->path, STR("*"));
	unsigned status = 404;

	buf_init(&list, 1024);
	for (size_t i = 0; i < service->route_count; i++) {
		if (any || matches(service->routes[i].pattern, request->path, request))
			allow(&list, service->routes[i].method);
	}
	request->param_count = 0;
	if (http_static_find(service, request->path))
		allow(&list, STR("GET"));
	if (list.len || any) {
		allow(&list, STR("OPTIONS"));
		http_reply_header(request, "Allow", buf_str(&list));
		status = is_options ? 204 : 405;
	}
	buf_deinit(&list);
	return status;
}

unsigned http_service_route(const struct http_service *service, struct http_request *request)
{
	for (size_t i = 0; i < service->route_count && request->path.ptr[0] == '/'; i++) {
		const struct route *route = &service->routes[i];
		if (!method_fits(route, request) || !matches(route->pattern, request->path, request))
			continue;
		request->route = route;
		return decode_params(request) ? 0 : 400;
	}
	request->param_count = 0;
	if (request->is_head || str_equal(request->method, STR("GET"))) {
		request->file = http_static_find(service, request->path);
		if (request->file)
			return 0;
	}
	return refuse_method(service, request);
}
