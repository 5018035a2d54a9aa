#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/http_private.h"

enum { REPLY_HEADERS_MAX = 64 << 10 };

struct http_request *http_request_new(struct http_connection *http)
{
	const struct http_options *options = &http->service->options;
	struct http_request *request = mem_alloc(sizeof *request);
	request->http = http;
	buf_init(&request->head, options->max_target_bytes + 64 + options->max_header_bytes + 1);
	buf_init(&request->body, 0);
	buf_init(&request->reply_headers, REPLY_HEADERS_MAX);
	request->peer = *connection_peer(http->conn);
	return request;
}

static void free_request(struct grave *grave)
{
	struct http_request *request = (struct http_request *)((char *)grave - offsetof(struct http_request, grave));
	buf_deinit(&request->head);
	buf_deinit(&request->body);
	buf_deinit(&request->reply_headers);
	free(request->headers);
	free(request->params);
	free(request);
}

void http_request_end(struct http_request *request)
{
	struct http_connection *http = request->http;
	struct shard *shard = net_shard_shard(http->net);
	if (handle_is_set(request->handle))
		shard_handle_close(shard, request->handle);
	http->request = NULL;
	request->http = NULL;
	request->grave.free = free_request;
	shard_bury(shard, &request->grave);
}

struct str http_header_name(const struct http_request *request, const struct header *header)
{
	return (struct str){request->head.ptr + header->name, header->name_len};
}

struct str http_header_value(const struct http_request *request, const struct header *header)
{
	return (struct str){request->head.ptr + header->value, header->value_len};
}

struct str http_request_method(const struct http_request *request)
{
	return request->method;
}

struct str http_request_param(const struct http_request *request, const char *name)
{
	for (unsigned i = 0; i < request->param_count; i++) {
		if (str_equal(request->param_names[i], str_of(name)))
			return request->param_values[i];
	}
	return (struct str){0};
}

static struct str decode_in_arena(const struct http_request *request, struct str s)
{
	char *out = arena_alloc(shard_arena(http_request_shard(request)), s.len);
	long len = http_percent_decode(s, true, out);
	/* What is no percent-encoding stands for itself, as browsers read it. */
	return len < 0 ? s : (struct str){out, (size_t)len};
}

bool http_request_query(const struct http_request *request, const char *name, struct str *value)
{
	struct str rest = request->query;
	while (rest.len) {
		const char *amp = memchr(rest.ptr, '&', rest.len);
		struct str pair = {rest.ptr, amp ? (size_t)(amp - rest.ptr) : rest.len};
		size_t used = pair.len + (amp ? 1 : 0);
		rest.ptr += used;
		rest.len -= used;
		const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
		struct str key = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
		if (!str_equal(decode_in_arena(request, key), str_of(name)))
			continue;
		*value = equals ? decode_in_arena(request, (struct str){equals + 1, pair.len - key.len - 1})
				: (struct str){"", 0};
		return true;
	}
	return false;
}

struct str http_request_header_at(const struct http_request *request, const char *name, unsigned index)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		const struct header *header = &request->headers[i];
		if (http_equal_nocase(http_header_name(request, header), str_of(name)) && index-- == 0)
			return http_header_value(request, header);
	}
	return (struct str){0};
}

struct str http_request_header(const struct http_request *request, const char *name)
{
	return http_request_header_at(request, name, 0);
}

unsigned http_request_header_count(const struct http_request *request, const char *name)
{
	unsigned count = 0;
	for (unsigned i = 0; i < request->header_count; i++)
		count += http_equal_nocase(http_header_name(request, &request->headers[i]), str_of(name));
	return count;
}

bool http_request_is_1_0(const struct http_request *request)
{
	return request->is_http_1_0;
}

struct str http_request_body(const struct http_request *request)
{
	return buf_str(&request->body);
}

const struct address *http_request_peer(const struct http_request *request)
{
	return &request->peer;
}

bool http_request_is_secure(const struct http_request *request)
{
	const struct address *proxy = connection_peer(request->http->conn);
	if (address_set_has(request->http->service->options.proxies, proxy))
		return http_equal_nocase(http_request_header(request, "X-Forwarded-Proto"), STR("https"));
	return connection_is_secure(request->http->conn);
}

struct shard *http_request_shard(const struct http_request *request)
{
	return net_shard_shard(request->http->net);
}

struct net_shard *http_request_net(const struct http_request *request)
{
	return request->http->net;
}

struct handle http_request_handle(struct http_request *request)
{
	if (!handle_is_set(request->handle))
		request->handle = shard_handle_open(http_request_shard(request), request);
	return request->handle;
}

struct http_request *http_request_find(struct shard *here, struct handle handle)
{
	return shard_handle_find(here, handle);
}
