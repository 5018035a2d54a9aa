/*
 * connection - a byte stream to one peer, on one shard: what http and ws stand on, plain or TLS.
 *
 * Its owner (the layer above) gets bytes by on_read, straight from the shard's receive buffer, and is asked for bytes
 * by on_flush, once at the end of a tick, straight into the shard's staging buffer. An idle connection holds no buffer:
 * what the owner did not consume and what the peer did not take are copied to memory of the connection, and given back
 * when done.
 *
 * What one may get wrong: the connection is dead after on_closed (the last call), though the pointer stays good until
 * the end of the tick; and inside on_read the owner may close, pause or hand over the connection at will, but what it
 * returns still counts the bytes that it consumed. Threads: [shard].
 */
#ifndef SERVER_NET_CONNECTION_H
#define SERVER_NET_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"
#include "server/net/address.h"

struct connection;
struct net_shard;
struct shard;

/* Zero takes the default in brackets, by connection_options_fill. The struct is shared and must outlive its
 * connections. */
struct connection_options {
	size_t soft_bytes;    /* [256 KiB] backlog above this: on_backlog is told, reading pauses until it is drained */
	size_t hard_bytes;    /* [16 MiB] above this what waits is dropped, and the connection closed */
	unsigned soft_age_ms; /* [5000] the same two by the age of the oldest byte in the backlog */
	unsigned hard_age_ms; /* [30000] */
	unsigned linger_ms;   /* [5000] how long a close waits for the peer to take the last bytes */
	size_t write_budget;  /* [256 KiB] bytes per turn of a backlog that drains, so that others have theirs */
	bool proxy_protocol;  /* the stream must begin with a PROXY header (v1 or v2) */
	unsigned proxy_ms;    /* [5000] in which the PROXY header must have come */
	const struct address_set *proxies; /* who may send one; others are closed. NULL: anyone that can connect. They
					      are not counted against the cap for an address: whom they name is */
};

/* Puts the defaults where there is zero. Call it once, before the first connection. [start] */
void connection_options_fill(struct connection_options *options);

enum connection_level {
	CONNECTION_SOFT,  /* the backlog crossed the soft mark: send less, collapse */
	CONNECTION_HARD,  /* it crossed a hard mark */
	CONNECTION_TOTAL, /* it is over the soft mark, and all backlogs of the shard together are over theirs */
	CONNECTION_UNFIT, /* what was appended in one on_flush is more than the staging buffer holds */
};

/* How many bytes of output piece_len is shown at least, where there are so many. */
enum { CONNECTION_PIECE_PEEK = 1024 };

/* Why on_closed came; its error is 0 when we closed, or the peer ended in order, else one of these (negative errnos):
 * -ECONNRESET, -EPIPE and whatever else the socket said; -ETIMEDOUT a deadline; -ENOBUFS over a hard mark;
 * -EMSGSIZE unconsumed input outgrew its limit; -EPROTO a bad PROXY header or a TLS failure; -ENOMEM. */
struct connection_ops {
	/* Bytes came; they are writable, and gone afterwards. Returns how many were consumed; the rest is kept, and
	 * presented again with more behind it (or when reading resumes). */
	size_t (*on_read)(void *owner, struct connection *conn, char *bytes, size_t len);
	/* The end of a tick in which connection_flush_soon was called: append to out what should be sent now. May be
	 * NULL. */
	void (*on_flush)(void *owner, struct connection *conn, struct buf *out);
	/* The backlog is gone: everything that was ever appended is with the kernel. May be NULL. */
	void (*on_drained)(void *owner, struct connection *conn);
	/* The backlog crossed the soft mark; told once per crossing. May be NULL. */
	void (*on_backlog)(void *owner, struct connection *conn, enum connection_level level);
	/* How long the piece of output is that begins at bytes and must not be cut (a frame). It is whole, or its first
	 * CONNECTION_PIECE_PEEK bytes are here. What is given to a connection at a time must be whole pieces. */
	size_t (*piece_len)(void *owner, const char *bytes, size_t len);
	/* The backlog is over CONNECTION_HARD or CONNECTION_TOTAL, or there was CONNECTION_UNFIT: it was dropped, but
	 * for what is left of the piece that is partly sent: append to out what the peer should still learn. It has
	 * linger_ms to take it; nothing else is sent or read any more. NULL (or no piece_len): the connection ends
	 * without a word. */
	void (*on_last_words)(void *owner, struct connection *conn, enum connection_level level, struct buf *out);
	/* The peer ended its half: nothing will be read any more. NULL: the connection closes after its flush. */
	void (*on_end)(void *owner, struct connection *conn);
	/* The deadline set by connection_set_deadline passed. NULL: the connection closes with -ETIMEDOUT. */
	void (*on_deadline)(void *owner, struct connection *conn);
	/* The server shuts down: say goodbye and close. NULL: the connection closes after its flush. */
	void (*on_shutdown)(void *owner, struct connection *conn);
	/* The last call. Free the owner by shard_bury, not at once. */
	void (*on_closed)(void *owner, struct connection *conn, int error);
};

