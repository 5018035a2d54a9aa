/*
 * session - a client as the server knows it: its connection id, its limits, its outbox, its components.
 *
 * A transport brings its messages in and carries what the outbox composes; the session does not know which. Messages of
 * one session are handled strictly in order: while one waits for an answer that later ones may depend on (a mount, a
 * room to join), the transport is paused. Everything a peer can do wrong ends in an error to that peer.
 *
 * Threads: [shard] of the connection, but for the counters, which are read [any].
 */
#ifndef SERVER_SESSION_SESSION_H
#define SERVER_SESSION_SESSION_H

#include <stddef.h>

#include "core/buf.h"
#include "core/counter.h"
#include "core/id.h"
#include "core/list.h"
#include "server/protocol/transport.h"
#include "server/security/rate_limit.h"

struct client;
struct component_shard;
struct session;
struct shard;

struct session_settings {         /* shared, read-only */
	struct rate_limit rate;   /* messages of one client */
	unsigned max_depth;       /* of nesting in a message */
	size_t max_message_bytes; /* of a binary message; of a text, UTF-16 code units */
	struct id_source ids;     /* of connections */
};

struct session_counters {
	counter sessions; /* open now */
	counter opened;
	counter messages_in;
	counter rate_limited;
	counter bad_messages; /* answered with an error before they reached a handler */
	counter behind;       /* times that a client fell behind its soft mark */
};

/* What the sessions of one shard share. */
struct session_shard {
	struct shard *shard;
	struct component_shard *components;
	const struct session_settings *settings;
	struct list sessions;
	struct session_counters counters;
};

void session_shard_init(struct session_shard *here, struct shard *shard, struct component_shard *components,
			const struct session_settings *settings);

/* A session on transport, which must outlive it; signs the client on by token (from its address; may be empty) and
 * greets it. Never NULL. */
struct session *session_open(struct session_shard *here, struct transport *transport, struct str token);
/* One text message came; text is valid during the call. */
void session_message(struct session *session, struct str text);
/* A binary message of len bytes came: it is refused. */
void session_binary(struct session *session, size_t len);
/* The end of a tick in which the transport was asked to flush: composes what is to be sent. */
void session_compose(struct session *session, struct buf *out);
/* The client does not take what it is sent: from now on state is collapsed. */
void session_fell_behind(struct session *session);
/* It took everything: it gets the full state of what was collapsed. */
void session_caught_up(struct session *session);
/* The connection is gone: its components end. The session is freed at the end of the tick. */
void session_close(struct session *session);
/* The sessions of a shard, one after the other: session NULL gives the first; NULL at the end. */
struct session *session_next(struct session_shard *here, struct session *session);
/* Its rate. */
struct rate_bucket *session_bucket(struct session *session);

struct session_figures {
	int64_t last_message_ms; /* wall clock; when it connected, before the first */
	uint32_t messages_in, messages_out;
	unsigned errors;        /* messages that were refused, as many as fit */
	unsigned held_messages; /* 1: its next message waits for an answer */
	unsigned reconnects;    /* times that its client came back (returns.h), as many as fit */
	/* "connecting": it is not greeted yet; "connected"; "behind": it does not take what it is sent;
	 * "disconnecting": it was told to go. */
	const char *status;
	bool is_active;        /* connected, and no more than that */
	const char *transport; /* "websocket" */
	struct transport_figures way;
};

struct session_figures session_figures(const struct session *session);
/* What components see of it. */
struct client *session_client(struct session *session);
/* Ends the connection from our side. */
void session_end(struct session *session, unsigned code, struct str reason);

#endif
