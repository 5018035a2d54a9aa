/* Frames: the first two bytes choose options and pieces, the rest is what a client sends after the handshake. */
#include "edge_fuzz.h"
#include "server/ws/ws_private.h"

static void echo(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	assert_always(opcode != WS_TEXT || utf8_check((struct str){bytes, len}));
	ws_send(ws, opcode, bytes, len);
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	(void)ws;
	(void)code;
	assert_always(utf8_check(reason));
	*(bool *)owner = true;
}

static const struct ws_ops ops = {.on_message = echo, .on_close = on_close};

static struct buf run(const struct ws_options *options, const uint8_t *data, size_t size, size_t piece)
{
	struct edge_fuzz fuzz;
	struct connection *conn;
	struct address peer = {.family = ADDRESS_UNIX};
	bool closed = false;
	int fd;
	edge_fuzz_start(&fuzz, &fd);
	struct ws *ws = ws_new(options, &ops, &closed);
	struct buf answer;
	buf_init(&answer, 1024);
	if (options->deflate)
		ws->deflate = ws_deflate_negotiate(options, STR("permessage-deflate"), &answer);
	buf_deinit(&answer);
	assert_always(connection_new(&conn, fuzz.net, fd, &peer, NULL, &ws_connection_ops, ws) == 0);
	ws_begin(ws, conn);
	edge_fuzz_deliver(&fuzz, data, size, piece);
	edge_fuzz_stop(&fuzz);
	assert_always(closed);
	return fuzz.answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct ws_options options = {
		.max_message_bytes = 4096,
		.max_fragments = 8,
		.text_only = data[0] & 1,
		.deflate = data[0] & 2,
		.deflate_takeover = data[0] & 4,
		.deflate_min_bytes = 1,
	};
	struct buf whole = run(&options, data + 2, size - 2, SIZE_MAX);
	struct buf pieces = run(&options, data + 2, size - 2, 1 + data[1] % 16);
	assert_always(str_equal(buf_str(&whole), buf_str(&pieces)));
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
