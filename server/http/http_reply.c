/* http_reply - what goes back: the head, the body at once or, from memory that stays, piece by piece. */
#include <stdlib.h>

#include "core/json.h"
#include "server/http/http_private.h"

enum {
	PIECE_BYTES = 128 << 10,
	PIECES_PER_TICK = 4, /* of one connection, so that others have their turn */
	INLINE_BYTES = 16 << 10,
};

void http_reply_header(struct http_request *request, const char *name, struct str value)
{
	struct str key = str_of(name);
	if (!http_is_token(key))
		return;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
			return;
	}
	buf_append_str(&request->reply_headers, key);
	buf_append(&request->reply_headers, ": ", 2);
	buf_append_str(&request->reply_headers, value);
	buf_append(&request->reply_headers, "\r\n", 2);
}

static bool has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

/* The head, into the connection's outgoing bytes. */
static void write_head(struct http_request *request, unsigned status, const char *content_type, size_t body_len)
{
	struct http_connection *http = request->http;
	struct buf *out = &http->out;
	const struct tick_clock *clock = shard_clock(net_shard_shard(http->net));

	buf_printf(out, "HTTP/1.1 %u %s\r\n", status, http_status_text(status));
	buf_append_str(out, http_date_line(clock->wall_ms));
	if (content_type && !has_no_body(status))
		buf_printf(out, "Content-Type: %s\r\n", content_type);
	if (!has_no_body(status))
		buf_printf(out, "Content-Length: %zu\r\n", body_len);
	if (http->is_last)
		buf_append_str(out, STR("Connection: close\r\n"));
	else if (request->is_http_1_0)
		buf_append_str(out, STR("Connection: keep-alive\r\n"));
	if (!buf_failed(&request->reply_headers))
		buf_append_str(out, buf_str(&request->reply_headers));
	buf_append(out, "\r\n", 2);
}

static void count_reply(struct http_connection *http, unsigned status)
{
	struct net_counters *counters = net_shard_counters(http->net);
	if (status >= 500)
		counter_add(&counters->http_errors_5xx, 1);
	else if (status >= 400)
		counter_add(&counters->http_errors_4xx, 1);
}

static void reply(struct http_request *request, unsigned status, const char *content_type, struct str body, bool stays)
{
	struct http_connection *http = request->http;
	/* A request that was not read to its end leaves bytes that would look like the next one. */
	if (!request->keep_alive || !request->complete || http->served >= http->service->options.max_requests)
		http->is_last = true;
	count_reply(http, status);
	write_head(request, status, content_type, body.len);
	if (!request->is_head && !has_no_body(status)) {
		if (stays && body.len > INLINE_BYTES)
			http->sending = body;
		else
			buf_append_str(&http->out, body);
	}
	http_request_end(request);
	if (buf_failed(&http->out)) {
		connection_close(http->conn, CONNECTION_AT_ONCE);
		return;
	}
	connection_flush_soon(http->conn);
	http_connection_replied(http);
}

void http_reply(struct http_request *request, unsigned status, const char *content_type, struct str body)
{
	reply(request, status, content_type, body, false);
}

void http_reply_memory(struct http_request *request, unsigned status, const char *content_type, struct str body)
{
	reply(request, status, content_type, body, true);
}

void http_reply_json(struct http_request *request, unsigned status, struct str json)
{
	reply(request, status, "application/json", json, false);
}

void http_reply_error(struct http_request *request, unsigned status, const char *text)
{
	struct str what = str_of(text ? text : http_status_text(status));
	struct str prefix = request->http->service->options.api_prefix;
	struct buf body;

	buf_init(&body, 6 * what.len + 64);
	if (str_starts_with(request->path, prefix)) {
		buf_append_str(&body, STR("{\"error\":"));
		json_write_string(&body, what);
		buf_append_char(&body, '}');
		http_reply_json(request, status, buf_str(&body));
	} else {
		buf_append_str(&body, what);
		buf_append_char(&body, '\n');
		http_reply(request, status, "text/plain; charset=utf-8", buf_str(&body));
	}
	buf_deinit(&body);
}

int http_request_admit(struct http_request *request)
{
	int rc = connection_set_peer(request->http->conn, &request->peer);
	if (rc < 0)
		http_reply_error(request, 429, "too many connections of this address");
	return rc;
}

struct connection *http_reply_take_over(struct http_request *request, const struct connection_ops *ops, void *owner)
{
	struct http_connection *http = request->http;
	struct connection *conn = http->conn;
	http_request_end(request);
	connection_write(conn, buf_str(&http->out));
	connection_set_ops(conn, ops, owner);
	http_connection_end(http);
	return conn;
}

void http_reply_flush(struct http_connection *http, struct buf *out)
{
	buf_append_str(out, buf_str(&http->out));
	buf_reset(&http->out, 0);
	for (int i = 0; http->sending.len && i < PIECES_PER_TICK; i++) {
		size_t part = http->sending.len < PIECE_BYTES ? http->sending.len : PIECE_BYTES;
		buf_append(out, http->sending.ptr, part);
		http->sending.ptr += part;
		http->sending.len -= part;
		connection_spill(http->conn, out);
		if (connection_backlog_bytes(http->conn))
			return; /* on_drained goes on */
	}
	if (http->sending.len)
		connection_flush_soon(http->conn);
}
