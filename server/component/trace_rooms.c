/* Rooms, as the log and the debugger hear of them: members of components, and of clients' parts of singletons. */
#include "server/component/trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/json.h"
#include "server/component/membership.h"
#include "server/component/singleton.h"
#include "server/debug/debug_tap.h"
#include "server/debug/logger.h"

enum { LINE_BYTES = 512, SHOWN_BYTES = 300 };

/* Who is in the room, and where that is told. */
struct voice {
	struct debug_subject subject;
	struct debug_tap *tap;
	bool prints;
};

static struct voice voice_of(const struct mounted *mounted, const struct component_shard *here)
{
	const struct definition *definition = mounted_definition(mounted);

	return (struct voice){{mounted->id, definition->name}, here->debug, definition->api->logging & LIVE_LOG_ROOMS};
}

bool trace_wants_rooms(const struct membership *membership)
{
	unsigned wanted = mounted_definition(membership->mounted)->api->logging | membership->home->trace;

	return __builtin_expect((wanted & LIVE_LOG_ROOMS) != 0, 0);
}

/* format takes the room, then the event. */
__attribute__((format(printf, 2, 0))) static void print(const struct voice *voice, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	logger_tell(voice->tap, &(struct logger_line){
					.subject = voice->subject,
					.category = LIVE_LOG_ROOMS,
					.prints = voice->prints,
					.text = str_of(text),
				});
}

static void put(struct buf *data, const char *key, struct str text)
{
	buf_printf(data, "%s", key);
	json_write_string(data, text);
}

void trace_room(const struct membership *membership, enum debug_type type)
{
	struct voice voice = voice_of(membership->mounted, membership->home);
	struct buf *data = debug_begin(voice.tap);

	if (data) {
		put(data, "{\"roomId\":", membership->room_id);
		buf_append_char(data, '}');
		debug_end(voice.tap, type, &voice.subject);
	}
	print(&voice, "%s room '%.*s'", type == DEBUG_ROOM_JOIN ? "joined" : "left", STR_ARG(membership->room_id));
}

static void tell_event(const struct voice *voice, enum debug_type type, struct str room, struct str event,
		       struct str data_json)
{
	struct buf *data = debug_begin(voice->tap);
	int shown = event.len < SHOWN_BYTES ? (int)event.len : SHOWN_BYTES;

	if (data) {
		put(data, "{\"roomId\":", room);
		put(data, ",\"event\":", event);
		buf_append_str(data, STR(",\"data\":"));
		buf_append_str(data, data_json.len ? data_json : STR("null"));
		buf_append_char(data, '}');
		debug_end(voice->tap, type, &voice->subject);
	}
	print(voice, "%s room '%.*s': event '%.*s'", type == DEBUG_ROOM_EMIT ? "to" : "from", STR_ARG(room), shown,
	      event.ptr);
}

void trace_emitted(const struct membership *membership, struct str event, struct str data)
{
	struct voice voice = voice_of(membership->mounted, membership->home);

	tell_event(&voice, DEBUG_ROOM_EMIT, membership->room_id, event, data);
}

void trace_emitted_on_bus(live_component *self, struct str event, struct str data)
{
	struct voice voice = voice_of(&self->mounted, self->home);

	tell_event(&voice, DEBUG_ROOM_EMIT, self->sender.room, event, data);
}

void trace_room_state(const struct membership *membership)
{
	struct voice voice = voice_of(membership->mounted, membership->home);

	print(&voice, "changed the state of room '%.*s'", STR_ARG(membership->room_id));
}

void trace_received(live_component *self, struct str room, struct str event, const live_value *data)
{
	struct voice voice = voice_of(&self->mounted, self->home);
	struct buf text;

	buf_init(&text, SIZE_MAX);
	json_write(&text, data);
	tell_event(&voice, DEBUG_ROOM_EVENT_RECEIVED, room, event, buf_str(&text));
	buf_deinit(&text);
}
