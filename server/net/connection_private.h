/*
 * connection_private - what a connection and a net_shard are made of: for server/net alone.
 *
 * A connection's state is the list it is on; connection_move alone moves it. Idle connections are many, so what only
 * some need (input that was not consumed, output that waits, the opening) is allocated when it is needed. Threads:
 * [shard].
 */
#ifndef SERVER_NET_CONNECTION_PRIVATE_H
#define SERVER_NET_CONNECTION_PRIVATE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/list.h"
#include "core/map.h"
#include "server/net/address.h"
#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "server/net/proxy.h"
#include "server/net/wire.h"
#include "shard/shard.h"
#include "shard/wheel.h"

enum connection_state {
	CONN_OPENING, /* a PROXY header or a handshake comes first; nothing is presented or sent */
	CONN_OPEN,
	CONN_PRESSED,   /* open, but reading stopped until the shard's mail is delivered */
	CONN_DRAINING,  /* closing: what was composed goes out, nothing is presented */
	CONN_LINGERING, /* closing: our half has ended, what comes is thrown away until the peer ends too */
	CONN_DYING,     /* on_closed is called at the end of this tick */
	CONN_DEAD,      /* told; the descriptor is closed in the next turn of the loop, then it is buried */
};
enum { CONN_LISTS = CONN_DEAD + 1 };

struct tail { /* input that the owner did not consume */
	uint32_t len;
	uint32_t cap;
	char bytes[];
};

struct opening { /* what must be done before the owner hears of the connection */
	struct timer timer;
	struct connection *conn;
	struct proxy_reader proxy;
	int64_t handshake_ms;
	bool awaits_proxy;
	bool awaits_handshake;
	bool is_held; /* by the wire, which goes on with the handshake when it will */
};

struct chunk { /* a piece of a backlog */
	struct chunk *next;
	int64_t born_ms; /* when its first byte began to wait */
	uint32_t start;
	uint32_t end;
	uint32_t cap;
	char bytes[];
};

struct backlog { /* output that the kernel did not take, and the wish to know when it does */
	struct event event;
	struct timer timer; /* the next mark by age */
	struct connection *conn;
	struct chunk *first;
	struct chunk *last;
	size_t bytes;
	size_t begun; /* bytes at the front that belong to a piece that is partly sent */
	bool soft;    /* above the soft mark since it was last empty */
};

struct host { /* an address and how many connections it has here */
	struct map_entry by_address;
	uint32_t count;
	uint8_t key[sizeof(((struct address *)0)->bytes) + 1]; /* family, and what of the address counts */
};

struct connection {
	struct event event; /* reading */
	/* Touched by each message. */
	struct net_shard *net;
	const struct connection_ops *ops;
	void *owner;
	const struct wire *wire;
	void *wire_state;
	struct tail *tail;
	struct backlog *backlog;
	union {                    /* alive or dead */
		struct list dirty; /* net->dirty, or on no list */
		struct grave grave;
	};
	int fd;
	uint8_t state;         /* enum connection_state */
	uint8_t pauses;        /* enum connection_pause */
	bool flush_wanted : 1; /* the owner asked for on_flush */
	bool condemned : 1;    /* over a hard mark: that is counted, and the last words are on their way */
	bool orderly : 1;      /* both halves ended: nothing is cut off by closing */
	bool ended : 1;        /* the peer ended its half */
	bool reading : 1;      /* the event is added */
	bool look_again : 1;   /* reading resumed: what is left of the last read must be presented */
	bool secure_proxy : 1; /* the PROXY header says that the client's way is encrypted */
	/* Touched at its beginning and end. */
	int error;
	struct list link; /* net->lists[state] */
	struct timer deadline;
	const struct connection_options *options;
	struct opening *opening;
	struct host *host;
	struct address peer;
};

struct net_shard {
	struct shard *shard;
	struct net_options options;
	struct net_counters counters;
	char *receive; /* options.receive_bytes */
	struct buf staging;
	struct list dirty;
	struct tick_task flush;
	struct tick_task funeral;
	struct tick_task goodbye; /* to those that came to an owner while all end */
	struct relief relief;
	struct list lists[CONN_LISTS];
	struct map hosts;
	struct net_attachment *attachments[NET_SLOTS];
	struct grave grave;
	size_t count;
	bool ending;
};

