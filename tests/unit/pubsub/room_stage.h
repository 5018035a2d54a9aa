/*
 * room_stage - rooms on shards stepped by hand, and actors: members that write down what they are told.
 *
 * An actor's diary has a line for each thing: "JOINED <state>", "REFUSED <text>", "<event> <data>". Frames are the text
 * "<event> <data>", made by the encode hook and taken apart by nobody. The adapter does what the test tells it to.
 * Threads: the test's alone.
 */
#ifndef TESTS_UNIT_PUBSUB_ROOM_STAGE_H
#define TESTS_UNIT_PUBSUB_ROOM_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "pubsub/adapter.h"
#include "pubsub/rooms.h"
#include "stage/stage.h"

enum { STAGE_SHARDS_MAX = 8 };

enum adapter_manner { ADAPTER_AT_ONCE, ADAPTER_TWICE, ADAPTER_SILENT };

struct room_stage {
	struct stage *stage;
	unsigned shards;
	struct rooms *rooms[STAGE_SHARDS_MAX];
	struct room_adapter adapter;
	enum adapter_manner manner;
	const live_value *stored; /* what the adapter finds; owned */
	struct buf adapter_diary; /* a line for each call */
	unsigned encoded;         /* frames made */
};

struct actor {
	struct room_member member;
	struct room_stage *stage;
	unsigned shard;
	char id[16];
	struct buf diary;
	const live_value *state; /* as its client would hold it; owned */
	uint64_t version;        /* of the room when it joined */
	unsigned refused;
	void (*then)(struct actor *self, const struct room_event *event); /* done in the midst of a delivery, or NULL */
};

/* seed as for stage_new; options (may be NULL) without adapter and hooks. */
struct room_stage *room_stage_new(unsigned shards, uint64_t seed, const struct rooms_options *options);
/* All actors must have left, and all handlers be ended. */
void room_stage_free(struct room_stage *stage);
/* Steps all shards until nothing is left to do. */
void room_stage_run(struct room_stage *stage);

struct actor *actor_new(struct room_stage *stage, unsigned shard, const char *id);
/* Leaves first. */
void actor_free(struct actor *actor);
void actor_join(struct actor *actor, const char *room_id);
void actor_join_with(struct actor *actor, const char *room_id, const char *initial_state);
void actor_leave(struct actor *actor);
/* Emits to a room as this actor, who is excluded. */
void actor_emit(struct actor *actor, const char *room_id, const char *event, const char *data);
void actor_set(struct actor *actor, const char *room_id, const char *updates);
/* The diary must be just these lines, each ended by a newline; it is emptied. */
void actor_expect(struct actor *actor, const char *lines);

/* Emits from a shard; nobody is excluded. */
void stage_emit(struct room_stage *stage, unsigned shard, const char *type, const char *room_id, const char *event,
		const char *data);
/* The adapter's diary must be just these lines; it is emptied. */
void stage_expect_adapter(struct room_stage *stage, const char *lines);
const live_value *parse(const char *json);

/* The answer to a request, in an object of the test; give it as the context. */
struct answer {
	unsigned count;
	char text[256]; /* "ok <json>" or "error <text>" */
};
void answer_take(void *context, const char *error, const live_value *value);

#endif
