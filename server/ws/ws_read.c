/*
 * ws_read - from bytes to messages: frames are taken apart in the receive buffer.
 *
 * A message that came whole in one frame is unmasked and delivered where it lies. Anything else is gathered, unmasked
 * and checked as it comes, so that a fault is found at the first byte that proves it. Control frames are read whole.
 */
#include <stdlib.h>

#include "core/mem.h"
#include "server/ws/ws_private.h"

void ws_gather_free(struct ws *ws)
{
	if (!ws->gather)
		return;
	buf_deinit(&ws->gather->bytes);
	free(ws->gather);
	ws->gather = NULL;
}

static void start_gather(struct ws *ws, const struct ws_frame *frame)
{
	struct gather *gather = mem_alloc(sizeof *gather);
	buf_init(&gather->bytes, ws_max_message(ws));
	gather->opcode = frame->opcode;
	gather->compressed = frame->rsv1;
	gather->started_ms = ws_now_ms(ws);
	ws->gather = gather;
	ws->unfinished_ms = gather->started_ms;
	ws_arm(ws);
}

/* ---- whole messages ---- */

static void deliver(struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	counter_add(&ws_counters(ws)->ws_messages_in, 1);
	ws->ops->on_message(ws->owner, ws, opcode, bytes, len);
}

static void deliver_compressed(struct ws *ws, enum ws_opcode opcode, struct str compressed)
{
	char *bytes;
	size_t len;
	int rc = ws_deflate_inflate(ws, compressed, &bytes, &len);
	if (rc == -WS_TOO_BIG)
		ws_fail(ws, WS_TOO_BIG, "message too big");
	else if (rc < 0)
		ws_fail(ws, WS_INVALID_DATA, "bad compressed data");
	else if (opcode == WS_TEXT && !utf8_check((struct str){bytes, len}))
		ws_fail(ws, WS_INVALID_DATA, "invalid UTF-8");
	else
		deliver(ws, opcode, bytes, len);
}

static void deliver_gathered(struct ws *ws)
{
	struct gather *gather = ws->gather;
	static char nothing[1];
	enum ws_opcode opcode = gather->opcode;

	if (!gather->compressed && opcode == WS_TEXT && !utf8_state_complete(&gather->utf8)) {
		ws_fail(ws, WS_INVALID_DATA, "invalid UTF-8");
		return;
	}
	/* The owner may do anything meanwhile, so the message leaves its place first. */
	ws->gather = NULL;
	ws->unfinished_ms = 0;
	if (gather->compressed)
		deliver_compressed(ws, opcode, buf_str(&gather->bytes));
	else
		deliver(ws, opcode, gather->bytes.len ? gather->bytes.ptr : nothing, gather->bytes.len);
	buf_deinit(&gather->bytes);
	free(gather);
}

/* ---- pieces ---- */

/* Takes up to len payload bytes of the gathered frame. Returns how many. */
static size_t take_payload(struct ws *ws, char *bytes, size_t len)
{
	struct gather *gather = ws->gather;
	size_t part = gather->frame_left < len ? (size_t)gather->frame_left : len;

	ws_unmask(bytes, part, gather->mask, gather->phase);
	gather->phase += part;
	gather->frame_left -= part;
	if (!ws->farewell) { /* afterwards messages are passed over */
		buf_append(&gather->bytes, bytes, part);
		if (buf_failed(&gather->bytes)) {
			ws_fail(ws, WS_TOO_BIG, "message too big");
			return part;
		}
		if (gather->opcode == WS_TEXT && !gather->compressed &&
		    !utf8_state_feed(&gather->utf8, (struct str){bytes, part})) {
			ws_fail(ws, WS_INVALID_DATA, "invalid UTF-8");
			return part;
		}
	}
	if (gather->frame_left > 0)
		return part;
	gather->between = true;
	if (!gather->fin)
		return part;
	if (ws->farewell)
		ws_gather_free(ws);
	else
		deliver_gathered(ws);
	return part;
}

/* ---- frames ---- */

static const char *check_order(const struct ws *ws, const struct ws_frame *frame)
{
	if (frame->opcode == WS_CONTINUATION && !ws->gather)
		return "continuation of nothing";
	if (frame->opcode != WS_CONTINUATION && ws->gather)
		return "message inside a message";
	return NULL;
}

