/*
 * acceptor - the thread that accepts connections and deals them out to the shards.
 *
 * One thread for all listening sockets (IPv4, IPv6, unix, or inherited descriptors). It accepts in small batches, so
 * that one busy listener does not starve another, and mails each socket to a shard. At the limit of connections it
 * stops listening instead of accepting and closing; out of descriptors it pauses and says so once.
 */
#ifndef SHARD_ACCEPTOR_H
#define SHARD_ACCEPTOR_H

#include <stdint.h>
#include <sys/socket.h>

#include "core/counter.h"

struct acceptor;
struct shard;
struct shard_group;

/* Whom the next socket goes to. "Least" counts what the shards have in their load counter and what is on its way to
 * them, so on_accept must add to the load before it returns. */
enum accept_policy { ACCEPT_LEAST_CONNECTIONS, ACCEPT_ROUND_ROBIN, ACCEPT_RANDOM };

struct accepted { /* a socket on its way to its shard */
	int fd;   /* non-blocking, close-on-exec; the receiver's from now on */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	void *listener_tag; /* as given to acceptor_listen_* */
};

struct acceptor_options {
	enum accept_policy policy;
	unsigned batch;           /* at least 1: accepts per listener and turn */
	uint64_t max_connections; /* over all shards; when there are so many, nothing is accepted. 0: no limit */
	/* [mail] Called on the chosen shard, which owns the socket from then on. TCP_NODELAY is set. */
	void (*on_accept)(struct shard *here, const struct accepted *accepted, void *argument);
	void *argument;
};

struct acceptor_counters { /* written by the acceptor's thread, read [any] */
	counter accepted;
	counter failed; /* accept(2) said no for other reasons than "nothing there" */
	counter paused; /* times that it stopped accepting, for want of descriptors or at the limit */
};

/* [start] Builds one for the running or coming shards of group. 0 or -errno (-EINVAL: options out of range). */
int acceptor_new(struct acceptor **out, struct shard_group *group, const struct acceptor_options *options)
	__attribute__((warn_unused_result));
/* [start] Listens on host (name or address, "" or "*" for all, IPv6 with or without brackets) and port (0: a free one);
 * tag comes back with each socket. *bound_port gets the port (may be NULL). A name with several addresses is bound on
 * all. 0 or -errno (-ENOENT: unknown name). */
int acceptor_listen_tcp(struct acceptor *acceptor, const char *host, unsigned port, void *tag, unsigned *bound_port)
	__attribute__((warn_unused_result));
/* [start] Listens on a unix socket at path; a dead socket file there is replaced, a live one is -EADDRINUSE. The file
 * is removed when the acceptor stops, if it is still the same. */
int acceptor_listen_unix(struct acceptor *acceptor, const char *path, void *tag) __attribute__((warn_unused_result));
/* [start] Uses a socket that listens already; the descriptor is the acceptor's from then on. 0, or -errno (-ENOTSOCK,
 * -EINVAL: it does not listen) and it stays the caller's. */
int acceptor_listen_fd(struct acceptor *acceptor, int fd, void *tag) __attribute__((warn_unused_result));
/* [start] As acceptor_listen_fd, for a socket of the process that this one takes the place of: the file of a unix
 * socket is the acceptor's, too. */
int acceptor_take_over(struct acceptor *acceptor, int fd, void *tag) __attribute__((warn_unused_result));
/* [any] Calls each for every listening socket; not while or after it stops. */
void acceptor_each_fd(const struct acceptor *acceptor, void (*each)(void *argument, int fd, void *tag), void *argument);
/* [any, not while it stops] Another process has the sockets, too: files of unix sockets stay when this one stops. */
void acceptor_keep_files(struct acceptor *acceptor);
/* [start] Starts the thread. At most once. 0 or -errno. */
int acceptor_start(struct acceptor *acceptor) __attribute__((warn_unused_result));
/* [any but a shard] Closes the listening sockets, ends the thread. What was accepted stays. Twice is fine. */
void acceptor_stop(struct acceptor *acceptor);
/* Stops if need be and frees. Only when the shards have stopped, since sockets on their way refer to it. NULL is fine.
 * [start] */
void acceptor_free(struct acceptor *acceptor);
const struct acceptor_counters *acceptor_counters(const struct acceptor *acceptor); /* [any] */

#endif
