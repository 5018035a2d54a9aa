#include "server/embed/socket.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/embed/embed_private.h"
#include "server/session/session.h"

enum { CLOSE_ORIGIN = 4003, CLOSE_GOING_AWAY = 1001, CLOSE_POLICY = 1008, CLOSE_INTERNAL = 1011 };
enum { MESSAGE_LIMIT = 64 << 20 }; /* bytes of one message to a client */

struct live_socket {
	struct transport transport;
	live_server *server;
	const live_socket_ops *ops;
	void *owner;
	struct mail opening;
	struct mail closing;
	struct shard *home;
	/* From here on for its shard alone. */
	struct session *session; /* NULL: none yet, or none any more */
	struct tick_task flush;
	struct tick_task take; /* what is in the inbox */
	struct list link;      /* server_shard->sockets, while it is open */
	struct list inbox;     /* of struct message: came while it was held */
	size_t inbox_bytes;
	bool is_held;
	bool is_ending; /* its transport was asked to end it */
	struct grave grave;
	char *token, *origin, *address; /* ours; NULL: none */
};

struct message {
	struct mail mail;
	struct list link; /* the inbox's */
	live_socket *socket;
	bool is_binary;
	size_t len;
	char bytes[];
};

/* Always by the mailbox, also from a shard: what is posted first by whatever thread is delivered first, so that nothing
 * overtakes a close. */
static void post(live_socket *self, struct mail *mail)
{
	shard_post_outside(self->home, mail);
}

/* ---- what the session asks of its transport ---- */

static live_socket *socket_of(struct transport *transport)
{
	return LIST_OF(transport, live_socket, transport);
}

static bool flush_soon(struct transport *transport)
{
	live_socket *self = socket_of(transport);

	if (self->is_ending)
		return false;
	shard_at_tick_end(self->home, TICK_FLUSH, &self->flush);
	return true;
}

static void end_client(live_socket *self, unsigned code, const char *reason)
{
	if (self->is_ending)
		return;
	self->is_ending = true;
	self->ops->close(self->owner, code, reason);
}

static void run_flush(struct tick_task *task, struct shard *here)
{
	live_socket *self = LIST_OF(task, live_socket, flush);
	struct buf out;

	(void)here;
	if (!self->session)
		return;
	buf_init(&out, MESSAGE_LIMIT);
	session_compose(self->session, &out);
	bool has_failed = buf_failed(&out);
	buf_deinit(&out);
	if (has_failed)
		end_client(self, CLOSE_INTERNAL, "Message too large");
}

static size_t begin(struct transport *transport, struct buf *out)
{
	(void)transport;
	return out->len;
}

static void end(struct transport *transport, struct buf *out, size_t start)
{
	live_socket *self = socket_of(transport);

	if (buf_failed(out))
		return;
	self->ops->send(self->owner, out->ptr + start, out->len - start, false);
	out->len = start;
}

static void spill(struct transport *transport, struct buf *out)
{
	(void)transport;
	(void)out; /* what is composed is sent at once */
}

static void hold(struct transport *transport)
{
	live_socket *self = socket_of(transport);

	self->is_held = true;
	if (self->ops->pause)
		self->ops->pause(self->owner);
}

static void describe(struct transport *transport, struct transport_figures *figures)
{
	figures->address = socket_of(transport)->address; /* what is sent is its transport's */
	figures->is_closing = socket_of(transport)->is_ending;
}

static void close_socket(struct transport *transport, unsigned code, struct str reason)
{
	live_socket *self = socket_of(transport);
	char text[128];

	/* What was pushed before goes before. */
	if (self->session && !self->is_ending)
		run_flush(&self->flush, self->home);
	snprintf(text, sizeof text, "%.*s", STR_ARG(reason));
	end_client(self, code, text);
}

/* ---- messages of the client ---- */

static void take_message(live_socket *self, const struct message *message)
{
	if (message->is_binary)
		session_binary(self->session, message->len);
	else
		session_message(self->session, (struct str){message->bytes, message->len});
}

static void resume(struct transport *transport)
{
	live_socket *self = socket_of(transport);

	self->is_held = false;
	if (self->ops->resume)
		self->ops->resume(self->owner);
	if (!list_is_empty(&self->inbox))
		shard_at_tick_end(self->home, TICK_CLOSE, &self->take);
}

static void go_on(struct tick_task *task, struct shard *here)
{
	live_socket *self = LIST_OF(task, live_socket, take);

	(void)here;
	list_for_each_safe (link, &self->inbox) {
		struct message *message = LIST_OF(link, struct message, link);
		if (!self->session || self->is_held || self->is_ending)
			break;
		list_remove(link);
		self->inbox_bytes -= message->len;
		take_message(self, message);
		free(message);
	}
}

static void keep(live_socket *self, struct message *message)
{
	self->inbox_bytes += message->len;
	list_append(&self->inbox, &message->link);
	if (self->inbox_bytes > self->server->server->sessions.max_message_bytes)
		end_client(self, CLOSE_POLICY, "Too many messages wait");
}

static void deliver_message(struct mail *mail, struct shard *here)
{
	struct message *message = LIST_OF(mail, struct message, mail);
	live_socket *self = message->socket;

	(void)here;
	if (!self->session || self->is_ending) {
		free(message);
	} else if (self->is_held || !list_is_empty(&self->inbox)) {
		keep(self, message);
	} else {
		take_message(self, message);
		free(message);
	}
}

static void discard_message(struct mail *mail)
{
	free(LIST_OF(mail, struct message, mail));
}

