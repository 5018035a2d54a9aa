#include "server/debug/debug_event.h"

#include "core/json.h"
#include "core/mem.h"

enum { LONGEST_DATA = 50000, PREVIEW = 500 }; /* in UTF-16 units, as browsers count characters */

/* ---- names ---- */

struct str debug_type_name(enum debug_type type)
{
	static const struct str names[DEBUG_TYPES] = {
		[DEBUG_COMPONENT_MOUNT] = STR("COMPONENT_MOUNT"),
		[DEBUG_COMPONENT_UNMOUNT] = STR("COMPONENT_UNMOUNT"),
		[DEBUG_COMPONENT_REHYDRATE] = STR("COMPONENT_REHYDRATE"),
		[DEBUG_STATE_CHANGE] = STR("STATE_CHANGE"),
		[DEBUG_ACTION_CALL] = STR("ACTION_CALL"),
		[DEBUG_ACTION_RESULT] = STR("ACTION_RESULT"),
		[DEBUG_ACTION_ERROR] = STR("ACTION_ERROR"),
		[DEBUG_ROOM_JOIN] = STR("ROOM_JOIN"),
		[DEBUG_ROOM_LEAVE] = STR("ROOM_LEAVE"),
		[DEBUG_ROOM_EMIT] = STR("ROOM_EMIT"),
		[DEBUG_ROOM_EVENT_RECEIVED] = STR("ROOM_EVENT_RECEIVED"),
		[DEBUG_WS_CONNECT] = STR("WS_CONNECT"),
		[DEBUG_WS_DISCONNECT] = STR("WS_DISCONNECT"),
		[DEBUG_ERROR] = STR("ERROR"),
		[DEBUG_LOG] = STR("LOG"),
	};

	return names[type];
}

/* ---- data ---- */

/* The units of one character that begins with byte, 0 for the other bytes of it. */
static size_t units_of(char byte)
{
	unsigned char b = (unsigned char)byte;

	return (b & 0xc0) == 0x80 ? 0 : b >= 0xf0 ? 2 : 1;
}

static size_t length(struct str text)
{
	size_t units = 0;

	for (size_t i = 0; i < text.len; i++)
		units += units_of(text.ptr[i]);
	return units;
}

/* How long text is when that is too long, else 0. No text has more units than bytes. */
static size_t excess(struct str text)
{
	size_t units = text.len > LONGEST_DATA ? length(text) : 0;

	return units > LONGEST_DATA ? units : 0;
}

/* As much of text as a preview shows; no character is cut in two. */
static struct str preview_of(struct str text)
{
	size_t units = 0, len = 0;

	while (len < text.len && units + units_of(text.ptr[len]) <= PREVIEW)
		units += units_of(text.ptr[len++]);
	return (struct str){text.ptr, len};
}

void debug_put_state(struct buf *out, const live_value *state)
{
	size_t start = out->len;

	json_write(out, state);
	if (buf_failed(out))
		return;
	size_t size = excess((struct str){out->ptr + start, out->len - start});
	if (!size)
		return;
	out->len = start;
	buf_printf(out, "{\"_truncated\":true,\"_size\":%zu}", size);
}

void debug_fit_data(struct buf *data)
{
	char preview[PREVIEW * 3 + 3];

	if (buf_failed(data)) {
		buf_reset(data, 0);
		buf_append_str(data, STR("{\"_serialization_error\":true}"));
		return;
	}
	size_t size = excess(buf_str(data));
	if (!size)
		return;
	struct str head = preview_of(buf_str(data));
	memcpy(preview, head.ptr, head.len);
	memcpy(preview + head.len, "...", 3);
	data->len = 0;
	buf_printf(data, "{\"_truncated\":true,\"_size\":%zu,\"_preview\":", size);
	json_write_string(data, (struct str){preview, head.len + 3});
	buf_append_char(data, '}');
}

/* ---- events ---- */

static struct str keep(char **at, struct str s)
{
	struct str kept = {s.ptr ? *at : NULL, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

struct debug_event *debug_event_new(enum debug_type type, const struct debug_subject *subject, struct str data)
{
	size_t texts = subject->component_id.len + subject->component_name.len + data.len;
	struct debug_event *event = mem_try_alloc(sizeof *event + texts);

	if (!event)
		return NULL;
	*event = (struct debug_event){.type = type};
	char *at = event->text;
	event->subject.component_id = keep(&at, subject->component_id);
	event->subject.component_name = keep(&at, subject->component_name);
	event->data = keep(&at, data);
	return event;
}

static void put_text(struct buf *out, struct str text)
{
	if (text.ptr)
		json_write_string(out, text);
	else
		buf_append_str(out, STR("null"));
}

void debug_event_write(struct buf *out, const struct debug_event *event, uint64_t id)
{
	buf_printf(out,
		   "{\"id\":\"dbg-%llu\",\"timestamp\":%lld,\"type\":\"%s\",\"componentId\":", (unsigned long long)id,
		   (long long)event->wall_ms, debug_type_name(event->type).ptr);
	put_text(out, event->subject.component_id);
	buf_append_str(out, STR(",\"componentName\":"));
	put_text(out, event->subject.component_name);
	buf_append_str(out, STR(",\"data\":"));
	buf_append_str(out, event->data);
	buf_append_char(out, '}');
}
