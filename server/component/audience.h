/*
 * audience - the clients that mounted a singleton, as its home knows them, and how what it says reaches them.
 *
 * There is one per singleton that clients of this node have mounted, on the shard that its name hashes to. On a node
 * that is alone it begins and ends with the instance. In a cluster it may go on without one: the instance may live on
 * another node, come here when that one leaves, and go (singleton_cluster.h). An audience that has ended stays readable
 * until the end of the tick.
 *
 * Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_AUDIENCE_H
#define SERVER_COMPONENT_AUDIENCE_H

#include <stdbool.h>

#include <live/component.h>

#include "core/diff.h"
#include "core/map.h"
#include "core/str.h"
#include "server/component/component_shard.h"
#include "server/protocol/encode.h"
#include "shard/shard.h"

struct clustered;
struct definition;

struct listener {                   /* one client */
	struct map_entry by_client; /* audience->listeners */
	struct handle client;
	uint32_t key[3]; /* of client: without the padding of a handle */
	bool is_legacy;
	size_t connection_len;
	char connection[]; /* NUL-terminated */
};

struct audience {
	struct map_entry by_name; /* component_shard->singletons */
	struct component_shard *here;
	const struct definition *definition;
	struct sender sender;        /* of the instance; as long as that is not here: its id alone, which is in id */
	live_component *component;   /* NULL: not here */
	struct clustered *clustered; /* what the cluster knows of it; NULL: the node is alone */
	struct map listeners;
	unsigned count;
	unsigned legacy_count;
	unsigned shards;
	struct tick_task task; /* sends the delta that is pending */
	struct grave grave;
	char *id;            /* ours, or NULL */
	unsigned on_shard[]; /* clients there */
};

/* A new one, without clients and instance, that is found by audience_find. */
struct audience *audience_new(struct component_shard *here, const struct definition *definition);
/* The one of definition, or NULL. */
struct audience *audience_find(struct component_shard *here, struct str name);
/* It ends: tells its clients' shards so, and forgets them. */
void audience_end(struct audience *audience);
/* The id that its clients know the singleton by. An instance has its own; this is for the time without one. */
void audience_set_id(struct audience *audience, struct str id);

struct listener *audience_listener(struct audience *audience, struct handle client);
/* Adds a client, which must not be there yet, and tells its shard. */
void audience_add(struct audience *audience, struct handle client, bool is_legacy, struct str connection);
/* Drops a client; the listener is freed. */
void audience_drop(struct audience *audience, struct listener *listener);

/* Sends text (copied) to all clients. */
void audience_publish(struct audience *audience, struct str text);
/* Sends a change of state, which is next by now, to all but those that are too slow: these ask for the whole of it once
 * they have caught up. */
void audience_publish_delta(struct audience *audience, const live_value *delta, const live_value *next);
/* The same for what diff_states found (delta set); gives the steps away. */
void audience_publish_steps(struct audience *audience, const struct diff_steps *steps, const live_value *next);
/* Sends text (copied), an update with the whole state, to one. */
void audience_publish_state(struct audience *audience, struct handle client, struct str text);

#endif
