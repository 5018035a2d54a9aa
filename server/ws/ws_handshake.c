/* ws_handshake - the opening handshake (RFC 6455 section 4.2): what a request must hold, and the 101. */
#include <errno.h>
#include <openssl/sha.h>

#include "core/base64.h"
#include "server/http/http.h"
#include "server/ws/ws_private.h"

static bool header_lists(const struct http_request *request, const char *name, struct str token)
{
	for (unsigned i = 0, n = http_request_header_count(request, name); i < n; i++) {
		if (http_list_has(http_request_header_at(request, name, i), token))
			return true;
	}
	return false;
}

static int refuse(struct http_request *request, unsigned status, const char *text)
{
	counter_add(&net_shard_counters(http_request_net(request))->ws_refused, 1);
	if (status == 426) {
		http_reply_header(request, "Upgrade", STR("websocket"));
		http_reply_header(request, "Connection", STR("Upgrade"));
		http_reply_header(request, "Sec-WebSocket-Version", STR("13"));
	}
	http_reply_error(request, status, text);
	return -EPROTO;
}

/* 16 bytes in base64: 22 letters, the last of which has four bits to spare, and "==". */
static bool is_key(struct str key)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (key.len != 24 || key.ptr[22] != '=' || key.ptr[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++) {
		const char *at = key.ptr[i] ? strchr(letters, key.ptr[i]) : NULL;
		if (!at || (i == 21 && ((at - letters) & 15)))
			return false;
	}
	return true;
}

/* 0 when the request asks for a WebSocket as it must; else it is replied to. */
static int check(struct http_request *request)
{
	struct str version = http_request_header(request, "Sec-WebSocket-Version");
	if (!str_equal(http_request_method(request), STR("GET")) || http_request_is_1_0(request))
		return refuse(request, 400, "WebSocket needs GET and HTTP/1.1");
	if (!header_lists(request, "Upgrade", STR("websocket")) || !header_lists(request, "Connection", STR("upgrade")))
		return refuse(request, 426, "this is a WebSocket endpoint");
	if (http_request_header_count(request, "Sec-WebSocket-Version") != 1 || !str_equal(version, STR("13")))
		return refuse(request, 426, "WebSocket version 13 is needed");
	if (http_request_header_count(request, "Sec-WebSocket-Key") != 1 ||
	    !is_key(http_request_header(request, "Sec-WebSocket-Key")))
		return refuse(request, 400, "bad Sec-WebSocket-Key");
	return 0;
}

static void write_accept(struct buf *head, struct str key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char joined[24 + sizeof guid - 1];
	unsigned char digest[SHA_DIGEST_LENGTH];

	memcpy(joined, key.ptr, 24);
	memcpy(joined + 24, guid, sizeof guid - 1);
	SHA1(joined, sizeof joined, digest);
	buf_append_str(head, STR("Sec-WebSocket-Accept: "));
	base64_encode(head, (struct str){(const char *)digest, sizeof digest});
	buf_append(head, "\r\n", 2);
}

/* The extension lines of a request are one list (RFC 6455 section 9.1). */
static struct ws_deflate *negotiate(const struct http_request *request, const struct ws_options *options,
				    struct buf *head)
{
	struct ws_deflate *deflate = NULL;
	for (unsigned i = 0, n = http_request_header_count(request, "Sec-WebSocket-Extensions"); i < n && !deflate; i++)
		deflate = ws_deflate_negotiate(options, http_request_header_at(request, "Sec-WebSocket-Extensions", i),
					       head);
	return deflate;
}

int ws_accept(struct ws **out, struct http_request *request, const struct ws_options *options, const struct ws_ops *ops,
	      void *owner)
{
	struct net_counters *counters = net_shard_counters(http_request_net(request));
	int rc = check(request);
	if (rc < 0)
		return rc;
	rc = http_request_admit(request);
	if (rc < 0) {
		counter_add(&counters->ws_refused, 1);
		return rc;
	}
	struct ws *ws = ws_new(options, ops, owner);
	struct buf *head = ws_queue(ws); /* so it goes in one send with what the owner says first */
	buf_append_str(head, STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
	write_accept(head, http_request_header(request, "Sec-WebSocket-Key"));
	if (options->deflate)
		ws->deflate = negotiate(request, options, head);
	buf_append(head, "\r\n", 2);
	ws_begin(ws, http_reply_take_over(request, &ws_connection_ops, ws));
	*out = ws;
	return 0;
}
