#include "server/debug/debug_client.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/debug/debug.h"
#include "server/http/http.h"

enum { CLOSE_ORIGIN = 4003 };

struct debug_client {
	struct debug_listener listener;
	struct debug_hub *hub;
	struct handle handle; /* of listener; unset: it was turned away */
	bool is_behind;       /* it does not take what it was sent: goes without */
	bool has_missed;      /* something since then */
	union {               /* open or closed */
		struct ws *ws;
		struct grave grave;
	};
};

static void take(struct debug_listener *listener, struct str message)
{
	struct debug_client *self = LIST_OF(listener, struct debug_client, listener);

	if (self->is_behind)
		self->has_missed = true;
	else
		ws_send(self->ws, WS_TEXT, message.ptr, message.len);
}

/* ---- the socket ---- */

static void on_message(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	(void)ws;
	(void)opcode;
	(void)bytes;
	(void)len;
}

static void on_backlog(void *owner, struct ws *ws)
{
	struct debug_client *self = owner;

	(void)ws;
	self->is_behind = true;
}

static void on_drained(void *owner, struct ws *ws)
{
	struct debug_client *self = owner;

	self->is_behind = false;
	if (!self->has_missed || !handle_is_set(self->handle))
		return;
	self->has_missed = false;
	debug_wish(self->hub, ws_shard(ws), DEBUG_SHOW, self->handle);
}

static void free_self(struct grave *grave)
{
	free(LIST_OF(grave, struct debug_client, grave));
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	struct debug_client *self = owner;
	struct shard *here = ws_shard(ws);

	(void)code;
	(void)reason;
	if (handle_is_set(self->handle)) {
		debug_wish(self->hub, here, DEBUG_LEAVE, self->handle);
		shard_handle_close(here, self->handle);
	}
	self->grave.free = free_self;
	shard_bury(here, &self->grave);
}

static const struct ws_ops ws_ops = {
	.on_message = on_message,
	.on_drained = on_drained,
	.on_backlog = on_backlog,
	.on_close = on_close,
};

/* ---- coming ---- */

static void say_disabled(struct debug_client *self, struct shard *here)
{
	char text[96];
	int len = snprintf(text, sizeof text, "{\"type\":\"DEBUG_DISABLED\",\"enabled\":false,\"timestamp\":%lld}",
			   (long long)shard_clock(here)->wall_ms);

	ws_send(self->ws, WS_TEXT, text, (size_t)len);
	ws_close(self->ws, WS_NORMAL, STR("Debugger is disabled"));
}

void debug_client_accept(struct debug_hub *hub, struct http_request *request, const struct ws_options *options,
			 const struct origin_list *origins)
{
	bool is_allowed = origin_is_allowed_at(origins, http_request_header(request, "Origin"),
					       http_request_header(request, "Host"), http_request_is_secure(request));
	struct shard *here = http_request_shard(request);
	struct debug_client *self = mem_alloc(sizeof *self);

	self->hub = hub;
	if (ws_accept(&self->ws, request, options, &ws_ops, self) < 0) {
		free(self);
		return;
	}
	if (!is_allowed) {
		ws_close(self->ws, CLOSE_ORIGIN, STR("Origin not allowed"));
	} else if (!debug_is_enabled(hub)) {
		say_disabled(self, here);
	} else {
		self->listener.take = take;
		self->handle = shard_handle_open(here, &self->listener);
		debug_wish(hub, here, DEBUG_COME, self->handle);
	}
}
