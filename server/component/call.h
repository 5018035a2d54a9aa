/*
 * call - a request of a client on its way through a component, and the reply that it will get.
 *
 * While a function of the author runs, its call and live_reply are on the stack. If the reply is deferred, a
 * live_deferred on the heap takes their place and names client and component by handles, so both may vanish meanwhile.
 * A call is completed exactly once. Threads: [shard] of the component.
 */
#ifndef SERVER_COMPONENT_CALL_H
#define SERVER_COMPONENT_CALL_H

#include <stdbool.h>

#include <live/component.h>

#include "core/str.h"
#include "shard/shard.h"

struct component_shard;

enum call_kind {
	CALL_ACTION,   /* answered with ACTION_RESPONSE */
	CALL_WRITE,    /* of a singleton's property or state: answered with MESSAGE_RESPONSE */
	CALL_ON_MOUNT, /* the hook of that name */
};

/* A program that asked instead of a client (live_registry_execute). */
struct call_asker {
	/* Called once: error NULL: it went well, with result (a loan, may be NULL). [shard], or when the shard ends */
	void (*done)(struct call_asker *self, const live_value *result, const char *error);
};

struct call {
	enum call_kind kind;
	bool expect_response;
	bool holds;              /* the client is held until this is answered or deferred */
	struct handle client;    /* whom to answer */
	const live_auth *auth;   /* who asks, for the time of the call; NULL: nobody */
	const char *connection;  /* through which, for the time of the call; NULL: through none */
	struct str component_id; /* as the client wrote it */
	struct str action;
	struct str request_id;    /* ptr NULL: none */
	int64_t began_ns;         /* an action's: when it came to its component */
	int64_t took_ns;          /* its function, when that returned without deferring; else 0 */
	struct call_asker *asker; /* NULL: a client */
	struct str source; /* the port of another node that forwarded it, and answers its client; ptr NULL: none */
};

/* The author's live_reply. */
struct live_reply {
	const struct call *call;
	live_component *component;
	const live_value *result; /* ours */
	char *error;              /* ours */
	live_deferred *deferred;  /* from now on it completes the call */
};

/* Runs after the author's function returned rc: completes the call unless it was deferred, and frees what reply holds.
 */
void call_end(struct live_reply *reply, int rc);
/* Completes a call of component: result (a loan, may be NULL) or error (ptr NULL: success). */
void call_complete(live_component *component, const struct call *call, const live_value *result, struct str error);
/* Tells the program that asked; it is told once. */
void call_tell_asker(const struct call *call, const live_value *result, struct str error);
/* text of an author as text for a client: UTF-8 in any case, else clients end the connection. In the tick's memory, or
 * text itself. */
struct str call_clean_text(struct component_shard *here, const char *text);
/* The component has ended before it answered: tells the client of an action to come back. (A mount was answered when
 * the component ended.) */
void call_lost(struct component_shard *here, const struct call *call);

#endif
