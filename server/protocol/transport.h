/*
 * transport - what carries a session's messages to one client: WebSocket now; event stream and long polling fit here
 * too.
 *
 * A session composes its messages into the shard's staging buffer between begin and end, whatever the transport's
 * framing is. The transport belongs to the layer that made it, and outlives the session's use of it. Threads: [shard].
 */
#ifndef SERVER_PROTOCOL_TRANSPORT_H
#define SERVER_PROTOCOL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

struct transport;
struct ws_packed;

/* A text that many clients of a shard get in one tick, each inside a message of its own. Lives until the end of the
 * tick. */
struct shared_text {
	struct str text;
	struct ws_packed *packed; /* WebSocket's: the text as it was compressed for the first of them; NULL: not yet */
};

struct transport_figures {      /* 0 and NULL: unknown */
	const char *address;    /* of the client; in the tick's memory */
	size_t queued_bytes;    /* that it has still to take */
	uint64_t bytes;         /* that went either way */
	uint32_t round_trip_us; /* as the kernel measures it */
	bool is_closing;        /* the client was told to go, and has not gone yet */
};

struct transport_ops {
	const char *name; /* "websocket" */
	/* Asks for the session's compose in this tick, which then surely comes; calling it again costs nothing. False:
	 * the connection is closing, and nothing will be composed any more. */
	bool (*flush_soon)(struct transport *transport);
	/* In compose: starts one text message; returns where it starts. */
	size_t (*begin)(struct transport *transport, struct buf *out);
	/* In compose: ends the message begun at start. */
	void (*end)(struct transport *transport, struct buf *out, size_t start);
	/* In compose, inside the message begun at start: appends shared->text, compressed once for all who get it.
	 * NULL: this client's messages are not compressed, and the text is appended as it is. */
	void (*append_shared)(struct transport *transport, struct buf *out, size_t start, struct shared_text *shared);
	/* In compose: moves out towards the client when it has grown large. Call it between messages. */
	void (*spill)(struct transport *transport, struct buf *out);
	/* No further message is delivered to the session until resume. */
	void (*pause)(struct transport *transport);
	void (*resume)(struct transport *transport);
	/* Fills in what it knows of the way to the client. May be NULL. */
	void (*describe)(struct transport *transport, struct transport_figures *figures);
	/* Ends the connection after what was pushed before; code and reason as in protocol section 2.4. */
	void (*close)(struct transport *transport, unsigned code, struct str reason);
};

struct transport { /* embedded in the transport's own struct */
	const struct transport_ops *ops;
};

#endif
