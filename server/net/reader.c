/*
 * reader - from the socket to the owner, by way of the shard's one receive buffer.
 *
 * One read per readiness, so that a busy peer does not keep the others waiting. What the owner left of the last read is
 * put in front of what comes now, so that it always sees one contiguous piece.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

static void free_tail(struct connection *conn)
{
	free(conn->tail);
	conn->tail = NULL;
}

/* Keeps bytes for the next time. */
static void keep_tail(struct connection *conn, const char *bytes, size_t len)
{
	if (len == 0 || !(connection_is_open(conn) || conn->state == CONN_OPENING)) {
		free_tail(conn);
		return;
	}
	if (!conn->tail || conn->tail->cap < len) {
		free_tail(conn);
		conn->tail = mem_try_alloc(sizeof *conn->tail + len);
		if (!conn->tail) {
			connection_fail(conn, -ENOMEM, &conn->net->counters.closes_input);
			return;
		}
		conn->tail->cap = (uint32_t)len;
	}
	memcpy(conn->tail->bytes, bytes, len);
	conn->tail->len = (uint32_t)len;
}

/* Shows the first len bytes of the receive buffer to the owner, and to the next one when it hands the connection over.
 */
static void present(struct connection *conn, size_t len)
{
	char *bytes = conn->net->receive;
	size_t used = 0;
	const struct connection_ops *told = NULL;

	while (used < len && told != conn->ops && connection_is_open(conn) &&
	       !(conn->pauses & CONNECTION_PAUSE_OWNER)) {
		told = conn->ops;
		size_t consumed = told->on_read(conn->owner, conn, bytes + used, len - used);
		debug_assert(consumed <= len - used);
		used += consumed;
	}
	keep_tail(conn, bytes + used, len - used);
	if (conn->look_again && conn->tail && conn->reading)
		event_active(&conn->event, EV_READ, 0);
	conn->look_again = false;
}

/* Closing: what comes is thrown away. A peer that ends its half may still read what drains. */
static void discard(struct connection *conn)
{
	struct net_shard *net = conn->net;
	ssize_t got = conn->wire->read(conn, conn->wire_state, net->receive, net->options.receive_bytes);
	if (got == -EAGAIN)
		return;
	if (got > 0) {
		counter_add(&net->counters.bytes_in, (uint64_t)got);
	} else if (conn->state == CONN_LINGERING) {
		conn->orderly = got == 0;
		connection_fail(conn, 0, &net->counters.closes_ours);
	} else if (got == 0) {
		conn->ended = true;
		connection_update_reading(conn);
	} else {
		connection_fail(conn, (int)got, &net->counters.closes_error);
	}
}

static void read_once(struct connection *conn)
{
	struct net_shard *net = conn->net;
	size_t kept = conn->tail ? conn->tail->len : 0;

	if (kept == net->options.receive_bytes) {
		connection_fail(conn, -EMSGSIZE, &net->counters.closes_input);
		return;
	}
	if (kept)
		memcpy(net->receive, conn->tail->bytes, kept);
	ssize_t got = conn->wire->read(conn, conn->wire_state, net->receive + kept, net->options.receive_bytes - kept);
	if (got > 0)
		counter_add(&net->counters.bytes_in, (uint64_t)got);
	if (got < 0 && got != -EAGAIN) {
		connection_fail(conn, (int)got, &net->counters.closes_error);
		return;
	}
	if (got == -EAGAIN && kept == 0)
		return;
	present(conn, kept + (got > 0 ? (size_t)got : 0));
	if (got == 0 && connection_is_open(conn) && !conn->pauses)
		connection_tell_end(conn);
}

void reader_on_event(evutil_socket_t fd, short what, void *argument)
{
	struct connection *conn = argument;
	struct net_shard *net = conn->net;
	(void)fd;
	(void)what;

	if (conn->state == CONN_OPENING) {
		opening_continue(conn);
		if (!connection_is_open(conn))
			return;
	}
	if (conn->state == CONN_LINGERING || conn->state == CONN_DRAINING) {
		discard(conn);
		if (conn->reading && conn->wire->has_pending && conn->wire->has_pending(conn, conn->wire_state))
			event_active(&conn->event, EV_READ, 0);
		return;
	}
	if (conn->state == CONN_OPEN && shard_is_pressed(net->shard)) {
		counter_add(&net->counters.pauses_pressed, 1);
		connection_move(conn, CONN_PRESSED);
		connection_set_pause(conn, CONNECTION_PAUSE_PRESSED, true);
		if (list_is_empty(&net->relief.link))
			shard_await_relief(net->shard, &net->relief);
	}
	if (conn->state != CONN_OPEN || conn->pauses || conn->ended)
		return;
	read_once(conn);
	if (connection_is_open(conn) && !conn->pauses && conn->wire->has_pending &&
	    conn->wire->has_pending(conn, conn->wire_state))
		event_active(&conn->event, EV_READ, 0);
}
