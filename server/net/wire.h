/*
 * wire - the seam between a connection and its socket: plain recv and send, or TLS.
 *
 * A connection reads and writes through this table alone. A wire keeps its own state (wire_state) and may ask for
 * the socket to be watched for the other direction than the caller would expect (a TLS read that must write first) by
 * connection_watch. What one may get wrong: a wire that holds decrypted bytes must say so in has_pending, or they wait
 * for bytes that never come. Threads: [shard].
 */
#ifndef SERVER_NET_WIRE_H
#define SERVER_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct connection;

struct wire {
	/* Goes on with the handshake: 0 done, -EAGAIN (watch for more), -errno. NULL: there is none. Called before
	 * anything is read or written, whenever the socket is ready. */
	int (*handshake)(struct connection *conn, void *state);
	/* Up to room bytes: how many came (at least 1), 0 when the peer ended the stream in order, -EAGAIN, -errno. */
	ssize_t (*read)(struct connection *conn, void *state, char *to, size_t room);
	/* How many of len bytes went (at least 1), -EAGAIN, -errno. After -EAGAIN the same bytes (perhaps more behind
	 * them, perhaps at another address) come again. */
	ssize_t (*write)(struct connection *conn, void *state, const char *bytes, size_t len);
	/* How many of the bytes that write did not take must come again as they were. NULL: none. */
	size_t (*held)(const void *state);
	/* Bytes are here that the socket will not announce. NULL: never. */
	bool (*has_pending)(struct connection *conn, void *state);
	/* Our half ends: tells the peer so. */
	void (*end)(struct connection *conn, void *state);
	/* Frees state; the descriptor is the connection's. NULL is fine. */
	void (*free)(void *state);
	bool is_secure;
};

/* Plain TCP and unix sockets. */
extern const struct wire wire_plain;

/* Puts wire under a connection that has not read or written yet (right after connection_new). Gives state away. A
 * handshake must be done within deadline_ms. */
void connection_set_wire(struct connection *conn, const struct wire *wire, void *state, int64_t deadline_ms);
/* The descriptor, for the wire's own calls. */
int connection_fd(const struct connection *conn);
/* Calls the interrupted handshake, read or write again when the socket is writable. */
void connection_watch_write(struct connection *conn);
/* In the handshake, which then returns -EAGAIN: it is not called again, whatever the socket has, before ... */
void connection_hold_handshake(struct connection *conn);
/* ... this goes on with it at once. Does nothing when the connection has died meanwhile. */
void connection_resume_handshake(struct connection *conn);

#endif
