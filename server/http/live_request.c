#include "server/http/live_request.h"

#include <stdlib.h>

#include <live/transport.h>

#include "core/mem.h"
#include "server/http/http_private.h"

struct pair {
	const char *name, *value;
};

struct pairs {
	struct pair *items; /* the list is ours, the texts are in request->texts */
	size_t count;
};

struct answer { /* on its way to the shard */
	unsigned status;
	char *content_type; /* ours, or NULL */
	char *body;         /* ours */
	size_t len;
};

struct live_request {
	struct mail mail;
	struct shard *home; /* of handle; NULL: to is told */
	struct handle handle;
	live_answer_fn *to;
	void *argument;
	struct answer answer;
	struct buf reply_headers;
	struct pairs headers, params, query;
	const char *method, *path, *query_text, *peer;
	const char *body;
	size_t body_len;
	bool is_secure;
	char *at;     /* where the next text goes */
	char texts[]; /* each NUL-terminated */
};

enum { REPLY_HEADERS_MAX = 64 << 10 };

/* What came, as text with lengths. */
struct source {
	struct str method, path, query, body, peer;
	const struct str *headers; /* name, value, name, value, ... */
	size_t header_count;
	const struct str *param_names, *param_values;
	unsigned param_count;
	bool is_secure;
};

/* ---- copying what came ---- */

static const char *put(live_request *request, struct str text)
{
	char *copy = request->at;

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	request->at += text.len + 1;
	return copy;
}

/* The same, decoded; as it is when it is badly encoded. */
static const char *put_decoded(live_request *request, struct str text)
{
	char *copy = request->at;
	long len = http_percent_decode(text, true, copy);

	if (len < 0)
		return put(request, text);
	copy[len] = 0;
	request->at += len + 1;
	return copy;
}

static void add(struct pairs *pairs, const char *name, const char *value)
{
	if (pairs->count % 8 == 0)
		pairs->items = mem_realloc(pairs->items, (pairs->count + 8) * sizeof *pairs->items);
	pairs->items[pairs->count++] = (struct pair){name, value};
}

static struct str cut(struct str *text, char at)
{
	const char *end = text->len ? memchr(text->ptr, at, text->len) : NULL;
	struct str part = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
	size_t used = part.len + (end ? 1 : 0);

	if (used) {
		text->ptr += used;
		text->len -= used;
	}
	return part;
}

static void put_query(live_request *request, struct str query)
{
	while (query.len) {
		struct str value = cut(&query, '&');
		struct str name = cut(&value, '=');
		const char *decoded = put_decoded(request, name);
		add(&request->query, decoded, put_decoded(request, value));
	}
}

static size_t text_bytes(const struct source *source)
{
	/* The query twice: as sent, and taken apart, where a NUL stands behind each name and value. */
	size_t bytes = source->method.len + source->path.len + 4 * source->query.len + source->body.len +
		       source->peer.len + 16;

	for (size_t i = 0; i < 2 * source->header_count; i++)
		bytes += source->headers[i].len + 1;
	for (unsigned i = 0; i < source->param_count; i++)
		bytes += source->param_names[i].len + source->param_values[i].len + 2;
	return bytes;
}

static live_request *request_new(const struct source *source)
{
	live_request *request = mem_alloc(sizeof *request + text_bytes(source));

	request->at = request->texts;
	buf_init(&request->reply_headers, REPLY_HEADERS_MAX);
	request->method = put(request, source->method);
	request->path = put(request, source->path);
	request->query_text = put(request, source->query);
	request->body = put(request, source->body);
	request->body_len = source->body.len;
	request->peer = put(request, source->peer);
	request->is_secure = source->is_secure;
	put_query(request, source->query);
	for (size_t i = 0; i < source->header_count; i++) {
		const char *name = put(request, source->headers[2 * i]);
		add(&request->headers, name, put(request, source->headers[2 * i + 1]));
	}
	for (unsigned i = 0; i < source->param_count; i++) {
		const char *name = put(request, source->param_names[i]);
		add(&request->params, name, put(request, source->param_values[i]));
	}
	return request;
}

live_request *live_request_of(struct http_request *from)
{
	char peer[ADDRESS_TEXT_MAX];
	struct str *headers = mem_alloc((2 * from->header_count + 1) * sizeof *headers);

	for (unsigned i = 0; i < from->header_count; i++) {
		headers[2 * i] = http_header_name(from, &from->headers[i]);
		headers[2 * i + 1] = http_trim(http_header_value(from, &from->headers[i]));
	}
	live_request *request = request_new(&(struct source){
		.method = from->method,
		.path = from->path,
		.query = from->query,
		.body = buf_str(&from->body),
		.peer = address_text(&from->peer, peer),
		.headers = headers,
		.header_count = from->header_count,
		.param_names = from->param_names,
		.param_values = from->param_values,
		.param_count = from->param_count,
		.is_secure = http_request_is_secure(from),
	});
	free(headers);
	request->home = http_request_shard(from);
	request->handle = http_request_handle(from);
	return request;
}

/* ---- the answer ---- */

static void drop(live_request *request)
{
	buf_deinit(&request->reply_headers);
	free(request->headers.items);
	free(request->params.items);
	free(request->query.items);
	free(request->answer.content_type);
	free(request->answer.body);
	free(request);
}

