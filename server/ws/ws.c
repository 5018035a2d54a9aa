/* ws - a connection's life: opening, liveness, the close handshake and its end. */
#include "server/ws/ws.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/ws/ws_private.h"

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

size_t ws_max_message(const struct ws *ws)
{
	return ws->options->max_message_bytes ? ws->options->max_message_bytes : 4 << 20;
}

unsigned ws_max_fragments(const struct ws *ws)
{
	return or_default(ws->options->max_fragments, 4096);
}

static unsigned message_ms(const struct ws *ws)
{
	return or_default(ws->options->message_ms, 30000);
}

static unsigned ping_ms(const struct ws *ws)
{
	return or_default(ws->options->ping_ms, 30000);
}

struct net_counters *ws_counters(const struct ws *ws)
{
	return net_shard_counters(connection_net(ws->conn));
}

int64_t ws_now_ms(const struct ws *ws)
{
	return shard_clock(connection_shard(ws->conn))->mono_ms;
}

/* ---- how it ends ---- */

static void set_farewell(struct ws *ws, unsigned code, struct str reason)
{
	struct farewell *farewell = mem_alloc(sizeof *farewell);
	size_t len = reason.len;
	if (len > sizeof farewell->reason) {
		/* Cut between characters: a continuation byte does not begin one. */
		len = sizeof farewell->reason;
		while (len && ((unsigned char)reason.ptr[len] & 0xc0) == 0x80)
			len--;
	}
	farewell->code = (uint16_t)code;
	farewell->len = (uint8_t)len;
	if (len)
		memcpy(farewell->reason, reason.ptr, len);
	ws->farewell = farewell;
}

static void count_failure(struct ws *ws, unsigned code)
{
	struct net_counters *counters = ws_counters(ws);
	counter_add(&counters->ws_closes_ours, 1);
	if (code == WS_PROTOCOL_ERROR)
		counter_add(&counters->ws_closes_protocol, 1);
	else if (code == WS_INVALID_DATA)
		counter_add(&counters->ws_closes_utf8, 1);
	else if (code == WS_TOO_BIG)
		counter_add(&counters->ws_closes_too_big, 1);
}

void ws_fail(struct ws *ws, unsigned code, const char *reason)
{
	if (ws->failed)
		return;
	ws->failed = true;
	ws->unfinished_ms = 0;
	ws_gather_free(ws);
	if (ws->close_sent) { /* we said our word before */
		connection_close(ws->conn, CONNECTION_AFTER_FLUSH);
		return;
	}
	if (!ws->farewell) {
		count_failure(ws, code);
		set_farewell(ws, code, str_of(reason));
	}
	ws->close_due = true;
	connection_flush_soon(ws->conn);
}

void ws_close(struct ws *ws, unsigned code, struct str reason)
{
	if (ws->farewell)
		return;
	assert_always(ws_code_is_valid(code));
	ws->opened = true;
	counter_add(&ws_counters(ws)->ws_closes_ours, 1);
	set_farewell(ws, code, reason);
	ws->close_due = true;
	ws->held = false;
	connection_resume_read(ws->conn);
	connection_flush_soon(ws->conn);
	connection_set_deadline(ws->conn, or_default(ws->options->close_ms, 5000));
}

void ws_take_close(struct ws *ws, const char *payload, size_t len)
{
	unsigned code = WS_NO_CODE;
	struct str reason = {0};
	if (len >= 2) {
		code = (unsigned)(unsigned char)payload[0] << 8 | (unsigned char)payload[1];
		reason = (struct str){payload + 2, len - 2};
	}
	if (len == 1 || (len >= 2 && !ws_code_is_valid(code))) {
		ws_fail(ws, WS_PROTOCOL_ERROR, "bad close code");
		return;
	}
	if (!utf8_check(reason)) {
		ws_fail(ws, WS_INVALID_DATA, "invalid UTF-8");
		return;
	}
	ws->close_came = true;
	ws_gather_free(ws);
	ws->unfinished_ms = 0;
	if (ws->close_sent) {
		connection_close(ws->conn, CONNECTION_AFTER_FLUSH);
		return;
	}
	if (!ws->farewell) {
		counter_add(&ws_counters(ws)->ws_closes_peer, 1);
		set_farewell(ws, code, reason);
	}
	ws->close_due = true;
	connection_flush_soon(ws->conn);
}

