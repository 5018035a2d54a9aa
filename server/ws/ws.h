/*
 * ws - WebSocket (RFC 6455, with permessage-deflate by RFC 7692) on a connection, server side.
 *
 * A message that came whole is unmasked in the receive buffer and delivered there; one that came in pieces is gathered
 * in a limited buffer. The owner composes what it sends in on_flush, directly in the shard's staging buffer, between
 * ws_message_begin and ws_message_end. Pings, pongs, fragments, UTF-8 and the close handshake are done here.
 *
 * What one may get wrong: on_close is the last call, comes exactly once for each ws_accept that returned 0, and never
 * from inside ws_close; between ws_close and on_close no message is delivered. Threads: [shard].
 */
#ifndef SERVER_WS_WS_H
#define SERVER_WS_WS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/str.h"
#include "server/net/connection.h"

struct http_request;
struct shard;
struct ws;

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum ws_code { /* RFC 6455 section 7.4.1 */
	       WS_NORMAL = 1000,
	       WS_GOING_AWAY = 1001,
	       WS_PROTOCOL_ERROR = 1002,
	       WS_UNSUPPORTED_DATA = 1003,
	       WS_NO_CODE = 1005,  /* only told, never sent: the peer's close frame had no code */
	       WS_ABNORMAL = 1006, /* only told, never sent: the stream ended without a close frame */
	       WS_INVALID_DATA = 1007,
	       WS_POLICY = 1008,
	       WS_TOO_BIG = 1009,
	       WS_INTERNAL_ERROR = 1011,
	       WS_TRY_AGAIN = 1013,
};

/* Zero takes the default in brackets. Shared; must outlive its connections. */
struct ws_options {
	size_t max_message_bytes; /* [4 MiB] of one message, inflated; above: 1009 */
	unsigned max_fragments;   /* [4096] frames of one message; above: 1009 (dust) */
	unsigned ping_ms;    /* [30000] silence after which a ping is sent; a peer silent for two of these is reaped */
	unsigned message_ms; /* [30000] from the first to the last byte of one message; then 1008 */
	unsigned close_ms;   /* [5000] in which the peer must answer our close frame */
	bool text_only;      /* answer binary messages with 1003 */
	bool deflate;        /* negotiate permessage-deflate */
	bool deflate_takeover;    /* keep a compression window per connection (costs 40 to 300 KiB each) */
	unsigned deflate_bits;    /* [15] our window bits, 9 to 15 */
	int deflate_level;        /* [1] zlib's, 1 to 9 */
	size_t deflate_min_bytes; /* [256] shorter messages are not compressed */
};

struct ws_ops {
	/* The handshake is done. Called in the turn after ws_accept, before any message. May be NULL. */
	void (*on_open)(void *owner, struct ws *ws);
	/* A whole message: WS_TEXT (valid UTF-8) or WS_BINARY. bytes are writable, and valid during the call. */
	void (*on_message)(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len);
	/* The end of a tick in which ws_flush_soon was called: compose messages into out. May be NULL. */
	void (*on_flush)(void *owner, struct ws *ws, struct buf *out);
	/* What was sent is with the kernel again, after there had been a backlog. May be NULL. */
	void (*on_drained)(void *owner, struct ws *ws);
	/* The backlog crossed the soft mark: collapse what can be collapsed until on_drained. May be NULL. */
	void (*on_backlog)(void *owner, struct ws *ws);
	/* The last call. code: the peer's, or ours, or WS_NO_CODE, WS_ABNORMAL; reason is a loan. */
	void (*on_close)(void *owner, struct ws *ws, unsigned code, struct str reason);
};

/*
 * Checks the handshake of request and answers it: 101, and *out is the connection, or 426 or 400, and -EPROTO, or 429
 * and -EUSERS. Either way the request is replied to. ops and options must outlive the connection.
 */
int ws_accept(struct ws **out, struct http_request *request, const struct ws_options *options, const struct ws_ops *ops,
	      void *owner) __attribute__((warn_unused_result));

/* ---- sending ---- */

/* Asks for on_flush at the end of this tick; calling it again costs nothing. */
void ws_flush_soon(struct ws *ws);
/* In on_flush: reserves room for a header; append the payload to out afterwards. Returns where the message starts. */
size_t ws_message_begin(struct buf *out);
/* Ends the message begun at start: writes its header in front of what was appended since, compressed if so agreed. An
 * out that failed meanwhile stays failed, and the connection is closed with 1011 after the flush. */
void ws_message_end(struct ws *ws, struct buf *out, size_t start, enum ws_opcode opcode);
/* Queues one message (copied) for the end of this tick, behind what was queued before and before what on_flush
 * composes. */
void ws_send(struct ws *ws, enum ws_opcode opcode, const void *bytes, size_t len);
/* In on_flush: moves out to the socket and the backlog when it has grown large. Call it between messages. */
void ws_spill(struct ws *ws, struct buf *out);

struct ws_packed;
/* In on_flush, inside the message begun at start: appends text, which others on this shard get in this tick, too.
 * *packed is NULL before the first of them; it keeps the text compressed, once for all whose parameters allow it, in
 * the memory of the tick. */
void ws_append_shared(struct ws *ws, struct buf *out, size_t start, struct str text, struct ws_packed **packed);
/* Whether messages to this peer may be compressed. */
bool ws_compresses(const struct ws *ws);

/* ---- flow and end ---- */

/* Holds: no further message is delivered, not even those that are here already, until ws_resume. */
void ws_pause(struct ws *ws);
/* Goes on; messages that are here are delivered in the next turn. */
void ws_resume(struct ws *ws);
/*
 * Starts the close handshake. on_flush is called a last time if it was asked for; then the close frame goes (code 1000
 * to 4999 that may be sent; reason at most 123 bytes of UTF-8, longer ones are cut at a character). on_close follows
 * when the peer answered, or after close_ms. Right after ws_accept is fine. Twice is fine: the first counts.
 */
void ws_close(struct ws *ws, unsigned code, struct str reason);
/* Whether a close has begun, by either side. */
bool ws_is_closing(const struct ws *ws);

const struct address *ws_peer(const struct ws *ws); /* a loan */
struct shard *ws_shard(const struct ws *ws);
struct connection *ws_connection(const struct ws *ws);

#endif