void live_socket_message(live_socket *socket, const void *bytes, size_t len, bool is_binary)
{
	struct message *message = mem_alloc(sizeof *message + len);

	message->mail.deliver = deliver_message;
	message->mail.discard = discard_message;
	message->socket = socket;
	message->is_binary = is_binary;
	message->len = len;
	if (len)
		memcpy(message->bytes, bytes, len);
	post(socket, &message->mail);
}

/* ---- opening ---- */

static const struct transport_ops transport_ops = {
	.name = "socket",
	.flush_soon = flush_soon,
	.begin = begin,
	.end = end,
	.spill = spill,
	.pause = hold,
	.resume = resume,
	.describe = describe,
	.close = close_socket,
};

static void deliver_opening(struct mail *mail, struct shard *shard)
{
	live_socket *self = LIST_OF(mail, live_socket, opening);
	struct server_shard *here = server_shard_of(shard);
	struct str origin = str_of(self->origin);

	if (!here) {
		end_client(self, CLOSE_GOING_AWAY, "Server shutting down");
		return;
	}
	list_append(&here->sockets, &self->link);
	counter_add(&shard_counters(shard)->load, 1);
	if (origin_is_allowed(&here->server->origins, origin))
		self->session = session_open(&here->sessions, &self->transport, str_of(self->token));
	else
		end_client(self, CLOSE_ORIGIN, "Origin not allowed");
}

static void discard_opening(struct mail *mail)
{
	(void)mail; /* its close frees it */
}

/* Where the fewest connections are. */
static struct shard *emptiest(const struct server *server)
{
	struct shard *best = shard_group_at(server->group, 0);

	for (unsigned i = 1; i < shard_group_count(server->group); i++) {
		struct shard *other = shard_group_at(server->group, i);
		if (counter_read(&shard_counters(other)->load) < counter_read(&shard_counters(best)->load))
			best = other;
	}
	return best;
}

static char *copy_text(const char *text)
{
	return text ? mem_strndup(text, strlen(text)) : NULL;
}

live_socket *live_socket_open(live_server *server, const live_socket_ops *ops, void *owner,
			      const live_socket_info *info)
{
	if (!live_server_is_running(server))
		return NULL;
	live_socket *self = mem_alloc(sizeof *self);

	self->transport.ops = &transport_ops;
	self->server = server;
	self->ops = ops;
	self->owner = owner;
	self->home = emptiest(server->server);
	self->flush.run = run_flush;
	self->take.run = go_on;
	list_init(&self->link);
	list_init(&self->inbox);
	self->token = copy_text(info ? info->token : NULL);
	self->origin = copy_text(info ? info->origin : NULL);
	self->address = copy_text(info ? info->address : NULL);
	self->opening.deliver = deliver_opening;
	self->opening.discard = discard_opening;
	post(self, &self->opening);
	return self;
}

/* ---- a slow client ---- */

struct turn { /* it fell behind, or caught up */
	struct mail mail;
	live_socket *socket;
	bool is_behind;
};

static void deliver_turn(struct mail *mail, struct shard *here)
{
	struct turn *turn = LIST_OF(mail, struct turn, mail);
	struct session *session = turn->socket->session;

	(void)here;
	if (session && turn->is_behind)
		session_fell_behind(session);
	else if (session)
		session_caught_up(session);
	free(turn);
}

static void discard_turn(struct mail *mail)
{
	free(LIST_OF(mail, struct turn, mail));
}

void live_socket_set_behind(live_socket *socket, bool is_behind)
{
	struct turn *turn = mem_alloc(sizeof *turn);

	*turn = (struct turn){{.deliver = deliver_turn, .discard = discard_turn}, socket, is_behind};
	post(socket, &turn->mail);
}

/* ---- closing ---- */

static void drop(live_socket *self)
{
	list_for_each_safe (link, &self->inbox)
		free(LIST_OF(link, struct message, link));
	free(self->token);
	free(self->origin);
	free(self->address);
	free(self);
}

static void bury(struct grave *grave)
{
	drop(LIST_OF(grave, live_socket, grave));
}

static void end_session(live_socket *self)
{
	struct session *session = self->session;

	self->session = NULL;
	if (session)
		session_close(session);
}

static void deliver_closing(struct mail *mail, struct shard *shard)
{
	live_socket *self = LIST_OF(mail, live_socket, closing);

	end_session(self);
	if (!list_is_empty(&self->link)) {
		list_remove(&self->link);
		counter_sub(&shard_counters(shard)->load, 1);
	}
	self->is_ending = true;
	self->ops->released(self->owner);
	self->grave.free = bury;
	shard_bury(shard, &self->grave);
}

static void discard_closing(struct mail *mail)
{
	live_socket *self = LIST_OF(mail, live_socket, closing);

	self->ops->released(self->owner);
	drop(self);
}

void live_socket_close(live_socket *socket)
{
	socket->closing.deliver = deliver_closing;
	socket->closing.discard = discard_closing;
	post(socket, &socket->closing);
}

void sockets_send_away(struct server_shard *here)
{
	list_for_each_safe (link, &here->sockets)
		close_socket(&LIST_OF(link, live_socket, link)->transport, CLOSE_GOING_AWAY,
			     STR("Server shutting down"));
}

void sockets_end(struct server_shard *here)
{
	list_for_each_safe (link, &here->sockets) {
		live_socket *self = LIST_OF(link, live_socket, link);
		end_session(self);
		list_remove(link);
		counter_sub(&shard_counters(here->shard)->load, 1);
	}
}
