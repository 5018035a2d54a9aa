#include "server/component/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/component/mount.h"
#include "server/debug/debug_tap.h"
#include "server/debug/logger.h"
#include "server/monitor/alerts.h"

enum { LINE_BYTES = 512, SHOWN_BYTES = 300 };

/* ---- whom a line is about ---- */

static struct debug_subject subject_of(const live_component *self)
{
	return (struct debug_subject){self->sender.id, self->definition->name};
}

/* Something happened to self just now. */
static struct debug_tap *tap_of(live_component *self)
{
	if (self->extra && self->extra->notes)
		self->extra->notes->active_ms = shard_clock(self->home->shard)->wall_ms;
	return self->home->debug;
}

/* ---- lines ---- */

static void tell(live_component *self, unsigned category, bool warns, struct str text, struct str details)
{
	logger_tell(self->home->debug, &(struct logger_line){
					       .subject = subject_of(self),
					       .category = category,
					       .warns = warns,
					       .prints = self->definition->api->logging & category,
					       .text = text,
					       .details = details,
				       });
}

__attribute__((format(printf, 4, 0))) static void tell_v(live_component *self, unsigned category, bool warns,
							 const char *format, va_list arguments)
{
	char text[LINE_BYTES];

	vsnprintf(text, sizeof text, format, arguments);
	tell(self, category, warns, str_of(text), (struct str){NULL, 0});
}

