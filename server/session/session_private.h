/*
 * session_private - the inside of a session, for the files of this folder. Threads: [shard].
 */
#ifndef SERVER_SESSION_SESSION_PRIVATE_H
#define SERVER_SESSION_SESSION_PRIVATE_H

#include "server/component/client.h"
#include "server/session/session.h"
#include "shard/shard.h"

struct message;
struct mounted;

struct session {
	struct client client;
	struct session_shard *here;
	struct rate_bucket bucket;
	union {                   /* open or closed */
		struct list link; /* session_shard->sessions */
		struct grave grave;
	};
	uint32_t messages_in;
	uint32_t messages_out;     /* pushes and replies; several may share one frame */
	uint16_t errors;           /* messages that were refused, as many as fit */
	uint16_t holds;            /* answers that later messages must wait for */
	uint8_t reconnects;        /* times that its client came back, as far as it is known and fits */
	bool knows_generation : 1; /* the first message told whether it is an older client */
	bool is_greeted : 1;
	bool is_closed : 1;
	char id[]; /* client.id */
};

/* Where its transport is; only while it is not closed. */
static inline struct transport *session_transport(const struct session *session)
{
	return session->client.outbox.transport;
}
/* What session has mounted under id, or NULL. */
struct mounted *session_find_mounted(struct session *session, struct str id);
/* Has the message done, which is in good shape. */
void route_message(struct session *session, const struct message *message);

#endif
