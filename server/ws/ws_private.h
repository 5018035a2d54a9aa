/*
 * ws_private - what a WebSocket connection is made of: for server/ws alone.
 *
 * An idle one holds this struct and nothing else: an unfinished message, what waits for the flush, and a compression
 * state are allocated when they are needed. Threads: [shard].
 */
#ifndef SERVER_WS_WS_PRIVATE_H
#define SERVER_WS_WS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "server/ws/ws.h"
#include "server/ws/ws_frame.h"
#include "shard/shard.h"

struct ws_deflate;

enum {
	/* Room for a header, left in front of a message: right for 126 bytes to 64 KiB, so that what is large and
	 * frequent stays where it was composed. */
	WS_HEADER_GUESS = 4,
	WS_WINDOW_MIN = 9, /* bits; zlib does not deflate with less */
	WS_WINDOW_MAX = 15,
	WS_FLUSH_TAIL = 4, /* bytes at the end of a flush, which a message leaves out (RFC 7692 section 7.2.1) */
};

struct gather { /* a message that comes in pieces */
	struct buf bytes;
	struct utf8_state utf8;
	uint64_t frame_left; /* payload of the current frame that did not come yet */
	uint64_t phase;      /* payload of the current frame that came */
	int64_t started_ms;
	unsigned fragments;
	uint8_t mask[4];
	uint8_t opcode;
	bool compressed;
	bool fin;     /* the current frame is the last */
	bool between; /* no frame is being read: a continuation must follow */
};

struct farewell {      /* how it ends, once that is known */
	uint16_t code; /* as told to the owner */
	uint8_t len;
	char reason[WS_CONTROL_MAX - 2];
};

struct ws {
	struct connection *conn;
	const struct ws_ops *ops;
	void *owner;
	const struct ws_options *options;
	struct gather *gather;
	struct buf *queue;          /* the 101 and whole frames for the next flush, ahead of what the owner composes */
	struct ws_deflate *deflate; /* when agreed */
	struct farewell *farewell;
	int64_t heard_ms;      /* when the last bytes came */
	int64_t unfinished_ms; /* since when a frame or message is unfinished; 0: none is */
	bool opened : 1;       /* on_open was called, or is not to be */
	bool flush_wanted : 1; /* the owner wants its on_flush */
	bool held : 1;         /* ws_pause */
	bool pinged : 1;       /* since heard_ms */
	bool close_due : 1;    /* our close frame is to be sent */
	bool close_sent : 1;
	bool close_came : 1; /* the peer's close frame came */
	bool failed : 1;     /* we give up on the peer: nothing more is read */
	struct grave grave;
};

/* The options with defaults where there is zero. */
size_t ws_max_message(const struct ws *ws);
unsigned ws_max_fragments(const struct ws *ws);
struct net_counters *ws_counters(const struct ws *ws);
int64_t ws_now_ms(const struct ws *ws);

/* ---- ws.c ---- */

/* A connection that has agreed; it hears of its bytes when it is the owner of conn (ws_connection_ops). */
struct ws *ws_new(const struct ws_options *options, const struct ws_ops *ops, void *owner);
extern const struct connection_ops ws_connection_ops;
/* It is set up on conn: counts, arms its timer. */
void ws_begin(struct ws *ws, struct connection *conn);
/* Gives up on the peer with code (RFC 6455 section 7.1.7). */
void ws_fail(struct ws *ws, unsigned code, const char *reason);
/* The peer's close frame came: payload is code and reason, unmasked. */
void ws_take_close(struct ws *ws, const char *payload, size_t len);
/* Arms the timer for whatever comes next. */
void ws_arm(struct ws *ws);

/* ---- ws_read.c ---- */

/* Takes frames off bytes; returns how many bytes were consumed. */
size_t ws_read(struct ws *ws, char *bytes, size_t len);
void ws_gather_free(struct ws *ws);

/* ---- ws_write.c ---- */

/* Queues a control frame. */
void ws_queue_control(struct ws *ws, enum ws_opcode opcode, const void *bytes, size_t len);
/* What is sent first in the next flush, whole: never NULL. */
struct buf *ws_queue(struct ws *ws);
/* Appends the close frame that the farewell asks for. */
void ws_append_close(const struct ws *ws, struct buf *out);
/* The connection's on_flush: the queue, what the owner composes, the close frame. */
void ws_write_flush(struct ws *ws, struct buf *out);

/* ---- ws_deflate.c ---- */

/* Reads the offers in a Sec-WebSocket-Extensions header and takes the first that we can honour: *answer (empty when
 * none) is what the 101 says. NULL when there is no agreement. */
struct ws_deflate *ws_deflate_negotiate(const struct ws_options *options, struct str offers, struct buf *answer);
void ws_deflate_free(struct ws_deflate *deflate);
/* Inflates one message; the result is a loan until the next call on this shard. 0, -WS_TOO_BIG, -WS_INVALID_DATA. */
int ws_deflate_inflate(struct ws *ws, struct str compressed, char **bytes, size_t *len);
/* Deflates the payload that begins at from in out, in place. False when it is sent as it is. */
bool ws_deflate_payload(struct ws *ws, struct buf *out, size_t from);
/* Whether messages to this peer may be compressed apart from each other, and by which window bits (else 0). */
unsigned ws_deflate_shared_bits(const struct ws *ws);
/* What is shorter is not worth to be compressed. */
size_t ws_deflate_min_bytes(const struct ws *ws);
/* Deflates text apart from all others (for a peer that has shared bits): whole blocks, which end with a flush. A loan
 * until the next call on this shard; ptr NULL without memory. */
struct str ws_deflate_blocks(struct ws *ws, struct str text);
/* Of the message that is being composed: where behind shared blocks its own text goes on; 0: it has no blocks. */
size_t *ws_deflate_own(struct ws *ws);

/* ---- ws_shared.c ---- */

/* Ends a message that has shared blocks, and returns true; false when it has none. */
bool ws_finish_shared(struct ws *ws, struct buf *out);

#endif
