/*
 * test_model_world - a stage with clients of all generations, beside it what each thing should be: the states of the
 * components as their writers know them, and the replicas that the clients make of what they are sent.
 *
 * A step is something that a client does, and follows from the seed and the step's number alone: steps may be left out
 * and the others stay what they are. Where several clients write one thing (a singleton, a room), each has a key of its
 * own there, so that the outcome does not depend on their order, which is the stage's business. What does not agree
 * ends the process; what went on is printed before, when world_new was told to. Threads: the test's alone.
 */
#ifndef UNIT_TEST_MODEL_WORLD_H
#define UNIT_TEST_MODEL_WORLD_H

#include "stage/component_stage.h"
#include "unit/server/component/test_model_rules.h"

enum {
	WORLD_SHARDS = 4,
	WORLD_PLAYERS = 6, /* the first stays: it keeps the room and the singleton there are */
	WORLD_SLOTS = 4,
	WORLD_KEPT = 4, /* signed states of components that are gone */
	WORLD_ASKED = 64,
	WORLD_PAST = 64,
};

enum slot_phase { SLOT_FREE, SLOT_ASKED, SLOT_LIVE };

struct slot { /* a component of a client */
	enum slot_phase phase;
	bool is_shared;
	char id[16];
	const live_value *model;   /* ours; what the server has; NULL for a part in the singleton */
	const live_value *replica; /* ours; what the client has */
	const live_value *signed_state;
	const live_value *early;                          /* ours; pushes before the reply that the client keeps (G5) */
	bool joins, joined;                               /* the lobby */
	const live_value *room;                           /* ours; the lobby's state as the client has it */
	int64_t heard[WORLD_PLAYERS], due[WORLD_PLAYERS]; /* numbers of the events of each player */
};

enum ask_kind {
	ASK_MOUNT_ANSWER,
	ASK_RETURN_ANSWER,
	ASK_DONE,
	ASK_REFUSED,
	ASK_EITHER,
	ASK_JOIN_ANSWER,
	ASK_ROOM_ANSWER
};

struct asked { /* a request that has no answer yet */
	unsigned number;
	enum ask_kind kind;
	struct slot *slot;
	const live_value *model; /* ours; of the state that a mount should begin with */
};

struct past { /* what a player's key in something that all write was, since the world was quiet last */
	char key[4];
	const live_value *values[WORLD_PAST];
	unsigned count;
	bool is_open; /* the player went while changes were on their way: it is one of these, or what it is now */
};

struct player {
	struct stage_client *client;
	enum generation generation;
	bool is_behind;
	bool catches_up; /* was behind, and the full states are still to come */
	struct slot slots[WORLD_SLOTS];
	struct asked asked[WORLD_ASKED];
	unsigned asked_count;
	unsigned requests;
	const live_value *kept[WORLD_KEPT]; /* ours; signed states */
	unsigned kept_count;
	struct past shared, lobby;
	int64_t events;
};

struct world {
	uint64_t seed;
	unsigned step;
	bool is_told;  /* prints what goes on */
	bool is_wrong; /* its model is: forgets what setValue writes, to show that this is noticed */
	struct component_stage *stage;
	struct player players[WORLD_PLAYERS];
	const live_value *shared; /* ours; what the singleton has */
	const live_value *lobby;  /* ours; what the room has */
	uint64_t digest;          /* of all that was received */
};

struct world *world_new(uint64_t seed, bool is_told, bool is_wrong);
/* Fails on anything that is left. */
void world_free(struct world *world);
/* Does step number n. */
void world_step(struct world *world, unsigned n);
/* Runs the stage until nothing is left to do, then compares everything. */
void world_check(struct world *world);

/* ---- between the files of the model ---- */

__attribute__((format(printf, 2, 3), noreturn)) void world_fail(const struct world *world, const char *format, ...);
__attribute__((format(printf, 2, 3))) void world_tell(const struct world *world, const char *format, ...);
/* Replaces *where by value, which is given away. */
void world_put(const live_value **where, const live_value *value);
/* Sends message (given away) in the envelope of the player's generation, as a request of that kind, or (ask false)
 * without waiting for an answer. */
struct asked *world_ask(struct world *world, struct player *player, enum ask_kind kind, struct slot *slot,
			const live_value *message);
void world_say(struct world *world, struct player *player, const live_value *message, bool is_room);
/* The player's connection is gone, and a new one is there. */
void world_vanish(struct world *world, struct player *player, bool is_quiet);
/* The component is gone; its signed state is kept. */
void world_clear_slot(struct player *player, struct slot *slot);
unsigned world_number(const struct world *world, const struct player *player);
/* *where under patch, which writes past's key. */
void world_patch(const live_value **where, struct past *past, const live_value *patch);

#endif
