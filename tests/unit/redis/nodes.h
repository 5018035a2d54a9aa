/*
 * nodes - whole nodes of rooms in one process: shards, links, rooms with the Redis adapter, and guests who keep a
 * diary.
 *
 * A guest's diary has a line for each thing: "JOINED <state>", "<event> <data>". Its state is what its client would
 * hold. Threads: the test's alone.
 */
#ifndef TESTS_UNIT_REDIS_NODES_H
#define TESTS_UNIT_REDIS_NODES_H

#include "core/buf.h"
#include "pubsub/rooms.h"
#include "redis/room_adapter.h"
#include "tools/redis_server.h"
#include "unit/redis/redis_stage.h"

struct cluster {
	struct redis_stage stage;
	struct redis_server *server;
	struct redis_room_options rooms; /* for the nodes to come */
	struct redis_options links;
	int64_t empty_ms;
};

struct room_node {
	struct cluster *cluster;
	struct stage_node *base;
	struct room_adapter *adapter;
	struct rooms *rooms[STAGE_SHARDS_MAX];
};

struct guest {
	struct room_member member;
	struct room_node *node;
	unsigned shard;
	char id[16];
	char room[64];
	struct buf diary;
	const live_value *state; /* owned */
	unsigned answers;        /* to its questions */
	unsigned errors;
	unsigned doubts; /* errors that say that it may have been done */
	char last[128];  /* the last answer: its error, or JSON */
};

struct cluster *cluster_new(const char *server_options);
/* All nodes must be gone. */
void cluster_free(struct cluster *cluster);
/* Runs until check(context), which must come; or for so long. */
void cluster_until(struct cluster *cluster, bool (*check)(void *context), void *context);
void cluster_run(struct cluster *cluster, int ms);

/* url NULL: the cluster's server. Waits until the links are up. */
struct room_node *room_node_new(struct cluster *cluster, const char *url, unsigned shards);
/* Without waiting for the links. */
struct room_node *room_node_begin(struct cluster *cluster, const char *url, unsigned shards);
/* All guests must be gone. */
void room_node_free(struct room_node *node);
bool room_node_is_up(void *node);
/* The sum of a figure over the shards. */
uint64_t room_node_figure(const struct room_node *node, size_t offset);
#define FIGURE(node, name) room_node_figure(node, offsetof(struct redis_rooms_figures, name))

/* Joins, and waits until it is in. initial (JSON) may be NULL. */
struct guest *guest_new(struct room_node *node, unsigned shard, const char *id, const char *room, const char *initial);
/* Leaves. */
void guest_free(struct guest *guest);
void guest_emit(struct guest *guest, const char *event, const char *data);
void guest_set(struct guest *guest, const char *updates);
/* Adds amount to key at the room's home. */
void guest_add(struct guest *guest, const char *key, int64_t amount);
/* Waits until the diary is just these lines, and empties it. */
void guest_expect(struct guest *guest, const char *lines);
/* Waits until the guest's client has this state. */
void guest_await_state(struct guest *guest, const char *json);
void guest_forget_diary(struct guest *guest);
const live_value *value_of(const char *json);

#endif