bool ws_is_closing(const struct ws *ws)
{
	return ws->farewell || connection_is_closing(ws->conn);
}

/* ---- the timer ---- */

void ws_arm(struct ws *ws)
{
	int64_t now_ms = ws_now_ms(ws);
	int64_t due_ms = ws->heard_ms + (int64_t)ping_ms(ws) * (ws->pinged ? 2 : 1);
	if (ws->farewell)
		return;
	if (ws->unfinished_ms && ws->unfinished_ms + message_ms(ws) < due_ms)
		due_ms = ws->unfinished_ms + message_ms(ws);
	connection_set_deadline(ws->conn, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void give_up(struct ws *ws, counter *cause)
{
	counter_add(cause, 1);
	connection_close(ws->conn, CONNECTION_AT_ONCE);
}

static void on_deadline(void *owner, struct connection *conn)
{
	struct ws *ws = owner;
	int64_t now_ms = ws_now_ms(ws);

	if (ws->farewell) {
		give_up(ws, &ws_counters(ws)->ws_closes_slow);
		return;
	}
	if (!connection_is_reading(conn)) {
		/* We do not listen, so its silence says nothing. */
		ws->heard_ms = now_ms;
		if (ws->unfinished_ms)
			ws->unfinished_ms = now_ms;
	}
	if (ws->unfinished_ms && now_ms - ws->unfinished_ms >= message_ms(ws)) {
		counter_add(&ws_counters(ws)->ws_closes_slow, 1);
		ws_fail(ws, WS_POLICY, "message took too long");
		return;
	}
	int64_t silent_ms = now_ms - ws->heard_ms;
	if (ws->pinged && silent_ms >= 2 * (int64_t)ping_ms(ws)) {
		give_up(ws, &ws_counters(ws)->ws_closes_half_open);
		return;
	}
	if (!ws->pinged && silent_ms >= ping_ms(ws)) {
		ws->pinged = true;
		counter_add(&ws_counters(ws)->ws_pings, 1);
		ws_queue_control(ws, WS_PING, NULL, 0);
	}
	ws_arm(ws);
}

/* ---- the connection's calls ---- */

static void open_once(struct ws *ws)
{
	if (ws->opened)
		return;
	ws->opened = true;
	if (ws->ops->on_open)
		ws->ops->on_open(ws->owner, ws);
}

static size_t on_read(void *owner, struct connection *conn, char *bytes, size_t len)
{
	struct ws *ws = owner;
	(void)conn;
	ws->heard_ms = ws_now_ms(ws);
	ws->pinged = false;
	open_once(ws);
	return ws_read(ws, bytes, len);
}

static void on_flush(void *owner, struct connection *conn, struct buf *out)
{
	struct ws *ws = owner;
	(void)conn;
	open_once(ws);
	ws_write_flush(ws, out);
}

static void on_drained(void *owner, struct connection *conn)
{
	struct ws *ws = owner;
	(void)conn;
	if (ws->ops->on_drained && !ws->farewell)
		ws->ops->on_drained(ws->owner, ws);
}

static void on_backlog(void *owner, struct connection *conn, enum connection_level level)
{
	struct ws *ws = owner;
	(void)conn;
	(void)level;
	if (ws->ops->on_backlog && !ws->farewell)
		ws->ops->on_backlog(ws->owner, ws);
}

/* What the server sends at a time: the 101, or a frame, which always has its FIN bit set. */
static size_t piece_len(void *owner, const char *bytes, size_t len)
{
	static const char end[] = "\r\n\r\n";
	(void)owner;
	if ((unsigned char)bytes[0] & 0x80)
		return ws_frame_len((const unsigned char *)bytes);
	const char *at = memmem(bytes, len, end, sizeof end - 1);
	assert_always(at);
	return (size_t)(at - bytes) + sizeof end - 1;
}

static void on_last_words(void *owner, struct connection *conn, enum connection_level level, struct buf *out)
{
	struct ws *ws = owner;
	(void)conn;
	if (!ws->farewell) {
		counter_add(&ws_counters(ws)->ws_closes_ours, 1);
		if (level == CONNECTION_UNFIT)
			set_farewell(ws, WS_INTERNAL_ERROR, STR("message too large to be sent"));
		else if (level == CONNECTION_TOTAL)
			set_farewell(ws, WS_TRY_AGAIN, STR("WebSocket backpressure: server is busy"));
		else
			set_farewell(ws, WS_POLICY, STR("WebSocket backpressure: client too slow"));
	}
	ws->close_due = false;
	ws->close_sent = true;
	ws_append_close(ws, out);
}

static void on_shutdown(void *owner, struct connection *conn)
{
	(void)conn;
	ws_close(owner, WS_GOING_AWAY, STR("Server shutting down"));
}

static void free_ws(struct grave *grave)
{
	free((char *)grave - offsetof(struct ws, grave));
}

/* For debug alone: who is rude must not fill a disk. */
static void tell(const struct ws *ws, const char *what, unsigned code, struct str reason)
{
	char peer[ADDRESS_TEXT_MAX];
	if (!log_enabled(LOG_DEBUG))
		return;
	address_text(ws_peer(ws), peer);
	if (code)
		log_line(LOG_DEBUG, peer, "websocket %s: %u%s%.*s", what, code, reason.len ? " " : "", STR_ARG(reason));
	else
		log_line(LOG_DEBUG, peer, "websocket %s", what);
}

static void on_closed(void *owner, struct connection *conn, int error)
{
	struct ws *ws = owner;
	const struct farewell *farewell = ws->farewell;
	struct str reason = farewell ? (struct str){farewell->reason, farewell->len} : (struct str){"", 0};
	unsigned code = farewell ? farewell->code : WS_ABNORMAL;
	(void)error;
	tell(ws, "closed", code, reason);
	ws->ops->on_close(ws->owner, ws, code, reason);
	ws_gather_free(ws);
	ws_deflate_free(ws->deflate);
	if (ws->queue)
		buf_deinit(ws->queue);
	free(ws->queue);
	free(ws->farewell);
	ws->grave.free = free_ws;
	shard_bury(connection_shard(conn), &ws->grave);
}

const struct connection_ops ws_connection_ops = {
	.on_read = on_read,
	.on_flush = on_flush,
	.on_drained = on_drained,
	.on_backlog = on_backlog,
	.piece_len = piece_len,
	.on_last_words = on_last_words,
	.on_deadline = on_deadline,
	.on_shutdown = on_shutdown,
	.on_closed = on_closed,
};

struct ws *ws_new(const struct ws_options *options, const struct ws_ops *ops, void *owner)
{
	struct ws *ws = mem_alloc(sizeof *ws);
	ws->options = options;
	ws->ops = ops;
	ws->owner = owner;
	return ws;
}

void ws_begin(struct ws *ws, struct connection *conn)
{
	ws->conn = conn;
	ws->heard_ms = ws_now_ms(ws);
	counter_add(&ws_counters(ws)->ws_opened, 1);
	tell(ws, "opened", 0, STR(""));
	ws_arm(ws);
	connection_flush_soon(conn); /* so that on_open is called, whether bytes come or not */
}

/* ---- flow ---- */

void ws_pause(struct ws *ws)
{
	if (ws->farewell)
		return;
	ws->held = true;
	connection_pause_read(ws->conn);
}

void ws_resume(struct ws *ws)
{
	ws->held = false;
	connection_resume_read(ws->conn);
}

const struct address *ws_peer(const struct ws *ws)
{
	return connection_peer(ws->conn);
}

struct shard *ws_shard(const struct ws *ws)
{
	return connection_shard(ws->conn);
}

bool ws_compresses(const struct ws *ws)
{
	return ws->deflate != NULL;
}

struct connection *ws_connection(const struct ws *ws)
{
	return ws->conn;
}