/* ---- net_shard.c ---- */

/* Asks all to end, also those that were asked: the tick task. */
void net_say_goodbye(struct tick_task *task, struct shard *here);

/* ---- connection.c ---- */

/* Its owner is new to it: if all end, it hears so, too. */
void connection_heed_end(struct connection *conn);
/* The last call to the owners of those that died in this tick: the tick task. */
void connection_end_all(struct tick_task *task, struct shard *here);
/* Closes the descriptors of the dead now: only when the loop will not turn again. */
void connection_bury_all(struct net_shard *net);
/* Those that stopped for the shard's mail go on. */
void connection_relieve_all(struct relief *relief, struct shard *here);
/* Moves conn to state along an edge that exists. */
void connection_move(struct connection *conn, enum connection_state state);
/* Ends it now: nothing is read or sent any more, on_closed(error) comes at the end of this tick. cause counts it. */
void connection_fail(struct connection *conn, int error, counter *cause);
/* Adds or removes the reading event as state and pauses say. */
void connection_update_reading(struct connection *conn);
void connection_set_pause(struct connection *conn, enum connection_pause cause, bool on);
/* The owner is told that the peer ended its half. */
void connection_tell_end(struct connection *conn);
static inline bool connection_is_open(const struct connection *conn)
{
	return conn->state == CONN_OPEN || conn->state == CONN_PRESSED;
}
/* How many of the bytes that wait must be offered to the wire again as they were. */
static inline size_t wire_held(const struct connection *conn)
{
	return conn->wire->held ? conn->wire->held(conn->wire_state) : 0;
}
static inline bool connection_is_over(const struct connection *conn)
{
	return conn->state >= CONN_DYING;
}

/* ---- opening.c ---- */

/* Goes on with the PROXY header and the handshake; the connection may be open, or dying, afterwards. */
void opening_continue(struct connection *conn);
/* Makes the opening of conn if there is none. */
struct opening *opening_require(struct connection *conn);
/* Arms the deadline of what comes next. */
void opening_arm(struct connection *conn);
void opening_free(struct connection *conn);

/* ---- reader.c ---- */

/* The read event's function; argument is the connection. */
void reader_on_event(evutil_socket_t fd, short what, void *argument);

/* ---- writer.c ---- */

/* Sends bytes behind what waits; what does not go is kept in the backlog. The connection may be dying afterwards. */
void writer_send(struct connection *conn, const char *bytes, size_t len);
/* Flushes every dirty connection of the shard: the tick task. */
void writer_flush_all(struct tick_task *task, struct shard *here);
/* The write event's function: drains the backlog within its budget. */
void writer_on_writable(struct connection *conn);
/* Holds the backlog against its marks by age, and arms the timer for the next of them. */
void writer_check_age(struct connection *conn);
/* Closing: once nothing waits, ends our half. */
void writer_finish(struct connection *conn);

/* ---- backlog.c ---- */

/* The connection's backlog, made if there is none. */
struct backlog *backlog_require(struct connection *conn);
/* NULL is fine. */
void backlog_free(struct connection *conn);
/* 0, or -ENOMEM, -ENOBUFS over the hard mark. */
int backlog_append(struct connection *conn, const char *bytes, size_t len) __attribute__((warn_unused_result));
/* The oldest bytes, at least one. */
struct str backlog_front(const struct backlog *backlog);
void backlog_consume(struct connection *conn, size_t len);
/* Drops all but what is left of the piece that is partly sent and what the wire holds; counts it. False when that is
 * not whole here: then nothing can follow it. */
bool backlog_cut(struct connection *conn);
/* All that waits now is to be taken for one piece: it is another owner's. */
void backlog_seal(struct connection *conn);
int64_t backlog_age_ms(const struct backlog *backlog);

/* ---- hosts.c ---- */

/* Counts conn for its address. 0, or -EUSERS when the address has its share. */
int hosts_add(struct connection *conn) __attribute__((warn_unused_result));
void hosts_remove(struct connection *conn);

#endif
