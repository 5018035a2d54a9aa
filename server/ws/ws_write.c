/* ws_write - messages into the staging buffer: the header goes in front of what was composed, without copying it. */
#include <stdlib.h>

#include "core/mem.h"
#include "server/ws/ws_private.h"

enum { QUEUE_LIMIT_BYTES = 64 << 20 };

size_t ws_message_begin(struct buf *out)
{
	size_t start = out->len;
	if (buf_room(out, WS_HEADER_GUESS))
		out->len += WS_HEADER_GUESS;
	return start;
}

void ws_message_end(struct ws *ws, struct buf *out, size_t start, enum ws_opcode opcode)
{
	char header[WS_HEADER_MAX];
	size_t from = start + WS_HEADER_GUESS;
	bool compressed = ws->deflate && (ws_finish_shared(ws, out) || ws_deflate_payload(ws, out, from));
	if (buf_failed(out))
		return;
	size_t len = out->len - from;
	size_t size = ws_frame_write(header, opcode, compressed, len);
	if (size > WS_HEADER_GUESS && !buf_room(out, size - WS_HEADER_GUESS))
		return;
	if (size != WS_HEADER_GUESS && len)
		memmove(out->ptr + start + size, out->ptr + from, len);
	memcpy(out->ptr + start, header, size);
	out->len = start + size + len;
	counter_add(&ws_counters(ws)->ws_messages_out, 1);
}

struct buf *ws_queue(struct ws *ws)
{
	if (!ws->queue) {
		ws->queue = mem_alloc(sizeof *ws->queue);
		buf_init(ws->queue, QUEUE_LIMIT_BYTES);
	}
	return ws->queue;
}

void ws_queue_control(struct ws *ws, enum ws_opcode opcode, const void *bytes, size_t len)
{
	char header[WS_HEADER_MAX];
	struct buf *queue = ws_queue(ws);
	buf_append(queue, header, ws_frame_write(header, opcode, false, len));
	buf_append(queue, bytes, len);
	connection_flush_soon(ws->conn);
}

void ws_send(struct ws *ws, enum ws_opcode opcode, const void *bytes, size_t len)
{
	if (ws->farewell)
		return;
	struct buf *queue = ws_queue(ws);
	size_t start = ws_message_begin(queue);
	buf_append(queue, bytes, len);
	ws_message_end(ws, queue, start, opcode);
	connection_flush_soon(ws->conn);
}

void ws_flush_soon(struct ws *ws)
{
	ws->flush_wanted = true;
	connection_flush_soon(ws->conn);
}

void ws_spill(struct ws *ws, struct buf *out)
{
	connection_spill(ws->conn, out);
}

static void append_queue(struct ws *ws, struct buf *out)
{
	if (!ws->queue)
		return;
	if (buf_failed(ws->queue))
		out->failed = true;
	buf_append_str(out, buf_str(ws->queue));
	buf_deinit(ws->queue);
	free(ws->queue);
	ws->queue = NULL;
}

void ws_append_close(const struct ws *ws, struct buf *out)
{
	char payload[WS_CONTROL_MAX];
	char header[WS_HEADER_MAX];
	size_t len = 0;
	const struct farewell *farewell = ws->farewell;
	/* A close frame without a code is answered in kind. */
	if (farewell->code != WS_NO_CODE) {
		payload[0] = (char)(farewell->code >> 8);
		payload[1] = (char)(farewell->code & 0xff);
		/* The peer's own reason need not be told back. */
		if (!ws->close_came)
			memcpy(payload + 2, farewell->reason, farewell->len);
		len = 2 + (ws->close_came ? 0u : farewell->len);
	}
	buf_append(out, header, ws_frame_write(header, WS_CLOSE, false, len));
	buf_append(out, payload, len);
}

void ws_write_flush(struct ws *ws, struct buf *out)
{
	append_queue(ws, out);
	if (ws->flush_wanted && !ws->close_sent && !ws->failed) {
		ws->flush_wanted = false;
		if (ws->ops->on_flush)
			ws->ops->on_flush(ws->owner, ws, out);
		append_queue(ws, out); /* what it sent by ws_send meanwhile */
	}
	if (!ws->close_due)
		return;
	ws->close_due = false;
	ws->close_sent = true;
	ws_append_close(ws, out);
	if (ws->close_came || ws->failed)
		connection_close(ws->conn, CONNECTION_AFTER_FLUSH);
}
