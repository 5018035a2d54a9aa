/*
 * mount - how an instance comes to a client: mounting afresh, coming back with signed state, and going away; in the
 * order of hooks and frames that behaviour.md section 2 gives.
 *
 * A mount is answered when on_mount has returned (or its deferred reply has come) and the rooms that it joined have
 * answered; the client is held until then. Threads: [shard] of the component.
 */
#ifndef SERVER_COMPONENT_MOUNT_H
#define SERVER_COMPONENT_MOUNT_H

#include <live/component.h>

#include "core/str.h"
#include "server/component/instance.h"

struct call_asker;

/* The state is larger than any message may be. */
#define MOUNT_TOO_LARGE "State is too large to send"

struct mount_request {
	struct str name;                /* of the component, as the client wrote it */
	struct str component_id;        /* as the client wrote it; ptr NULL: absent */
	struct str request_id;          /* ptr NULL: absent */
	struct str room;                /* may be empty */
	struct str debug_label;         /* for the debugger; may be empty */
	const char *connection;         /* a singleton's: of the client */
	const live_value *props;        /* a loan; may be NULL */
	const live_value *signed_state; /* rehydration: a loan */
	bool rehydrates;                /* answered as such; else a mount */
	struct call_asker *asker;       /* the program that mounts it, and is answered instead; NULL: the client */
};

/* Mounts or rehydrates for client and answers it, now or later. */
void mount_run(struct client *client, const struct mount_request *request);
/* The client lets go of what it mounted. */
void mount_unmount(struct mounted *mounted);
/* The client is gone: everything that it mounted ends. */
void mount_disconnect(struct client *client);

/* ---- for the steps that a mount waits for ---- */

/* A new instance that is about to be mounted: pushes its state, runs on_connect and the further hooks, and answers to
 * call's client when all is done. previous: the state that it came back with, or NULL. */
void mount_begin(live_component *self, const struct mount_request *request, struct handle client,
		 const live_value *previous);
/* An instance that was moved to newer code: runs on_rehydrate (previous: the state that it had) and on_mount. */
void mount_again(live_component *self, const live_value *previous);
/* The default state of definition with the keys of given (a loan, may be NULL) over it. The caller owns it. */
const live_value *mount_initial_state(const struct definition *definition, const live_value *given);
/* What a program is told that mounted it: {componentId, initialState, signedState}; the caller owns it. */
const live_value *mount_result(struct str id, const live_value *state, struct str signed_state);
/* A room that on_mount joined has answered. */
void mount_join_done(live_component *self);
/* on_mount is done; error ptr NULL: well. */
void mount_hook_done(live_component *self, struct str error);
/* The instance ends before its mount was answered: answers with a failure. */
void mount_abandon(live_component *self);

#endif
