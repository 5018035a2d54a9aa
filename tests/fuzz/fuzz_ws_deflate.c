/* permessage-deflate: the offer up to the first NUL, then one compressed message, and one to compress back, whole or in
 * parts. */
#include "edge_fuzz.h"
#include "server/ws/ws_private.h"

static void ignore(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	(void)ws;
	(void)opcode;
	(void)bytes;
	(void)len;
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	(void)owner;
	(void)ws;
	(void)code;
	(void)reason;
}

static const struct ws_ops ops = {.on_message = ignore, .on_close = on_close};
static const struct ws_options options = {
	.deflate = true, .deflate_takeover = true, .deflate_min_bytes = 1, .max_message_bytes = 65536};

/* What we deflate must inflate to itself, by the same code that inflates what peers send. */
static void there_and_back(struct ws *ws, struct str payload)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	buf_append_str(&out, payload);
	if (payload.len && payload.len <= options.max_message_bytes && ws_deflate_payload(ws, &out, 0)) {
		char *bytes;
		size_t len;
		assert_always(ws_deflate_inflate(ws, buf_str(&out), &bytes, &len) == 0);
		assert_always(str_equal((struct str){bytes, len}, payload));
	}
	buf_deinit(&out);
}

/* The same for a message whose middle many get. */
static void with_shared_middle(struct ws *ws, struct str payload)
{
	struct ws_packed *packed = NULL;
	struct buf out;
	size_t third = payload.len / 3;
	if (payload.len == 0 || payload.len > options.max_message_bytes)
		return;
	buf_init(&out, 1 << 20);
	size_t start = ws_message_begin(&out);
	buf_append(&out, payload.ptr, third);
	ws_append_shared(ws, &out, start, (struct str){payload.ptr + third, third}, &packed);
	buf_append(&out, payload.ptr + 2 * third, payload.len - 2 * third);
	ws_message_end(ws, &out, start, WS_TEXT);
	size_t head = (out.ptr[1] & 0x7f) == 127 ? 10 : (out.ptr[1] & 0x7f) == 126 ? 4 : 2;
	char *bytes = out.ptr + head;
	size_t len = out.len - head;
	assert_always(ws_frame_len((const unsigned char *)out.ptr) == out.len);
	if (out.ptr[0] & 0x40)
		assert_always(ws_deflate_inflate(ws, (struct str){bytes, len}, &bytes, &len) == 0);
	assert_always(str_equal((struct str){bytes, len}, payload));
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	struct str offer = {(const char *)data, nul ? (size_t)(nul - data) : size};
	struct str rest = {nul ? (const char *)nul + 1 : NULL, nul ? size - offer.len - 1 : 0};
	struct edge_fuzz fuzz;
	struct connection *conn;
	struct address peer = {.family = ADDRESS_UNIX};
	struct buf answer;
	int fd;
	buf_init(&answer, 1024);
	edge_fuzz_start(&fuzz, &fd);
	struct ws *ws = ws_new(&options, &ops, NULL);
	assert_always(connection_new(&conn, fuzz.net, fd, &peer, NULL, &ws_connection_ops, ws) == 0);
	ws_begin(ws, conn);
	ws->deflate = ws_deflate_negotiate(&options, offer, &answer);
	if (!ws->deflate) {
		assert_always(answer.len == 0);
		ws->deflate = ws_deflate_negotiate(&options, STR("permessage-deflate"), &answer);
	}
	/* One of both: where the window stays, the second message would refer to the first. */
	if (rest.len & 1)
		there_and_back(ws, rest);
	else
		with_shared_middle(ws, rest);
	char *bytes;
	size_t len;
	if (ws_deflate_inflate(ws, rest, &bytes, &len) == 0)
		assert_always(len <= options.max_message_bytes);
	buf_deinit(&answer);
	edge_fuzz_stop(&fuzz);
	buf_deinit(&fuzz.answer);
	return 0;
}
