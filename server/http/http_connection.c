/*
 * http_connection - one client's requests, one after the other: reads, dispatches, waits for the reply, goes on.
 *
 * While a reply is owed the next request is not looked at: its bytes stay with the connection, which stops reading when
 * there are any. So memory is bounded by one request, and replies leave in order.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/http/http_private.h"

/* For the first request to come when the server ends. */
enum { FRESH_MS = 1000 };

/* Replies that wait for the end of the tick; above it the next request must wait too. */
enum { OUT_PAUSE_BYTES = 64 << 10, OUT_LIMIT_BYTES = 64 << 20 };

static void arm(struct http_connection *http, unsigned delay_ms)
{
	connection_set_deadline(http->conn, delay_ms);
}

/* ---- requests ---- */

static void refuse(struct http_connection *http, unsigned status)
{
	struct http_request *request = http->request;
	request->complete = false; /* whatever else: this stream is not to be trusted further */
	http->state = HTTP_HANDLING;
	http_reply_error(request, status, NULL);
}

/* The last address that a trusted proxy added is the client's; those before it anyone may write.
 */
static void believe_proxies(struct http_request *request)
{
	const struct address_set *proxies = request->http->service->options.proxies;
	for (unsigned i = request->header_count; i > 0; i--) {
		struct header *header = &request->headers[i - 1];
		if (!http_equal_nocase(http_header_name(request, header), STR("X-Forwarded-For")))
			continue;
		struct str list = http_header_value(request, header);
		while (list.len && address_set_has(proxies, &request->peer)) {
			const char *comma = memrchr(list.ptr, ',', list.len);
			const char *start = comma ? comma + 1 : list.ptr;
			struct str last = http_trim((struct str){start, (size_t)(list.ptr + list.len - start)});
			struct address address;
			if (address_parse(&address, last) < 0)
				return;
			request->peer = address;
			list.len = comma ? (size_t)(comma - list.ptr) : 0;
		}
	}
}

static void dispatch(struct http_connection *http)
{
	struct http_request *request = http->request;
	http->state = HTTP_HANDLING;
	connection_set_deadline(http->conn, -1);
	if (request->file)
		http_static_reply(request);
	else
		request->route->handler(request, request->route->argument);
}

static void reply_options(struct http_request *request)
{
	request->http->state = HTTP_HANDLING;
	http_reply(request, 204, NULL, (struct str){0});
}