__attribute__((format(printf, 3, 4))) static void inform(live_component *self, unsigned category, const char *format,
							 ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell_v(self, category, false, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 3, 4))) static void warn(live_component *self, unsigned category, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell_v(self, category, true, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 4, 5))) static void tell_here(struct component_shard *here, unsigned category, bool warns,
							    const char *format, ...)
{
	char text[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	logger_tell(here->debug, &(struct logger_line){
					 .category = category,
					 .warns = warns,
					 .prints = here->settings->logging & category,
					 .text = str_of(text),
				 });
}

void live_log(live_component *self, unsigned category, const char *format, ...)
{
	va_list arguments;

	if (!trace_wants(self, category))
		return;
	va_start(arguments, format);
	tell_v(self, category, false, format, arguments);
	va_end(arguments);
}

void live_log_warn(live_component *self, unsigned category, const char *format, ...)
{
	va_list arguments;

	if (!trace_wants(self, category))
		return;
	va_start(arguments, format);
	tell_v(self, category, true, format, arguments);
	va_end(arguments);
}

/* ---- pieces of events ---- */

static void put_str(struct buf *data, const char *key, struct str value)
{
	buf_printf(data, "%s", key);
	if (value.len)
		json_write_string(data, value);
	else
		buf_append_str(data, STR("null"));
}

static void put_value(struct buf *data, const char *key, const live_value *value)
{
	buf_printf(data, "%s", key);
	json_write(data, value);
}

/* ms, as JavaScript would show them: whole, or with what is left of them. */
static void put_ms(struct buf *data, const char *key, int64_t ns)
{
	int64_t us = ns / 1000;

	buf_printf(data, "%s", key);
	json_write_double(data, (double)us / 1000);
	buf_append_char(data, '}');
}

static void end_event(live_component *self, enum debug_type type)
{
	struct debug_subject subject = subject_of(self);

	debug_end(self->home->debug, type, &subject);
}

/* ---- a component's life ---- */

static void take_notes(live_component *self, struct str label)
{
	struct trace_notes *notes = mem_alloc(sizeof *notes + label.len);

	notes->mounted_ms = notes->active_ms = shard_clock(self->home->shard)->wall_ms;
	if (label.len) {
		memcpy(notes->text, label.ptr, label.len);
		notes->label = (struct str){notes->text, label.len};
	}
	free(instance_extra(self)->notes);
	self->extra->notes = notes;
}

static void tell_mounted(live_component *self, struct str label)
{
	struct buf *data = debug_begin(self->home->debug);

	if (!data)
		return;
	buf_append_str(data, STR("{\"initialState\":"));
	debug_put_state(data, self->state);
	put_str(data, ",\"room\":", self->sender.room);
	put_str(data, ",\"debugLabel\":", label);
	buf_append_char(data, '}');
	end_event(self, DEBUG_COMPONENT_MOUNT);
}

static void tell_rehydrated(live_component *self, const live_value *previous)
{
	struct buf *data = debug_begin(self->home->debug);

	if (!data)
		return;
	buf_append_str(data, STR("{\"previousState\":"));
	debug_put_state(data, previous);
	buf_append_char(data, '}');
	end_event(self, DEBUG_COMPONENT_REHYDRATE);
}

void trace_mounted(live_component *self, const struct mount_request *request, const live_value *previous)
{
	if (self->home->debug) {
		take_notes(self, request->debug_label);
		tell_mounted(self, request->debug_label);
		if (previous)
			tell_rehydrated(self, previous);
	}
	const char *how = previous ? "came back with its state" : "mounted";
	if (self->sender.room.len)
		inform(self, LIVE_LOG_LIFECYCLE, "%s in room '%.*s'", how, STR_ARG(self->sender.room));
	else
		inform(self, LIVE_LOG_LIFECYCLE, "%s", how);
}

void trace_mount_answered(live_component *self, int64_t took_ns)
{
	inform(self, LIVE_LOG_LIFECYCLE, "its mount was answered after %.3f ms", (double)took_ns / 1e6);
}

void trace_hook_failed(live_component *self, struct str hook, struct str error)
{
	struct buf *data = debug_begin(tap_of(self));

	if (data) {
		put_str(data, "{\"error\":", error);
		put_str(data, ",\"action\":", hook);
		buf_append_char(data, '}');
		end_event(self, DEBUG_ERROR);
	}
	warn(self, LIVE_LOG_LIFECYCLE, "%.*s failed: %.*s", STR_ARG(hook), STR_ARG(error));
}

void trace_destroyed(live_component *self)
{
	struct trace_notes *notes = self->extra ? self->extra->notes : NULL;
	int64_t now_ms = shard_clock(self->home->shard)->wall_ms;
	struct buf *data = debug_begin(self->home->debug);

	if (data) {
		buf_printf(data, "{\"lifetime\":%lld,\"totalActions\":%u,\"totalStateChanges\":%u,\"totalErrors\":%u}",
			   (long long)(notes ? now_ms - notes->mounted_ms : 0), self->action_count,
			   self->state_change_count, (unsigned)self->error_count);
		end_event(self, DEBUG_COMPONENT_UNMOUNT);
	}
	inform(self, LIVE_LOG_LIFECYCLE, "ended: %u actions, %u changes of state, %u errors", self->action_count,
	       self->state_change_count, (unsigned)self->error_count);
}

void trace_mount_refused(struct component_shard *here, const struct mount_request *request, struct str error)
{
	struct buf *data = debug_begin(here->debug);

	if (data) {
		put_str(data, "{\"error\":", error);
		put_str(data, ",\"component\":", request->name);
		buf_append_char(data, '}');
		debug_end(here->debug, DEBUG_ERROR, &(struct debug_subject){0});
	}
	tell_here(here, LIVE_LOG_LIFECYCLE, true, "a mount was refused: %.*s", (int)(error.len < 300 ? error.len : 300),
		  error.ptr);
}

/* ---- what it does ---- */

void trace_changed(live_component *self, const live_value *delta, const char *source)
{
	struct buf *data = debug_begin(tap_of(self));
	struct buf *out = &self->home->out.scratch;

	if (data) {
		put_value(data, "{\"delta\":", delta);
		buf_append_str(data, STR(",\"fullState\":"));
		debug_put_state(data, self->state);
		buf_printf(data, ",\"source\":\"%s\"}", source);
		end_event(self, DEBUG_STATE_CHANGE);
	}
	json_write(out, delta);
	struct str text = scratch_take(self->home);
	inform(self, LIVE_LOG_STATE, "%s %.*s%s", source, (int)(text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES),
	       text.ptr, text.len > SHOWN_BYTES ? "..." : "");
}

void trace_called(live_component *self, struct str action, const live_value *payload)
{
	struct buf *data = debug_begin(tap_of(self));

	if (data) {
		put_str(data, "{\"action\":", action);
		put_value(data, ",\"payload\":", payload);
		buf_append_char(data, '}');
		end_event(self, DEBUG_ACTION_CALL);
	}
	inform(self, LIVE_LOG_MESSAGES, "action '%.*s' called", STR_ARG(action));
}

void trace_answered(live_component *self, struct str action, const live_value *result, struct str error,
		    int64_t took_ns)
{
	struct buf *data = debug_begin(tap_of(self));

	if (data) {
		put_str(data, "{\"action\":", action);
		if (error.ptr)
			put_str(data, ",\"error\":", error);
		else
			put_value(data, ",\"result\":", result);
		put_ms(data, ",\"duration\":", took_ns);
		end_event(self, error.ptr ? DEBUG_ACTION_ERROR : DEBUG_ACTION_RESULT);
	}
	if (trace_wants(self, LIVE_LOG_MESSAGES)) {
		if (error.ptr)
			warn(self, LIVE_LOG_MESSAGES, "action '%.*s' failed: %.*s", STR_ARG(action), STR_ARG(error));
		else
			inform(self, LIVE_LOG_MESSAGES, "action '%.*s' done", STR_ARG(action));
	}
	if (trace_wants(self, LIVE_LOG_PERFORMANCE))
		inform(self, LIVE_LOG_PERFORMANCE, "action '%.*s' took %.3f ms", STR_ARG(action),
		       (double)took_ns / 1e6);
}

void trace_pushed(live_component *self, struct str type)
{
	inform(self, LIVE_LOG_MESSAGES, "pushed %.*s", STR_ARG(type));
}

void trace_connection(live_component *self, const char *what)
{
	inform(self, LIVE_LOG_WEBSOCKET, "%s", what);
}

void trace_alert(live_component *self, const struct alert *alert)
{
	struct buf *out = &self->home->out.scratch;

	alert_write(out, alert);
	tell(self, LIVE_LOG_PERFORMANCE, true, alert->message, scratch_take(self->home));
}

/* ---- clients ---- */

void trace_connected(struct component_shard *here, struct str connection_id)
{
	struct buf *data = debug_begin(here->debug);

	if (data) {
		put_str(data, "{\"connectionId\":", connection_id);
		buf_append_char(data, '}');
		debug_end(here->debug, DEBUG_WS_CONNECT, &(struct debug_subject){0});
	}
	tell_here(here, LIVE_LOG_WEBSOCKET, false, "client %.*s connected", STR_ARG(connection_id));
}

void trace_disconnected(struct component_shard *here, struct str connection_id, unsigned components)
{
	struct buf *data = debug_begin(here->debug);

	if (data) {
		put_str(data, "{\"connectionId\":", connection_id);
		buf_printf(data, ",\"componentCount\":%u}", components);
		debug_end(here->debug, DEBUG_WS_DISCONNECT, &(struct debug_subject){0});
	}
	tell_here(here, LIVE_LOG_WEBSOCKET, false, "client %.*s is gone, with %u components", STR_ARG(connection_id),
		  components);
}

void trace_refused(struct component_shard *here, struct str connection_id, struct str error)
{
	struct buf *data = debug_begin(here->debug);

	if (data) {
		put_str(data, "{\"error\":", error);
		put_str(data, ",\"connectionId\":", connection_id);
		buf_append_char(data, '}');
		debug_end(here->debug, DEBUG_ERROR, &(struct debug_subject){0});
	}
	tell_here(here, LIVE_LOG_MESSAGES, true, "a message of client %.*s was refused: %.*s", STR_ARG(connection_id),
		  (int)(error.len < SHOWN_BYTES ? error.len : SHOWN_BYTES), error.ptr);
}
