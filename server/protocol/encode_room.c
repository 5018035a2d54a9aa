/*
 * The messages of rooms (protocol.md section 14). A push is written once for all members, but for the receiving
 * member's id, which stands in front.
 */
#include <limits.h>

#include "core/diff.h"
#include "core/json.h"
#include "pubsub/room_event.h"
#include "server/protocol/encode.h"

#define LIT(out, literal) buf_append(out, "" literal, sizeof(literal) - 1)

static const struct str push_types[] = {
	[ROOM_EVENT_CUSTOM] = {"ROOM_EVENT", 10},
	[ROOM_EVENT_STATE] = {"ROOM_STATE", 10},
	[ROOM_EVENT_SYSTEM] = {"ROOM_SYSTEM", 11},
};

static struct frame *frame_of(struct buf *text)
{
	struct frame *frame = frame_new(buf_str(text));
	buf_deinit(text);
	return frame;
}

static void shared_head(struct buf *out, const struct room_event *event)
{
	LIT(out, "\",\"type\":\""); /* the id's quote, too */
	buf_append_str(out, push_types[event->kind]);
	LIT(out, "\",\"roomId\":");
	json_write_string(out, event->room_id);
	LIT(out, ",\"event\":");
	json_write_string(out, event->name);
}

static void shared_tail(struct buf *out, const struct room_event *event)
{
	LIT(out, ",\"timestamp\":");
	json_write_int(out, event->wall_ms);
	LIT(out, "}");
}

struct frame *encode_room_event(const struct room_event *event)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	shared_head(&out, event);
	if (event->data.len) {
		LIT(&out, ",\"data\":");
		buf_append_str(&out, event->data);
	}
	shared_tail(&out, event);
	return frame_of(&out);
}

struct frame *encode_room_event_legacy(const struct room_event *event)
{
	struct buf out;
	const live_value *wide = diff_widen(event->changes, event->state);
	const live_value *data = live_with(wide, "state", wide); /* which holds wide from now on */

	buf_init(&out, SIZE_MAX);
	shared_head(&out, event);
	LIT(&out, ",\"data\":");
	json_write(&out, data);
	shared_tail(&out, event);
	live_value_unref(data);
	return frame_of(&out);
}

void encode_room_frame(struct buf *out, struct str member_id, struct str shared)
{
	static const char head[] = "{\"componentId\":\"";
	size_t head_len = sizeof head - 1 + member_id.len;
	char *to = buf_room(out, head_len + shared.len);

	if (!to)
		return;
	memcpy(to, head, sizeof head - 1);
	memcpy(to + sizeof head - 1, member_id.ptr, member_id.len);
	memcpy(to + head_len, shared.ptr, shared.len);
	out->len += head_len + shared.len;
}

void encode_room_head(struct buf *out, struct str member_id)
{
	encode_room_frame(out, member_id, STR(""));
}

static void reply_head(struct buf *out, struct str type, struct str component_id, struct str room_id)
{
	LIT(out, "{\"type\":\"");
	buf_append_str(out, type);
	LIT(out, "\",\"componentId\":");
	json_write_string(out, component_id);
	LIT(out, ",\"success\":true,\"roomId\":");
	json_write_string(out, room_id);
}

static void reply_tail(struct buf *out, struct str room_id, const live_value *state, struct str request_id)
{
	LIT(out, ",\"payload\":{\"roomId\":");
	json_write_string(out, room_id);
	if (state) {
		LIT(out, ",\"state\":");
		json_write(out, state);
	}
	LIT(out, "}");
	if (request_id.ptr) {
		LIT(out, ",\"requestId\":");
		json_write_string(out, request_id);
	}
	LIT(out, "}");
}

void encode_room_joined(struct buf *out, struct str component_id, struct str room_id, const live_value *state,
			struct str request_id)
{
	reply_head(out, STR("ROOM_JOINED"), component_id, room_id);
	LIT(out, ",\"state\":");
	json_write(out, state);
	reply_tail(out, room_id, state, request_id);
}

void encode_room_left(struct buf *out, struct str component_id, struct str room_id, struct str request_id)
{
	reply_head(out, STR("ROOM_LEFT"), component_id, room_id);
	reply_tail(out, room_id, NULL, request_id);
}

void encode_room_state(struct buf *out, struct str component_id, struct str room_id, const live_value *state,
		       struct str request_id)
{
	reply_head(out, STR("ROOM_STATE"), component_id, room_id);
	reply_tail(out, room_id, state, request_id);
}
