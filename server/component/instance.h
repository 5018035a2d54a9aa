/*
 * instance - a live component: its place in the world, its state, and how its pushes reach its clients.
 *
 * An instance of an ordinary component belongs to one client and lives on that client's shard. A singleton belongs to
 * no client: it has an audience, the clients of all shards that mounted it, and reaches them by mail (singleton.h).
 * Destroyed instances stay readable until the end of the tick.
 *
 * Threads: [shard].
 */
#ifndef SERVER_COMPONENT_INSTANCE_H
#define SERVER_COMPONENT_INSTANCE_H

#include <stdbool.h>

#include <live/component.h>

#include "core/id.h"
#include "core/list.h"
#include "pubsub/rooms.h"
#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/protocol/outbox.h"
#include "server/security/backups.h"
#include "shard/shard.h"

struct audience;
struct broadcast;
struct call;
struct proxy;
struct room_name;
struct trace_notes;

/* What a client can name by a component id: an instance of its own, or its part in a singleton. */
struct mounted {
	struct list link;         /* client->mounted */
	struct client *client;    /* NULL: a singleton itself */
	live_component *instance; /* NULL: the client's part in a singleton */
	struct proxy *proxy;      /* of that singleton */
	struct list memberships;  /* rooms that it is in */
	struct str id;
};

/* What most components have no need of, or not while they are idle. */
struct instance_extra {
	live_component *component;
	struct timer renewal;        /* of the signature */
	struct backups backups;      /* of the states that were signed */
	const live_auth *auth;       /* ours: of the client that mounted it; NULL: nobody */
	struct broadcast *broadcast; /* what it hears in its own room; NULL without one */
	struct room_name *room;      /* ours: of the room that it subscribed to; NULL: its room is that of the mount */
	struct room_member bus_name; /* never joins: leaves the component's own events out of its handlers */
	struct map rates;            /* of rate_window: how often each client called */
	struct list bus_watches;     /* handlers by live_on_room_event */
	void *moved_memory;          /* ours: its private memory since it was moved to newer code; NULL: it never was */
	struct trace_notes *notes;   /* ours: for the debugger, while it is on; else NULL */
};

struct live_component {
	struct mounted mounted;
	struct component_shard *home;
	const struct definition *definition;
	const live_value *state; /* ours */
	struct pending_delta pending;
	struct sender sender;         /* its strings are in text */
	struct audience *audience;    /* singletons; else NULL */
	struct list timers;           /* of live_timer */
	struct instance_extra *extra; /* ours; NULL until needed */
	int64_t signed_ms;            /* when it was signed last */
	uint64_t version;             /* of the last signature */
	struct call *mounting;        /* the mount that waits for rooms or on_mount; NULL: it was answered */
	uint32_t action_count;        /* these three for the statistics */
	uint32_t state_change_count;
	uint16_t error_count; /* as many as fit */
	uint16_t mount_ms;    /* that its mount took, as many as fit */
	uint16_t mount_waits; /* for what the mount waits */
	bool in_state_change; /* on_state_change runs */
	bool is_dead;
	struct handle handle;     /* unset until somebody needs it */
	uint32_t active_s;        /* when it was called or changed last: seconds of the monotonic clock */
	union {                   /* alive or dead */
		struct list link; /* component_shard->instances */
		struct grave grave;
	};
	/* Behind it: its private memory, then the texts of sender. */
};

/* Where an instance's private memory begins, aligned for anything. */
#define INSTANCE_HEAD ((sizeof(live_component) + 15) & ~(size_t)15)

struct instance_options {
	const struct definition *definition;
	struct client *client;   /* NULL: a singleton */
	const live_value *state; /* given away */
	struct str id;           /* empty: a new one */
	struct str room;         /* may be empty */
	const live_auth *auth;   /* who mounts it, or NULL */
	uint64_t version;        /* of the signature that it starts from */
};

/* A registered instance with a fresh id; no hook has run yet. Never NULL. */
live_component *instance_new(struct component_shard *here, const struct instance_options *options);
/* on_destroy, leaves all rooms, stops timers, forgets its clients. Twice is fine. */
void instance_destroy(live_component *self);
/* Pushes a message (JSON text of any lifetime) to its client or clients, after the deltas that are pending. */
void instance_push(live_component *self, struct str json);
/* The same with one that others of this shard get as well; shared must live until the end of the tick. */
void instance_push_shared(live_component *self, struct shared_text *shared);
/* What self has besides, made when it is first asked for. */
struct instance_extra *instance_extra(live_component *self);
/* The handle of self, opened when it is first asked for; it finds nothing once self is dead. */
struct handle instance_handle(live_component *self);

/* A function of its author is about to run: says so to the watchdog. what: static text, or the definition's. Give what
 * it returns to instance_leave when the function has returned. */
static inline struct shard_job instance_enter(const live_component *self, const char *what)
{
	return shard_say_job(self->home->shard, (struct shard_job){self->definition->api->name, what});
}

static inline void instance_leave(const live_component *self, struct shard_job before)
{
	shard_say_job(self->home->shard, before);
}

/* ---- state (state.c) ---- */

/* Merges patch (borrowed) into the state: one delta at the end of the tick, then on_state_change. */
void instance_set_state(live_component *self, const live_value *patch);
/* The same; source, for the debugger, is how it was changed: "setState" (as above), "proxy" (one key of it). */
void instance_change(live_component *self, const live_value *patch, const char *source);
/* Writes the signed state, of the next version, to scratch and returns it in the tick's memory. */
struct str instance_sign(live_component *self);
/* Readies the timer of extra that renews the signature. */
void instance_init_renewal(live_component *self);
/* No signature is due any more. */
void instance_cancel_renewal(live_component *self);
/* Pushes the full state, with a fresh signature, of those components of a client whose deltas were left out while it
 * was behind. */
void client_catch_up(struct client *client);

#endif