/* The head is whole: is there someone for it, and may its body come? */
static void on_head(struct http_connection *http)
{
	struct http_request *request = http->request;
	counter_add(&net_shard_counters(http->net)->http_requests, 1);
	http->served++;
	believe_proxies(request);
	unsigned status = http_service_route(http->service, request);
	if (status == 204) {
		reply_options(request);
		return;
	}
	if (status == 0 && request->has_body && !request->complete) {
		request->max_body =
			request->route ? request->route->max_body_bytes : http->service->options.max_body_bytes;
		buf_init(&request->body, request->max_body);
		if (request->parser.content_length > request->max_body && !(request->parser.flags & F_CHUNKED))
			status = 413;
	}
	if (status) {
		http->state = HTTP_HANDLING;
		http_reply_error(request, status, NULL);
		return;
	}
	if (request->complete) {
		dispatch(http);
		return;
	}
	http->state = HTTP_IN_BODY;
	arm(http, http->service->options.body_ms);
	if (request->awaits_continue) {
		buf_append_str(&http->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
		connection_flush_soon(http->conn);
	}
}

/* Between two requests it is no client: the next one may be dealt out to this shard as if it were not there. */
static void set_idle(struct http_connection *http, bool is_idle)
{
	counter *idle = &shard_counters(net_shard_shard(http->net))->idle;

	if (http->is_idle == is_idle)
		return;
	http->is_idle = is_idle;
	if (is_idle)
		counter_add(idle, 1);
	else
		counter_sub(idle, 1);
}

static size_t read_head(struct http_connection *http, const char *bytes, size_t len)
{
	size_t used;
	if (http->state == HTTP_IDLE) {
		http->request = http_request_new(http);
		http->state = HTTP_IN_HEAD;
		set_idle(http, false);
		arm(http, http->service->options.header_ms);
	}
	enum http_progress progress = http_parse_head(http->request, bytes, len, &used);
	if (progress == HTTP_REFUSED)
		refuse(http, http->request->refusal);
	else if (progress == HTTP_HEAD_DONE)
		on_head(http);
	return used;
}

static size_t read_body(struct http_connection *http, const char *bytes, size_t len)
{
	size_t used;
	enum http_progress progress = http_parse_body(http->request, bytes, len, &used);
	if (progress == HTTP_REFUSED)
		refuse(http, http->request->refusal);
	else if (progress == HTTP_BODY_DONE)
		dispatch(http);
	return used;
}

void http_connection_replied(struct http_connection *http)
{
	if (http->sending.len) {
		http->state = HTTP_SENDING;
		connection_set_deadline(http->conn, -1);
	} else if (http->is_last) {
		http->state = HTTP_CLOSING;
		connection_close(http->conn, CONNECTION_AFTER_FLUSH);
	} else {
		http->state = HTTP_IDLE;
		set_idle(http, true);
		arm(http, http->service->options.idle_ms);
		if (http->out.len <= OUT_PAUSE_BYTES)
			connection_resume_read(http->conn);
	}
}

/* ---- the connection's calls ---- */

static size_t on_read(void *owner, struct connection *conn, char *bytes, size_t len)
{
	struct http_connection *http = owner;
	size_t used = 0;
	while (used < len && http->state <= HTTP_IN_BODY) {
		if (http->state == HTTP_IDLE && http->out.len > OUT_PAUSE_BYTES)
			break;
		if (http->state == HTTP_IN_BODY)
			used += read_body(http, bytes + used, len - used);
		else
			used += read_head(http, bytes + used, len - used);
	}
	if (http->state >= HTTP_CLOSING)
		return http->state == HTTP_CLOSING ? len : used;
	if (used < len)
		connection_pause_read(conn);
	return used;
}

static void on_flush(void *owner, struct connection *conn, struct buf *out)
{
	struct http_connection *http = owner;
	http_reply_flush(http, out);
	if (http->state == HTTP_SENDING && http->sending.len == 0)
		http_connection_replied(http);
	else if (http->state == HTTP_IDLE)
		connection_resume_read(conn);
}

static void on_drained(void *owner, struct connection *conn)
{
	struct http_connection *http = owner;
	if (http->sending.len)
		connection_flush_soon(conn);
}

static void on_end(void *owner, struct connection *conn)
{
	struct http_connection *http = owner;
	/* A client may end its half and still wait for the answer. */
	http->is_last = true;
	if (http->state <= HTTP_IN_BODY)
		connection_close(conn, CONNECTION_AFTER_FLUSH);
}

static void on_deadline(void *owner, struct connection *conn)
{
	struct http_connection *http = owner;
	counter_add(&net_shard_counters(http->net)->http_timeouts, 1);
	if (http->state == HTTP_IN_HEAD || http->state == HTTP_IN_BODY)
		refuse(http, 408);
	else if (http->state == HTTP_IDLE)
		connection_close(conn, CONNECTION_AFTER_FLUSH);
}

static void on_shutdown(void *owner, struct connection *conn)
{
	struct http_connection *http = owner;
	bool is_told = http->is_last;

	http->is_last = true;
	if (http->state != HTTP_IDLE)
		return;
	/* Nobody whom we accepted is turned away before his request: it may be on its way. */
	if (http->served)
		connection_close(conn, CONNECTION_AFTER_FLUSH);
	else if (!is_told)
		arm(http, FRESH_MS);
}

static void on_closed(void *owner, struct connection *conn, int error)
{
	(void)conn;
	(void)error;
	http_connection_end(owner);
}

static const struct connection_ops http_ops = {
	.on_read = on_read,
	.on_flush = on_flush,
	.on_drained = on_drained,
	.on_end = on_end,
	.on_deadline = on_deadline,
	.on_shutdown = on_shutdown,
	.on_closed = on_closed,
};

/* ---- beginning and end ---- */

static void free_http(struct grave *grave)
{
	struct http_connection *http =
		(struct http_connection *)((char *)grave - offsetof(struct http_connection, grave));
	buf_deinit(&http->out);
	free(http);
}

void http_connection_end(struct http_connection *http)
{
	if (http->request)
		http_request_end(http->request);
	http->state = HTTP_GONE;
	set_idle(http, false);
	http->grave.free = free_http;
	shard_bury(net_shard_shard(http->net), &http->grave);
}

int http_connection_open(struct connection **out, const struct http_service *service, struct net_shard *net,
			 const struct accepted *accepted)
{
	struct address peer = address_of((const struct sockaddr *)&accepted->peer, accepted->peer_len);
	struct http_connection *http = mem_alloc(sizeof *http);
	http->service = service;
	http->net = net;
	buf_init(&http->out, OUT_LIMIT_BYTES);
	int rc = connection_new(&http->conn, net, accepted->fd, &peer, &service->connection, &http_ops, http);
	if (rc < 0) {
		free(http);
		return rc;
	}
	arm(http, service->options.idle_ms);
	*out = http->conn;
	return 0;
}