/*
 * A connection on fd (connected, non-blocking; given away, also on failure). peer is copied. ops and options (filled;
 * NULL: the defaults) must outlive it. Calls nothing before the next turn of the loop. 0 or -errno: -EUSERS too many of
 * this address, -ESHUTDOWN.
 */
int connection_new(struct connection **out, struct net_shard *net, int fd, const struct address *peer,
		   const struct connection_options *options, const struct connection_ops *ops, void *owner)
	__attribute__((warn_unused_result));

/* Hands the connection to another owner (an upgrade). Unconsumed bytes are presented to the new one in this or the next
 * turn; the deadline is cleared. The old owner hears nothing more. */
void connection_set_ops(struct connection *conn, const struct connection_ops *ops, void *owner);

/* Asks for on_flush at the end of this tick; calling it again costs nothing. Ignored when closing. */
void connection_flush_soon(struct connection *conn);
/* Sends bytes now, behind what waits: the last words of an owner that hands the connection over. */
void connection_write(struct connection *conn, struct str bytes);
/* In on_flush: sends what out holds, moves what did not go to the backlog, empties out. For a composer with more than
 * ~128 KiB to say. */
void connection_spill(struct connection *conn, struct buf *out);

enum connection_pause {                               /* reading stops while any of these is set */
			CONNECTION_PAUSE_BACKLOG = 1, /* the connection's own */
			CONNECTION_PAUSE_PRESSED = 2, /* the connection's own */
			CONNECTION_PAUSE_OWNER = 4,
};
/* Stops reading for the owner's reason; on_read is not called again (not even with bytes that are here) until resumed.
 */
void connection_pause_read(struct connection *conn);
/* Goes on reading; bytes that were left are presented in the next turn of the loop. */
void connection_resume_read(struct connection *conn);
/* Whether the socket is read at all now: not closing, not ended, not paused for any reason. */
bool connection_is_reading(const struct connection *conn);

enum connection_close { CONNECTION_AFTER_FLUSH, CONNECTION_AT_ONCE };
/*
 * Closes. CONNECTION_AFTER_FLUSH: on_flush is called a last time if it was asked for, the backlog drains, the stream is
 * ended, and what the peer still sends is thrown away until it ends too (or linger_ms pass), so that it reads our last
 * words. on_closed comes at the end of this tick at the earliest, never from inside this call. Twice is fine; the
 * harder one wins.
 */
void connection_close(struct connection *conn, enum connection_close how);
/* Whether connection_close was called or the connection is dead. */
bool connection_is_closing(const struct connection *conn);

/* Calls on_deadline after delay_ms unless moved or cleared; negative: clears it. There is one per connection. */
void connection_set_deadline(struct connection *conn, int64_t delay_ms);

/* Bytes that the kernel did not take yet. */
size_t connection_backlog_bytes(const struct connection *conn);

/* Who is at the other end: as accepted, as the PROXY header says, or as set. A loan. */
const struct address *connection_peer(const struct connection *conn);
/* The true address, when a trusted proxy names it in a header. 0, or -EUSERS, and nothing is changed: too many of it.
 */
int connection_set_peer(struct connection *conn, const struct address *peer) __attribute__((warn_unused_result));
/* Whether the bytes travel encrypted (TLS, or a PROXY header that says so). */
bool connection_is_secure(const struct connection *conn);
struct shard *connection_shard(const struct connection *conn);
struct net_shard *connection_net(const struct connection *conn);

#endif
