#include "server/session/session.h"

#include "server/session/gate.h"
#include "server/session/session_private.h"
#include "server/session/sign_on.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "server/component/component_shard.h"
#include "server/component/instance.h"
#include "server/component/mount.h"
#include "server/component/returns.h"
#include "server/component/trace.h"
#include "server/protocol/encode.h"
#include "server/protocol/message.h"

void session_shard_init(struct session_shard *here, struct shard *shard, struct component_shard *components,
			const struct session_settings *settings)
{
	*here = (struct session_shard){.shard = shard, .components = components, .settings = settings};
	list_init(&here->sessions);
}

/* ---- opening and closing ---- */

static void hold(struct client *client)
{
	struct session *self = LIST_OF(client, struct session, client);

	if (self->holds++ == 0 && !self->is_closed)
		session_transport(self)->ops->pause(session_transport(self));
}

static void release(struct client *client)
{
	struct session *self = LIST_OF(client, struct session, client);

	if (--self->holds == 0 && !self->is_closed)
		session_transport(self)->ops->resume(session_transport(self));
}

static void came_back(struct client *client, unsigned times)
{
	struct session *self = LIST_OF(client, struct session, client);

	if (times > self->reconnects)
		self->reconnects = times < UINT8_MAX ? (uint8_t)times : UINT8_MAX;
}

static const struct client_ops client_ops = {.hold = hold, .release = release, .came_back = came_back};

struct session *session_open(struct session_shard *here, struct transport *transport, struct str token)
{
	char id[ID_SIZE_MAX];
	size_t id_len = id_source_make(&here->settings->ids, id);
	struct session *self = mem_alloc(offsetof(struct session, id) + id_len + 1);

	self->here = here;
	self->client.id = memcpy(self->id, id, id_len + 1);
	self->client.opened_s = (uint32_t)(shard_clock(here->shard)->wall_ms / 1000);
	outbox_init(&self->client.outbox, &here->components->out, transport);
	self->client.ops = &client_ops;
	self->client.home = here->components;
	self->client.handle = shard_handle_open(here->shard, &self->client);
	list_init(&self->client.mounted);
	rate_bucket_init(&self->bucket, &here->settings->rate, shard_clock(here->shard)->mono_ms);
	list_append(&here->sessions, &self->link);
	counter_add(&here->counters.sessions, 1);
	counter_add(&here->counters.opened, 1);
	if (trace_wants_here(here->components, LIVE_LOG_WEBSOCKET))
		trace_connected(here->components, str_of(self->client.id));
	sign_on_by_token(self, token);
	return self;
}

static void free_session(struct grave *grave)
{
	struct session *self = LIST_OF(grave, struct session, grave);

	live_auth_unref(self->client.auth);
	free(self);
}

void session_close(struct session *self)
{
	struct shard *shard = self->here->shard;

	if (self->is_closed)
		return;
	self->is_closed = true;
	if (trace_wants_here(self->here->components, LIVE_LOG_WEBSOCKET))
		trace_disconnected(self->here->components, str_of(self->client.id), self->client.mounted_count);
	outbox_close(&self->client.outbox);
	if (self->reconnects)
		returns_leave(&self->client, self->reconnects);
	mount_disconnect(&self->client);
	shard_handle_close(shard, self->client.handle);
	list_remove(&self->link);
	counter_sub(&self->here->counters.sessions, 1);
	self->grave.free = free_session;
	shard_bury(shard, &self->grave);
}

void session_end(struct session *self, unsigned code, struct str reason)
{
	if (!self->is_closed)
		session_transport(self)->ops->close(session_transport(self), code, reason);
}

struct session *session_next(struct session_shard *here, struct session *session)
{
	struct list *next = session ? session->link.next : here->sessions.next;

	return next == &here->sessions ? NULL : LIST_OF(next, struct session, link);
}

struct client *session_client(struct session *session)
{
	return &session->client;
}

struct rate_bucket *session_bucket(struct session *session)
{
	return &session->bucket;
}

static const char *status_of(const struct session *session, bool is_closing)
{
	if (is_closing)
		return "disconnecting";
	if (!session->is_greeted)
		return "connecting";
	return session->client.outbox.behind ? "behind" : "connected";
}

struct session_figures session_figures(const struct session *session)
{
	const struct tick_clock *clock = shard_clock(session->here->shard);
	struct transport *transport = session_transport(session);
	struct session_figures figures = {
		.last_message_ms = clock->wall_ms - (clock->mono_ms - session->bucket.last_ms),
		.messages_in = session->messages_in,
		.messages_out = session->messages_out,
		.errors = session->errors,
		.held_messages = session->holds > 0,
		.reconnects = session->reconnects,
		.transport = transport->ops->name,
	};

