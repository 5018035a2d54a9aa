/*
 * connection_stage - an owner that notes what its connection tells it, and a peer to talk to: for the tests of
 * connections.
 *
 * Owners are static, since the stage tells them of the end after the test has returned. Threads: the test's.
 */
#ifndef TESTS_UNIT_SERVER_NET_CONNECTION_STAGE_H
#define TESTS_UNIT_SERVER_NET_CONNECTION_STAGE_H

#include "core/mem.h"
#include "server/net/connection.h"
#include "server/net/wire.h"
#include "unit/server/net/net_stage.h"

struct owner {
	struct connection *conn;
	char heard[4096];
	size_t heard_len;
	size_t consume; /* the most that it consumes per on_read */
	size_t says;    /* bytes to say in the next on_flush */
	bool pauses;    /* after each on_read */
	unsigned reads;
	unsigned flushes;
	unsigned drained;
	unsigned marks;
	unsigned ends;
	unsigned deadlines;
	unsigned closed;
	int error;
};

static inline size_t on_read(void *self, struct connection *conn, char *bytes, size_t len)
{
	struct owner *owner = self;
	size_t used = len < owner->consume ? len : owner->consume;
	memcpy(owner->heard + owner->heard_len, bytes, used);
	owner->heard_len += used;
	owner->reads++;
	if (owner->pauses)
		connection_pause_read(conn);
	return used;
}

static inline void on_flush(void *self, struct connection *conn, struct buf *out)
{
	struct owner *owner = self;
	owner->flushes++;
	for (; owner->says; owner->says--) {
		buf_append_char(out, (char)('a' + owner->says % 26));
		if (out->len > 200000)
			connection_spill(conn, out);
	}
}

static inline void on_drained(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->drained++;
}

static inline void on_backlog(void *self, struct connection *conn, enum connection_level level)
{
	(void)conn;
	ck_assert_int_eq(level, CONNECTION_SOFT);
	((struct owner *)self)->marks++;
}

static inline void on_end(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->ends++;
}

static inline void on_deadline(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->deadlines++;
}

static inline void on_closed(void *self, struct connection *conn, int error)
{
	struct owner *owner = self;
	(void)conn;
	owner->closed++;
	owner->error = error;
}

static const struct connection_ops all_ops __attribute__((unused)) = {
	.on_read = on_read,
	.on_flush = on_flush,
	.on_drained = on_drained,
	.on_backlog = on_backlog,
	.on_end = on_end,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};
static const struct connection_ops few_ops __attribute__((unused)) = {.on_read = on_read, .on_closed = on_closed};

static struct net_stage stage;
static struct connection_options options;
static int peer;

static inline void setup(void)
{
	net_stage_start(&stage, &(struct net_options){.receive_bytes = 4096});
	options = (struct connection_options){
		.soft_bytes = 10000, .hard_bytes = 1000000, .soft_age_ms = 1000, .hard_age_ms = 3000};
	connection_options_fill(&options);
}

static inline void teardown(void)
{
	close(peer);
	net_stage_end(&stage);
}

static inline void open_owner(struct owner *owner, const struct connection_ops *ops)
{
	struct address address = {.family = ADDRESS_UNIX};
	int fd;
	memset(owner, 0, sizeof *owner);
	owner->consume = SIZE_MAX;
	net_stage_pair(&peer, &fd);
	ck_assert_int_eq(connection_new(&owner->conn, stage.net, fd, &address, &options, ops, owner), 0);
}

static inline void say(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
	net_stage_run(&stage);
}

#endif
