/* Requests: the first byte chooses the pieces, the rest is what a client sends. */
#include <netinet/in.h>

#include "edge_fuzz.h"
#include "server/http/http.h"
#include "server/ws/ws.h"

static void on_get(struct http_request *request, void *argument)
{
	struct str value = STR("nothing");
	(void)argument;
	(void)http_request_query(request, "q", &value);
	http_reply(request, 200, "text/plain", value);
}

static void on_item(struct http_request *request, void *argument)
{
	(void)argument;
	http_reply_header(request, "X-Peer", http_request_header(request, "X-Name"));
	http_reply(request, 200, "text/plain", http_request_param(request, "id"));
}

static void on_post(struct http_request *request, void *argument)
{
	(void)argument;
	http_reply(request, 200, "application/octet-stream", http_request_body(request));
}

static const struct ws_options ws_options = {.deflate = true, .max_message_bytes = 4096};

static void echo(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	ws_send(ws, opcode, bytes, len);
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	(void)owner;
	(void)ws;
	(void)code;
	(void)reason;
}

static const struct ws_ops ws_ops = {.on_message = echo, .on_close = on_close};

static void on_upgrade(struct http_request *request, void *argument)
{
	struct ws *ws;
	(void)argument;
	int rc = ws_accept(&ws, request, &ws_options, &ws_ops, NULL);
	(void)rc;
}

static struct http_service *service(void)
{
	static struct address_set *trusted;
	struct http_options options = {
		.max_target_bytes = 200, .max_header_bytes = 1000, .max_headers = 12, .max_body_bytes = 500};
	trusted = trusted ? trusted : address_set_new();
	assert_always(address_set_add(trusted, STR("unix")) == 0);
	options.proxies = trusted;
	struct http_service *made = http_service_new(&options);
	http_service_add(made, "GET", "/", on_get, NULL);
	http_service_add(made, "GET", "/api/:id", on_item, NULL);
	http_service_add(made, "POST", "/p", on_post, NULL);
	http_service_add_upgrade(made, "/ws", on_upgrade, NULL);
	return made;
}

static struct buf run(const struct http_service *made, const uint8_t *data, size_t size, size_t piece)
{
	struct edge_fuzz fuzz;
	struct accepted accepted = {.peer_len = sizeof(sa_family_t)};
	accepted.peer.ss_family = AF_UNIX;
	edge_fuzz_start(&fuzz, &accepted.fd);
	struct connection *conn;
	assert_always(http_connection_open(&conn, made, fuzz.net, &accepted) == 0);
	edge_fuzz_deliver(&fuzz, data, size, piece);
	edge_fuzz_stop(&fuzz);
	return fuzz.answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_service *made;
	if (size < 1)
		return 0;
	made = made ? made : service();
	struct buf whole = run(made, data + 1, size - 1, SIZE_MAX);
	struct buf pieces = run(made, data + 1, size - 1, 1 + data[0] % 16);
	assert_always(str_equal(buf_str(&whole), buf_str(&pieces)));
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