static void reply_here(live_request *request, const struct answer *answer)
{
	struct http_request *to = http_request_find(request->home, request->handle);

	if (to) {
		if (!buf_failed(&request->reply_headers))
			buf_append_str(&to->reply_headers, buf_str(&request->reply_headers));
		http_reply(to, answer->status, answer->content_type, (struct str){answer->body, answer->len});
	}
	drop(request);
}

static void deliver(struct mail *mail, struct shard *here)
{
	live_request *request = LIST_OF(mail, live_request, mail);

	(void)here;
	reply_here(request, &request->answer);
}

static void discard(struct mail *mail)
{
	drop(LIST_OF(mail, live_request, mail));
}

/* To the shard of its connection, with copies of the answer. */
static void send_home(live_request *request, const struct answer *answer)
{
	request->answer = (struct answer){
		.status = answer->status,
		.content_type =
			answer->content_type ? mem_strndup(answer->content_type, strlen(answer->content_type)) : NULL,
		.body = mem_strndup(answer->body, answer->len),
		.len = answer->len,
	};
	request->mail.deliver = deliver;
	request->mail.discard = discard;
	shard_post_any(shard_group_of(request->home), shard_index(request->home), &request->mail);
}

void live_request_add_header(live_request *request, const char *name, const char *value)
{
	if (!http_is_token(str_of(name)) || value[strcspn(value, "\r\n")])
		return;
	buf_printf(&request->reply_headers, "%s: %s\r\n", name, value);
}

void live_request_reply(live_request *request, unsigned status, const char *content_type, const void *body, size_t len)
{
	const struct answer answer = {
		.status = status,
		.content_type = (char *)(uintptr_t)content_type,
		.body = len ? (char *)(uintptr_t)body : (char *)(uintptr_t) "",
		.len = len,
	};

	if (request->to) {
		buf_append_char(&request->reply_headers, 0);
		request->to(request->argument, status,
			    buf_failed(&request->reply_headers) ? "" : request->reply_headers.ptr, content_type,
			    answer.body, len);
		drop(request);
	} else if (shard_here() == request->home) {
		reply_here(request, &answer);
	} else {
		send_home(request, &answer);
	}
}

void live_request_reply_json(live_request *request, unsigned status, const char *json)
{
	live_request_reply(request, status, "application/json", json, strlen(json));
}

/* ---- what came ---- */

static const char *find(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (!strcmp(pairs->items[i].name, name))
			return pairs->items[i].value;
	return NULL;
}

const char *live_request_method(const live_request *request)
{
	return request->method;
}

const char *live_request_path(const live_request *request)
{
	return request->path;
}

const char *live_request_param(const live_request *request, const char *name)
{
	return find(&request->params, name);
}

const char *live_request_query(const live_request *request, const char *name)
{
	return find(&request->query, name);
}

const char *live_request_query_text(const live_request *request)
{
	return request->query_text;
}

const char *live_request_header(const live_request *request, const char *name)
{
	for (size_t i = 0; i < request->headers.count; i++)
		if (http_equal_nocase(str_of(request->headers.items[i].name), str_of(name)))
			return request->headers.items[i].value;
	return NULL;
}

bool live_request_header_at(const live_request *request, size_t index, const char **name, const char **value)
{
	if (index >= request->headers.count)
		return false;
	*name = request->headers.items[index].name;
	*value = request->headers.items[index].value;
	return true;
}

const char *live_request_body(const live_request *request, size_t *len)
{
	if (len)
		*len = request->body_len;
	return request->body;
}

const char *live_request_peer(const live_request *request)
{
	return request->peer;
}

bool live_request_is_secure(const live_request *request)
{
	return request->is_secure;
}

/* ---- requests of other transports ---- */

bool live_route_matches(const live_route *route, const char *method, const char *path)
{
	struct str names[HTTP_MAX_PARAMS], values[HTTP_MAX_PARAMS];
	bool fits = !strcmp(route->method, method) || (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));

	return fits && path[0] == '/' && http_match_path(str_of(route->path), str_of(path), names, values) >= 0;
}

/* Decodes values in place of a copy of path, which the caller frees. */
static char *decode_values(struct str path, struct str values[], int count)
{
	char *copy = mem_alloc(path.len + 1);
	char *at = copy;

	for (int i = 0; i < count; i++) {
		long len = http_percent_decode(values[i], false, at);
		if (len < 0)
			continue;
		values[i] = (struct str){at, (size_t)len};
		at += len;
	}
	return copy;
}

void live_route_serve(const live_route *route, const live_request_info *info, live_answer_fn *answer, void *argument)
{
	struct str names[HTTP_MAX_PARAMS], values[HTTP_MAX_PARAMS];
	size_t texts = 0;

	while (info->headers && info->headers[texts])
		texts++;
	struct str *headers = mem_alloc((texts + 1) * sizeof *headers);
	for (size_t i = 0; i < texts; i++)
		headers[i] = str_of(info->headers[i]);
	int params = http_match_path(str_of(route->path), str_of(info->path), names, values);
	char *decoded = decode_values(str_of(info->path), values, params);
	live_request *request = request_new(&(struct source){
		.method = str_of(info->method),
		.path = str_of(info->path),
		.query = str_of(info->query),
		.body = {info->body, info->body_len},
		.peer = info->address ? str_of(info->address) : STR("unknown"),
		.headers = headers,
		.header_count = texts / 2,
		.param_names = names,
		.param_values = values,
		.param_count = params < 0 ? 0 : (unsigned)params,
		.is_secure = info->is_secure,
	});
	free(headers);
	free(decoded);
	request->to = answer;
	request->argument = argument;
	route->handler(request, route->argument);
}