/* Whether the frame fits what we take; otherwise it failed. */
static bool check_limits(struct ws *ws, const struct ws_frame *frame)
{
	size_t most = ws_max_message(ws);
	size_t have = ws->gather ? ws->gather->bytes.len : 0;
	if (frame->opcode == WS_BINARY && ws->options->text_only)
		ws_fail(ws, WS_UNSUPPORTED_DATA, "binary messages are not supported");
	else if (frame->len > most || have > most - frame->len)
		ws_fail(ws, WS_TOO_BIG, "message too big");
	else if (ws->gather && ws->gather->fragments >= ws_max_fragments(ws))
		ws_fail(ws, WS_TOO_BIG, "too many fragments");
	else
		return true;
	return false;
}

static size_t take_data(struct ws *ws, const struct ws_frame *frame, char *bytes, size_t len)
{
	const char *why = check_order(ws, frame);
	if (why) {
		ws_fail(ws, WS_PROTOCOL_ERROR, why);
		return frame->size;
	}
	if (!check_limits(ws, frame))
		return frame->size;
	char *payload = bytes + frame->size;
	if (frame->fin && !ws->gather && !ws->farewell && frame->len <= len - frame->size) {
		size_t size = (size_t)frame->len;
		ws_unmask(payload, size, frame->mask, 0);
		ws->unfinished_ms = 0;
		if (frame->rsv1)
			deliver_compressed(ws, frame->opcode, (struct str){payload, size});
		else if (frame->opcode == WS_TEXT && !utf8_check((struct str){payload, size}))
			ws_fail(ws, WS_INVALID_DATA, "invalid UTF-8");
		else
			deliver(ws, frame->opcode, payload, size);
		return frame->size + size;
	}
	if (!ws->gather)
		start_gather(ws, frame);
	struct gather *gather = ws->gather;
	memcpy(gather->mask, frame->mask, sizeof gather->mask);
	gather->frame_left = frame->len;
	gather->phase = 0;
	gather->fin = frame->fin;
	gather->between = false;
	gather->fragments++;
	return frame->size + take_payload(ws, payload, len - frame->size);
}

static size_t take_control(struct ws *ws, const struct ws_frame *frame, char *bytes, size_t len)
{
	size_t size = (size_t)frame->len;
	if (len - frame->size < size)
		return 0;
	char *payload = bytes + frame->size;
	ws_unmask(payload, size, frame->mask, 0);
	ws->unfinished_ms = ws->gather ? ws->gather->started_ms : 0;
	if (frame->opcode == WS_CLOSE)
		ws_take_close(ws, payload, size);
	else if (frame->opcode == WS_PING && !ws->farewell)
		ws_queue_control(ws, WS_PONG, payload, size);
	return frame->size + size;
}

/* One frame, or the beginning of one. Returns how many bytes it took: 0 when more must come first. */
static size_t take_frame(struct ws *ws, char *bytes, size_t len)
{
	struct ws_frame frame;
	const char *why;
	int rc = ws_frame_read(&frame, (const unsigned char *)bytes, len, ws->deflate != NULL, &why);
	if (rc < 0)
		ws_fail(ws, WS_PROTOCOL_ERROR, why);
	if (rc <= 0)
		return 0;
	return frame.opcode & 8 ? take_control(ws, &frame, bytes, len) : take_data(ws, &frame, bytes, len);
}

size_t ws_read(struct ws *ws, char *bytes, size_t len)
{
	size_t used = 0;
	while (used < len && !ws->held && !ws->failed && !ws->close_came && !connection_is_closing(ws->conn)) {
		bool inside = ws->gather && !ws->gather->between;
		size_t took =
			inside ? take_payload(ws, bytes + used, len - used) : take_frame(ws, bytes + used, len - used);
		if (took == 0)
			break;
		used += took;
	}
	if (ws->failed || ws->close_came)
		return len;
	if (used < len && !ws->held && ws->unfinished_ms == 0) {
		ws->unfinished_ms = ws_now_ms(ws);
		ws_arm(ws);
	}
	return used;
}
