/*
 * client - one WebSocket client: its socket, and what the generator knows of it.
 *
 * A client belongs to one worker for the whole run; nobody else touches it, except its flight (atomic) and, after the
 * workers have ended, the final check. This module moves bytes only; session.c knows what they mean. It holds no buffer
 * while nothing is unfinished, so that tens of thousands fit.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "clients/bench/inbox.h"
#include "clients/bench/sequence.h"

#define CLIENT_ID_MAX 64

/* The steps a client climbs; it waits for the server in those named -ING. */
enum client_stage {
	CLIENT_CLOSED,
	CLIENT_CONNECTING,
	CLIENT_UPGRADING,
	CLIENT_GREETING, /* upgraded; CONNECTION_ESTABLISHED has not come */
	CLIENT_OPEN,
	CLIENT_MOUNTING,
	CLIENT_MOUNTED,
	CLIENT_JOINING,
	CLIENT_JOINED,
	CLIENT_CLOSING,
};

/* Where clients connect to. */
struct endpoint {
	struct sockaddr_in address;
	char host[128]; /* as in the Host header */
	char path[256];
};

/* The events of one sender that not all members have yet; for load with a window. */
struct flight {
	_Atomic uint64_t completed; /* written by whoever delivers the last copy, read by the sender's worker */
	uint32_t mask;
	_Atomic uint32_t left[]; /* by event number & mask: copies still to come */
};

struct client {
	int fd;
	enum client_stage stage;
	enum client_stage goal;
	bool is_slow;     /* does not read once it has reached its goal */
	bool wants_write; /* epoll tells when the backlog can go on */
	uint32_t index;
	uint32_t room;
	uint32_t member;    /* place in its room; the first `senders` members send */
	uint32_t endpoint;  /* which URL */
	uint32_t request;   /* number of the last request */
	uint32_t answered;  /* number of the last reply */
	uint32_t events;    /* sent */
	uint64_t began_ns;  /* of the climb, or its intended beginning */
	uint64_t offset_ns; /* of its sends within the interval, when paced */
	uint64_t seed;      /* of its handshake */
	uint64_t counted;   /* "count" of the last delta */
	uint64_t system;    /* "count" of the last ROOM_SYSTEM */
	size_t id_length;
	char id[CLIENT_ID_MAX + 1]; /* of its component */
	struct sequence sequence;   /* of what it receives */
	struct buffer event_start;  /* how the last event that was read in full began, up to its data */
	struct inbox inbox;
	struct buffer backlog; /* bytes the socket did not take */
	struct flight *flight; /* NULL unless it sends with a window */
	uint64_t *asked_ns;    /* ring: when request & asked_mask was, or should have been, sent */
	uint32_t asked_mask;
};

/*
 * Opens the socket and starts to connect, from a loopback address of its own kind if `source` is not NULL, and watches
 * it with `epoll_fd`. 0 or negative errno.
 */
int client_connect(struct client *client, int epoll_fd, const struct endpoint *endpoint,
		   const struct sockaddr_in *source);

/* After the first writability: 0 if the connection stands, or negative errno. */
int client_connect_result(const struct client *client);

/* Sends bytes, behind any backlog. 0 or negative errno; a full socket is no error. */
int client_send(struct client *client, int epoll_fd, const struct buffer *out);

/* The socket is writable: goes on with the backlog. 0 or negative errno. */
int client_flush(struct client *client, int epoll_fd);

/* Reads once. Bytes read, 0 at the end of the stream, -EAGAIN, or another negative errno. */
ssize_t client_receive(const struct client *client, void *bytes, size_t size);

/* Stops or resumes being told of what arrives. */
void client_watch(struct client *client, int epoll_fd, bool read);

/* Closes the socket and forgets what belonged to the connection. */
void client_close(struct client *client);

/* Gives everything back. */
void client_deinit(struct client *client);

#endif
