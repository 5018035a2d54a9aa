#include "clients/bench/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "clients/bench/climb.h"
#include "clients/bench/clock.h"
#include "clients/bench/floor_wire.h"
#include "clients/bench/frame.h"
#include "clients/bench/handshake.h"
#include "clients/bench/receive.h"
#include "clients/bench/worker.h"

#define CLOSE_NORMAL 1000

/* The connection is gone, `why` being 0 for an orderly end. Wanted, or at least allowed, or the end of the run. */
static void session_lost(struct worker *worker, struct client *client, int why)
{
	bool was_wanted = client->stage == CLIENT_CLOSING;
	bool is_allowed = client->is_slow && worker->load.order.kind == ORDER_EVENTS;

	client_close(client);
	worker->out.length = 0;
	if (was_wanted)
		climb_closed(worker, client);
	else if (is_allowed)
		count_add(&worker->counters.closed, 1);
	else
		bench_fail(worker->bench, "client %u lost its connection: %s", client->index,
			   why ? strerror(-why) : "closed by the server");
}

void session_send(struct worker *worker, struct client *client)
{
	int rc;

	if (!worker->out.length)
		return;
	rc = client->fd < 0 ? -ENOTCONN : client_send(client, worker->epoll_fd, &worker->out);
	worker->out.length = 0;
	if (rc < 0)
		session_lost(worker, client, rc);
}

/* Source addresses only make sense, and are only ours to choose, on loopback. */
static const struct sockaddr_in *source_choose(const struct worker *worker, const struct client *client,
					       struct sockaddr_in *source)
{
	const struct endpoint *endpoint = &worker->bench->endpoints[client->endpoint];
	uint32_t sources = worker->bench->options.numbers.sources;

	if (!sources || ntohl(endpoint->address.sin_addr.s_addr) >> 24 != 127)
		return NULL;
	*source = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + client->index % sources),
	};
	return source;
}

static void step_connect(struct worker *worker, struct client *client)
{
	const struct endpoint *endpoint = &worker->bench->endpoints[client->endpoint];
	struct sockaddr_in source;
	int rc;

	client->stage = CLIENT_CONNECTING;
	client->system = 0;
	client->counted = 0;
	rc = client_connect(client, worker->epoll_fd, endpoint, source_choose(worker, client, &source));
	if (rc < 0)
		bench_fail(worker->bench, "client %u cannot connect: %s", client->index, strerror(-rc));
}

static void step_upgrade(struct worker *worker, struct client *client)
{
	const struct endpoint *endpoint = &worker->bench->endpoints[client->endpoint];
	int rc = client_connect_result(client);

	if (rc < 0) {
		bench_fail(worker->bench, "client %u cannot connect to %s: %s", client->index, endpoint->host,
			   strerror(-rc));
		client_close(client);
		return;
	}
	client_watch(client, worker->epoll_fd, true);
	client->stage = CLIENT_UPGRADING;
	client->seed = clock_now_ns() + client->index;
	handshake_ask(&worker->out, endpoint->host, endpoint->path, client->seed);
	session_send(worker, client);
}

static void step_mount(struct worker *worker, struct client *client)
{
	client->stage = CLIENT_MOUNTING;
	message_mount(&worker->writer, &worker->out, worker->bench->options.component, ++client->request);
	session_send(worker, client);
}

static void step_join(struct worker *worker, struct client *client)
{
	struct message_room room = {worker->bench->options.room, client->room};

	client->stage = CLIENT_JOINING;
	/* While preparing, the floor need not tell members of each other: ten thousand of them take it minutes. */
	if (worker->bench->options.raw)
		message_raw_join(&worker->writer, &worker->out, &room, worker->climb.order.strict);
	else
		message_join(&worker->writer, &worker->out, client->id, &room, ++client->request);
	session_send(worker, client);
}

static void step_close(struct worker *worker, struct client *client)
{
	uint8_t code[2] = {CLOSE_NORMAL >> 8, CLOSE_NORMAL & 0xff};

	client->stage = CLIENT_CLOSING;
	message_frame(&worker->writer, &worker->out, FRAME_CLOSE, code, sizeof code);
	session_send(worker, client);
}

