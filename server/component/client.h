/*
 * client - what components see of a client: its outbox, its name, who it is, what it has mounted.
 *
 * Embedded in the session that owns it, on the session's shard. Whoever is on another shard names it by its handle, and
 * answers it with client_answer. Threads: [shard] of the client, but for client_answer.
 */
#ifndef SERVER_COMPONENT_CLIENT_H
#define SERVER_COMPONENT_CLIENT_H

#include <stdbool.h>

#include <live/auth.h>

#include "core/list.h"
#include "core/str.h"
#include "server/protocol/outbox.h"
#include "shard/shard.h"

struct client;
struct component_shard;

struct client_ops {
	/* No further message of this client is handled until release: its next one may depend on the answer. Counted.
	 */
	void (*hold)(struct client *client);
	void (*release)(struct client *client);
	/* It had been here before, and came back for the times-th time at least. */
	void (*came_back)(struct client *client, unsigned times);
};

struct client {
	struct outbox outbox;
	struct list mounted; /* of struct mounted */
	const struct client_ops *ops;
	struct component_shard *home;
	struct handle handle;
	const char *id;        /* of the connection */
	const live_auth *auth; /* ours: who it is signed on as; NULL: nobody */
	uint16_t mounted_count;
	uint16_t room_joins; /* rooms that it joined by ROOM_JOIN */
	uint32_t opened_s;   /* when it connected, since 1970 */
};

/* A pointer to here's copy in the tick's memory of what was written to the shard's scratch buffer. */
struct str scratch_take(struct component_shard *here);

/* [shard] Answers the client named by handle, wherever it is, with reply (copied), after flushing what came before.
 * release: it was held for this answer. Not for a client that is gone. */
void client_answer(struct component_shard *here, struct handle client, struct str reply, bool release);

#endif
