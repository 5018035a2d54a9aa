/*
 * ws_stage - a WebSocket connection past its handshake, on a shard stepped by hand.
 */
#ifndef TESTS_UNIT_SERVER_WS_WS_STAGE_H
#define TESTS_UNIT_SERVER_WS_WS_STAGE_H

#include "server/ws/ws_private.h"
#include "unit/server/net/net_stage.h"

struct ws_stage {
	struct net_stage net;
	int peer;
	struct ws *ws;
	/* What the owner heard. */
	unsigned opens, messages, flushes, closes;
	unsigned code;
	char reason[128];
	char last[256];
	/* What it does. */
	bool holds;       /* after each message */
	const char *says; /* in its next on_flush */
};

static inline void ws_stage_on_open(void *owner, struct ws *ws)
{
	(void)ws;
	((struct ws_stage *)owner)->opens++;
}

static inline void ws_stage_on_message(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	struct ws_stage *stage = owner;
	(void)opcode;
	ck_assert_uint_eq(stage->opens, 1);
	ck_assert_uint_eq(stage->closes, 0);
	stage->messages++;
	snprintf(stage->last, sizeof stage->last, "%.*s", (int)len, bytes);
	if (stage->holds)
		ws_pause(ws);
}

static inline void ws_stage_on_flush(void *owner, struct ws *ws, struct buf *out)
{
	struct ws_stage *stage = owner;
	stage->flushes++;
	if (!stage->says)
		return;
	size_t start = ws_message_begin(out);
	buf_append_str(out, str_of(stage->says));
	ws_message_end(ws, out, start, WS_TEXT);
	stage->says = NULL;
}

static inline void ws_stage_on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	struct ws_stage *stage = owner;
	(void)ws;
	stage->closes++;
	stage->code = code;
	snprintf(stage->reason, sizeof stage->reason, "%.*s", STR_ARG(reason));
}

static const struct ws_ops ws_stage_ops = {
	.on_open = ws_stage_on_open,
	.on_message = ws_stage_on_message,
	.on_flush = ws_stage_on_flush,
	.on_close = ws_stage_on_close,
};

/* connection: its limits, filled; NULL: the defaults. */
static inline void ws_stage_start_limited(struct ws_stage *stage, const struct ws_options *options,
					  const struct net_options *net, const struct connection_options *connection)
{
	struct address address = {.family = ADDRESS_UNIX};
	struct connection *conn;
	int fd;
	memset(stage, 0, sizeof *stage);
	net_stage_start(&stage->net, net);
	net_stage_pair(&stage->peer, &fd);
	stage->ws = ws_new(options, &ws_stage_ops, stage);
	int rc = connection_new(&conn, stage->net.net, fd, &address, connection, &ws_connection_ops, stage->ws);
	ck_assert_int_eq(rc, 0);
	ws_begin(stage->ws, conn);
}

static inline void ws_stage_start(struct ws_stage *stage, const struct ws_options *options)
{
	ws_stage_start_limited(stage, options, NULL, NULL);
}

static inline void ws_stage_end(struct ws_stage *stage)
{
	close(stage->peer);
	net_stage_end(&stage->net);
	ck_assert_uint_eq(stage->closes, 1);
}

/* A client's frame with a mask of zeros; payload shorter than 126 bytes. */
static inline void ws_stage_send(struct ws_stage *stage, unsigned first, const char *payload)
{
	char bytes[256] = {(char)first, (char)(0x80 | strlen(payload))};
	memcpy(bytes + 6, payload, strlen(payload));
	ck_assert_int_eq(send(stage->peer, bytes, 6 + strlen(payload), 0), (ssize_t)(6 + strlen(payload)));
	net_stage_run(&stage->net);
}

/* What came must be exactly these bytes. */
#define ws_stage_expect(stage, literal)                                                              \
	do {                                                                                         \
		char expect_got[512];                                                                \
		net_stage_run(&(stage)->net);                                                        \
		size_t expect_len = net_stage_receive((stage)->peer, expect_got, sizeof expect_got); \
		ck_assert_uint_eq(expect_len, sizeof(literal) - 1);                                  \
		ck_assert_mem_eq(expect_got, literal, sizeof(literal) - 1);                          \
	} while (0)

#endif
