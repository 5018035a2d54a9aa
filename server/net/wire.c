#include "server/net/wire.h"

#include <errno.h>
#include <sys/socket.h>

#include "server/net/connection_private.h"

static ssize_t plain_read(struct connection *conn, void *state, char *to, size_t room)
{
	(void)state;
	ssize_t got = recv(conn->fd, to, room, 0);
	return got < 0 ? (errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno) : got;
}

static ssize_t plain_write(struct connection *conn, void *state, const char *bytes, size_t len)
{
	(void)state;
	ssize_t sent = send(conn->fd, bytes, len, MSG_NOSIGNAL);
	return sent < 0 ? (errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno) : sent;
}

static void plain_end(struct connection *conn, void *state)
{
	(void)state;
	shutdown(conn->fd, SHUT_WR);
}

const struct wire wire_plain = {.read = plain_read, .write = plain_write, .end = plain_end};

void connection_set_wire(struct connection *conn, const struct wire *wire, void *state, int64_t deadline_ms)
{
	assert_always(conn->wire == &wire_plain && !conn->tail && !conn->backlog);
	conn->wire = wire;
	conn->wire_state = state;
	if (wire->handshake) {
		struct opening *opening = opening_require(conn);
		opening->awaits_handshake = true;
		opening->handshake_ms = deadline_ms;
		opening_arm(conn);
	}
}

int connection_fd(const struct connection *conn)
{
	return conn->fd;
}

void connection_watch_write(struct connection *conn)
{
	event_add(&backlog_require(conn)->event, NULL);
}