	if (transport->ops->describe)
		transport->ops->describe(transport, &figures.way);
	figures.status = status_of(session, figures.way.is_closing);
	figures.is_active = session->is_greeted && !session->client.outbox.behind && !figures.way.is_closing;
	return figures;
}

/* ---- messages in ---- */

struct mounted *session_find_mounted(struct session *session, struct str id)
{
	list_for_each (link, &session->client.mounted) {
		struct mounted *mounted = LIST_OF(link, struct mounted, link);
		if (str_equal(mounted->id, id))
			return mounted;
	}
	return NULL;
}

static void refuse(struct session *self, struct str component_id, struct str error, struct str request_id)
{
	struct component_shard *components = self->here->components;

	counter_add(&self->here->counters.bad_messages, 1);
	if (self->errors < UINT16_MAX)
		self->errors++;
	if (trace_wants_here(components, LIVE_LOG_MESSAGES))
		trace_refused(components, str_of(self->client.id), error);
	encode_error(&components->out.scratch, component_id, error, request_id);
	outbox_reply(&self->client.outbox, scratch_take(components));
}

/* Takes a message from the rate; false: it is one too many. */
static bool take_from_rate(struct session *self)
{
	int64_t now_ms = shard_clock(self->here->shard)->mono_ms;

	if (rate_bucket_take(&self->bucket, &self->here->settings->rate, now_ms))
		return true;
	counter_add(&self->here->counters.rate_limited, 1);
	return false;
}

/* A message is refused unread. */
static void refuse_unread(struct session *self, struct str error)
{
	refuse(self, (struct str){NULL, 0}, take_from_rate(self) ? error : STR("Rate limit exceeded"),
	       (struct str){NULL, 0});
}

/* The limit is one of JavaScript's string length; what has no more bytes cannot be longer than that. */
static bool is_too_large(const struct session *self, struct str text)
{
	size_t most = self->here->settings->max_message_bytes;

	return text.len > most && utf8_units(text) > most;
}

static void count_message(struct session *self)
{
	counter_add(&self->here->counters.messages_in, 1);
	self->messages_in++;
}

void session_binary(struct session *self, size_t len)
{
	if (self->is_closed)
		return;
	count_message(self);
	refuse_unread(self, len > self->here->settings->max_message_bytes ? STR("Message too large")
									  : STR("Binary messages are not supported"));
}

static struct str printed(struct session *self, const char *format, const void *argument)
{
	struct component_shard *components = self->here->components;

	buf_printf(&components->out.scratch, format, argument);
	return scratch_take(components);
}

/* What stands in the way of a message, in the words of protocol section 4; ptr NULL: nothing. */
static struct str find_fault(struct session *self, enum message_result result, const struct message *message,
			     bool is_limited)
{
	if (is_limited)
		return STR("Rate limit exceeded");
	switch (result) {
	case MESSAGE_NOT_JSON: return STR("Invalid JSON");
	case MESSAGE_NOT_OBJECT: return STR("Invalid message: expected object");
	case MESSAGE_TOO_DEEP:
		buf_printf(&self->here->components->out.scratch, "JSON nesting too deep (max %u)",
			   self->here->settings->max_depth);
		return scratch_take(self->here->components);
	case MESSAGE_OK: break;
	}
	if (message->invalid)
		return printed(self, "Invalid message: %s", message->invalid);
	return (struct str){NULL, 0};
}

/* The first message tells an older client by its envelope (protocol section 1). */
static void note_generation(struct session *self, const struct message *message)
{
	if (self->knows_generation)
		return;
	self->knows_generation = true;
	self->client.outbox.legacy = message->is_legacy;
}

void session_message(struct session *self, struct str text)
{
	struct shard *shard = self->here->shard;
	struct message message;

	if (self->is_closed)
		return;
	count_message(self);
	if (is_too_large(self, text)) {
		refuse_unread(self, STR("Message too large"));
		return;
	}
	bool is_limited = !take_from_rate(self);
	/* Decoded even when over the limit: the refusal names the request. */
	enum message_result result =
		message_decode(&message, text, shard_arena(shard), self->here->settings->max_depth);
	struct str fault = find_fault(self, result, &message, is_limited);
	if (fault.ptr) {
		refuse(self, message.component_id, fault, message.request_id);
	} else {
		note_generation(self, &message);
		if (gate_pass(self, &message, text))
			route_message(self, &message);
	}
	message_deinit(&message);
}

/* ---- messages out ---- */

void session_compose(struct session *self, struct buf *out)
{
	self->messages_out += self->client.outbox.count;
	outbox_compose(&self->client.outbox, out);
}

void session_fell_behind(struct session *self)
{
	self->client.outbox.behind = true;
	counter_add(&self->here->counters.behind, 1);
}

void session_caught_up(struct session *self)
{
	if (!self->client.outbox.behind)
		return;
	self->client.outbox.behind = false;
	client_catch_up(&self->client);
}