void session_advance(struct worker *worker, struct client *client)
{
	if (client->stage == CLIENT_OPEN && client->goal > CLIENT_OPEN && worker->bench->options.raw)
		client->stage = CLIENT_MOUNTED; /* the floor has no components */
	if (client->stage == client->goal) {
		if (climb_reached(worker, client))
			step_close(worker, client);
		return;
	}
	switch (client->stage) {
	case CLIENT_CLOSED: step_connect(worker, client); break;
	case CLIENT_CONNECTING: step_upgrade(worker, client); break;
	case CLIENT_OPEN: step_mount(worker, client); break;
	case CLIENT_MOUNTED: step_join(worker, client); break;
	default: break;
	}
}

struct context {
	struct worker *worker;
	struct client *client;
};

/* Close frames are answered by closing; a slow or leaving client may get one, any other may not. */
static int on_close(struct worker *worker, struct client *client, const uint8_t *payload, size_t length)
{
	unsigned code = length >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 1005;

	if (client->stage != CLIENT_CLOSING && !client->is_slow)
		bench_fail(worker->bench, "client %u was closed by the server: %u %.*s", client->index, code,
			   length > 2 ? (int)length - 2 : 0, length > 2 ? (const char *)payload + 2 : "");
	return -ECONNRESET;
}

static int on_message(void *owner, uint8_t opcode, uint8_t *payload, size_t length)
{
	struct context *context = owner;
	struct worker *worker = context->worker;
	struct client *client = context->client;

	switch (opcode) {
	case FRAME_TEXT: receive_text(worker, client, (const char *)payload, length); break;
	case FRAME_BINARY: receive_binary(worker, client, payload, length); break;
	case FRAME_CLOSE: return on_close(worker, client, payload, length);
	case FRAME_PING:
		message_frame(&worker->writer, &worker->out, FRAME_PONG, payload, length);
		session_send(worker, client);
		break;
	default: break;
	}
	/* A message may have made a send fail, and that closes: what follows is of no use then. */
	return client->fd < 0 ? -ECONNRESET : 0;
}

/* The answer to the upgrade may come in parts, and frames may follow it at once. */
static int upgrade_take(struct worker *worker, struct client *client, struct buffer *answer)
{
	ssize_t size = handshake_check(answer->bytes, answer->length, client->seed);

	if (size <= 0)
		return (int)size;
	buffer_consume(answer, (size_t)size);
	client->stage = worker->bench->options.raw ? CLIENT_OPEN : CLIENT_GREETING;
	if (client->stage == CLIENT_OPEN)
		session_advance(worker, client);
	return 0;
}

static int bytes_take(struct worker *worker, struct client *client, uint8_t *bytes, size_t length)
{
	struct context context = {worker, client};
	struct buffer rest;
	int rc;

	if (client->stage != CLIENT_UPGRADING)
		return inbox_feed(&client->inbox, bytes, length, on_message, &context);
	buffer_append(&client->inbox.tail, bytes, length);
	rc = upgrade_take(worker, client, &client->inbox.tail);
	if (rc < 0 || client->stage == CLIENT_UPGRADING)
		return rc;
	rest = client->inbox.tail;
	client->inbox.tail = (struct buffer){0};
	rc = inbox_feed(&client->inbox, rest.bytes, rest.length, on_message, &context);
	buffer_deinit(&rest);
	return rc;
}

static void session_read(struct worker *worker, struct client *client)
{
	ssize_t got = client_receive(client, worker->scratch, WORKER_SCRATCH);
	int rc;

	if (got == -EAGAIN || got == -EINTR)
		return;
	if (got <= 0) {
		session_lost(worker, client, (int)got);
		return;
	}
	worker->now_ns = clock_now_ns();
	count_add(&worker->counters.reads, 1);
	count_add(&worker->counters.bytes, (uint64_t)got);
	rc = bytes_take(worker, client, worker->scratch, (size_t)got);
	if (rc == 0)
		return;
	if (rc == -EPROTO || rc == -EMSGSIZE)
		bench_fail(worker->bench, "client %u received what is no WebSocket: %s", client->index, strerror(-rc));
	if (client->fd >= 0)
		session_lost(worker, client, rc);
}

void session_event(struct worker *worker, struct client *client, uint32_t events)
{
	if (client->fd < 0)
		return;
	if (client->stage == CLIENT_CONNECTING) {
		session_advance(worker, client);
		return;
	}
	if (events & EPOLLOUT && client->backlog.length) {
		int rc = client_flush(client, worker->epoll_fd);

		if (rc < 0) {
			session_lost(worker, client, rc);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		session_read(worker, client);
}
