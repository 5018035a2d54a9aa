/*
 * opening - what comes before a connection's first byte: a PROXY header, then a wire's handshake.
 *
 * The owner hears nothing before it is done, and nothing but on_closed when it fails.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

static void on_late(struct timer *timer)
{
	struct connection *conn = ((struct opening *)((char *)timer - offsetof(struct opening, timer)))->conn;
	connection_fail(conn, -ETIMEDOUT, &conn->net->counters.closes_deadline);
}

struct opening *opening_require(struct connection *conn)
{
	if (!conn->opening) {
		assert_always(conn->state == CONN_OPEN);
		struct opening *opening = mem_alloc(sizeof *opening);
		opening->conn = conn;
		timer_init(&opening->timer, on_late);
		conn->opening = opening;
		connection_move(conn, CONN_OPENING);
	}
	return conn->opening;
}

void opening_arm(struct connection *conn)
{
	const struct opening *opening = conn->opening;
	int64_t delay_ms = opening->awaits_proxy ? conn->options->proxy_ms : opening->handshake_ms;
	shard_timer_after(conn->net->shard, &conn->opening->timer, delay_ms);
}

void opening_free(struct connection *conn)
{
	if (!conn->opening)
		return;
	timer_disarm(&conn->opening->timer);
	free(conn->opening);
	conn->opening = NULL;
}

/* Reads exactly the header's bytes. 1 done, 0 more must come, -errno. */
static int read_proxy(struct connection *conn, struct proxy_header *header)
{
	struct proxy_reader *reader = &conn->opening->proxy;
	if (!address_set_has(conn->options->proxies, &conn->peer) && conn->options->proxies)
		return -EPROTO;
	for (;;) {
		ssize_t got = wire_plain.read(conn, NULL, (char *)reader->bytes + reader->len, proxy_wants(reader));
		if (got == -EAGAIN)
			return 0;
		if (got <= 0)
			return got == 0 ? -EPROTO : (int)got;
		counter_add(&conn->net->counters.bytes_in, (uint64_t)got);
		int rc = proxy_feed(reader, (size_t)got, header);
		if (rc != 0)
			return rc;
	}
}

/* True when the header is behind us. */
static bool pass_proxy(struct connection *conn)
{
	struct proxy_header header;
	int rc = read_proxy(conn, &header);
	if (rc < 0)
		connection_fail(conn, rc, &conn->net->counters.closes_proxy);
	if (rc <= 0)
		return false;
	if (header.source.family != ADDRESS_NONE)
		conn->peer = header.source;
	conn->secure_proxy = header.is_secure;
	conn->opening->awaits_proxy = false;
	if (hosts_add(conn) < 0) {
		connection_fail(conn, -EUSERS, &conn->net->counters.refused_address);
		return false;
	}
	if (conn->opening->awaits_handshake)
		opening_arm(conn);
	return true;
}

void opening_continue(struct connection *conn)
{
	if (conn->opening->awaits_proxy && !pass_proxy(conn))
		return;
	if (conn->opening->awaits_handshake) {
		int rc = conn->wire->handshake(conn, conn->wire_state);
		if (rc == -EAGAIN || connection_is_over(conn))
			return;
		if (rc < 0) {
			connection_fail(conn, rc, &conn->net->counters.closes_error);
			return;
		}
	}
	opening_free(conn);
	if (conn->backlog && conn->backlog->bytes == 0)
		backlog_free(conn);
	connection_move(conn, CONN_OPEN);
	connection_heed_end(conn);
	connection_update_reading(conn);
	/* The owner's first bytes may have come with the last of the handshake. */
	if (conn->wire->has_pending && conn->wire->has_pending(conn, conn->wire_state))
		event_active(&conn->event, EV_READ, 0);
	if (conn->flush_wanted)
		connection_flush_soon(conn);
}

void connection_hold_handshake(struct connection *conn)
{
	conn->opening->is_held = true;
	connection_update_reading(conn);
}

void connection_resume_handshake(struct connection *conn)
{
	if (conn->state != CONN_OPENING)
		return;
	conn->opening->is_held = false;
	connection_update_reading(conn);
	opening_continue(conn);
}
