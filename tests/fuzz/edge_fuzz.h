/*
 * edge_fuzz - one shard stepped by hand with one connection on a socket pair, for fuzzers of what comes over the wire.
 *
 * Each input is delivered twice, whole and in pieces, and must be answered with the same bytes both times.
 */
#ifndef TESTS_FUZZ_EDGE_FUZZ_H
#define TESTS_FUZZ_EDGE_FUZZ_H

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/buf.h"
#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "shard/shard.h"

struct edge_fuzz {
	struct shard *shard;
	struct net_shard *net;
	int peer;          /* our end of the pair */
	struct buf answer; /* what came back */
};

/* The shard is made once; each run has a connection of its own on it. */
static inline void edge_fuzz_start(struct edge_fuzz *fuzz, int *server_end)
{
	static const struct shard_options options = {
		.count = 1, .mailbox_depth = 64, .mail_budget = 64, .manual = true};
	static struct shard_group *group;
	static struct net_shard *net;
	int pair[2];
	if (!group) {
		assert_always(shard_group_new(&group, &options) == 0);
		net = net_shard_new(shard_group_at(group, 0), NULL);
	}
	assert_always(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	fuzz->shard = shard_group_at(group, 0);
	fuzz->net = net;
	fuzz->peer = pair[0];
	*server_end = pair[1];
	buf_init(&fuzz->answer, 1 << 30);
	shard_enter(fuzz->shard);
}

static inline void edge_fuzz_step(struct edge_fuzz *fuzz)
{
	for (int i = 0; i < 3; i++)
		shard_step(fuzz->shard);
	for (;;) {
		char *to = buf_room(&fuzz->answer, 65536);
		ssize_t got = to ? recv(fuzz->peer, to, 65536, 0) : -1;
		if (got <= 0)
			return;
		fuzz->answer.len += (size_t)got;
		shard_step(fuzz->shard);
	}
}

/* Delivers the bytes in pieces of at most piece, each followed by a few ticks. */
static inline void edge_fuzz_deliver(struct edge_fuzz *fuzz, const uint8_t *bytes, size_t len, size_t piece)
{
	while (len) {
		ssize_t sent = send(fuzz->peer, bytes, len < piece ? len : piece, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return; /* the server closed: it said why before */
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
		edge_fuzz_step(fuzz);
	}
	shutdown(fuzz->peer, SHUT_WR);
	edge_fuzz_step(fuzz);
}

static inline void edge_fuzz_close(struct connection *conn, void *argument)
{
	(void)argument;
	connection_close(conn, CONNECTION_AT_ONCE);
}

static inline void edge_fuzz_stop(struct edge_fuzz *fuzz)
{
	const struct net_counters *counters = net_shard_counters(fuzz->net);
	net_shard_each(fuzz->net, edge_fuzz_close, NULL);
	for (int i = 0; i < 3; i++)
		shard_step(fuzz->shard);
	assert_always(counter_read(&counters->opened) == counter_read(&counters->closed));
	assert_always(counter_read(&counters->backlog_bytes) == 0);
	shard_enter(NULL);
	close(fuzz->peer);
}

#endif
