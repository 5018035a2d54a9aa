#include "server/session/ws_session.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/http/http.h"
#include "server/net/traffic.h"
#include "server/session/session.h"
#include "shard/shard.h"

enum { CLOSE_ORIGIN = 4003 };

struct ws_session {
	struct transport transport;
	union { /* open or closed */
		struct {
			struct ws *ws;
			struct session *session; /* NULL: the page may not connect */
		};
		struct grave grave;
	};
};

static struct ws *ws_of(struct transport *transport)
{
	return LIST_OF(transport, struct ws_session, transport)->ws;
}

static bool flush_soon(struct transport *transport)
{
	struct ws *ws = ws_of(transport);

	if (ws_is_closing(ws))
		return false;
	ws_flush_soon(ws);
	return true;
}

static size_t begin(struct transport *transport, struct buf *out)
{
	(void)transport;
	return ws_message_begin(out);
}

static void end(struct transport *transport, struct buf *out, size_t start)
{
	ws_message_end(ws_of(transport), out, start, WS_TEXT);
}

static void append_shared(struct transport *transport, struct buf *out, size_t start, struct shared_text *shared)
{
	ws_append_shared(ws_of(transport), out, start, shared->text, &shared->packed);
}

static void spill(struct transport *transport, struct buf *out)
{
	ws_spill(ws_of(transport), out);
}

static void pause_reading(struct transport *transport)
{
	ws_pause(ws_of(transport));
}

static void resume_reading(struct transport *transport)
{
	ws_resume(ws_of(transport));
}

static void describe(struct transport *transport, struct transport_figures *figures)
{
	struct ws *ws = ws_of(transport);
	char *text = arena_alloc(shard_arena(ws_shard(ws)), ADDRESS_TEXT_MAX);
	struct traffic traffic;

	address_text(ws_peer(ws), text);
	figures->address = text;
	figures->queued_bytes = connection_backlog_bytes(ws_connection(ws));
	traffic_of(ws_connection(ws), &traffic);
	figures->bytes = traffic.bytes_in + traffic.bytes_out;
	figures->round_trip_us = traffic.round_trip_us;
	figures->is_closing = ws_is_closing(ws);
}

static void close_ws(struct transport *transport, unsigned code, struct str reason)
{
	ws_close(ws_of(transport), code, reason);
}

#define TRANSPORT_OPS                                                                              \
	.name = "websocket", .flush_soon = flush_soon, .begin = begin, .end = end, .spill = spill, \
	.pause = pause_reading, .resume = resume_reading, .describe = describe, .close = close_ws

static const struct transport_ops transport_ops = {TRANSPORT_OPS};
static const struct transport_ops compressing_ops = {TRANSPORT_OPS, .append_shared = append_shared};

static void on_message(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	struct ws_session *self = owner;

	(void)ws;
	if (!self->session)
		return;
	if (opcode == WS_TEXT)
		session_message(self->session, (struct str){bytes, len});
	else
		session_binary(self->session, len);
}

static void on_flush(void *owner, struct ws *ws, struct buf *out)
{
	struct ws_session *self = owner;

	(void)ws;
	if (self->session)
		session_compose(self->session, out);
}

static void on_drained(void *owner, struct ws *ws)
{
	struct ws_session *self = owner;

	(void)ws;
	if (self->session)
		session_caught_up(self->session);
}

static void on_backlog(void *owner, struct ws *ws)
{
	struct ws_session *self = owner;

	(void)ws;
	if (self->session)
		session_fell_behind(self->session);
}

static void free_self(struct grave *grave)
{
	free(LIST_OF(grave, struct ws_session, grave));
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	struct ws_session *self = owner;

	(void)code;
	(void)reason;
	if (self->session)
		session_close(self->session);
	self->grave.free = free_self;
	shard_bury(ws_shard(ws), &self->grave);
}

static const struct ws_ops ws_ops = {
	.on_message = on_message,
	.on_flush = on_flush,
	.on_drained = on_drained,
	.on_backlog = on_backlog,
	.on_close = on_close,
};

void ws_session_accept(struct session_shard *here, struct http_request *request, const struct ws_options *options,
		       const struct origin_list *origins)
{
	bool is_allowed = origin_is_allowed_at(origins, http_request_header(request, "Origin"),
					       http_request_header(request, "Host"), http_request_is_secure(request));
	struct ws_session *self = mem_alloc(sizeof *self);
	struct str token = {NULL, 0};

	/* Kept by the tick's memory: accepting ends the request. */
	http_request_query(request, "token", &token);
	if (ws_accept(&self->ws, request, options, &ws_ops, self) < 0) {
		free(self);
		return;
	}
	self->transport.ops = ws_compresses(self->ws) ? &compressing_ops : &transport_ops;
	if (is_allowed)
		self->session = session_open(here, &self->transport, token);
	else
		ws_close(self->ws, CLOSE_ORIGIN, STR("Origin not allowed"));
}
