#include "unit/server/component/test_model_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/mem.h"
#include "server/component/instance.h"

/* ---- the components ---- */

/* Patches, one after the other in one tick. */
static int set(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (live_iter it = {0}; live_next(payload, &it);)
		live_set_state(self, live_value_ref(it.value));
	return 0;
}

static int put(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set(self, live_as_string(live_get(payload, "key")), live_value_ref(live_get(payload, "value")));
	return 0;
}

static int say(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_emit(self, "SAID", live_value_ref(payload));
	return 0;
}

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	return live_reply_error(reply, "no disk");
}

static const live_value *add_one(const live_value *state, const live_value *argument, const live_value **result)
{
	int64_t count = live_as_int(live_get(state, "count"), 0) + live_as_int(argument, 0);
	*result = live_int(count);
	return live_object("count", live_int(count), NULL);
}

static int count(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_room_join(self, "count", NULL);
	return live_room_update(self, "count", add_one, live_int(1), reply);
}

static void show(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)event;
	(void)data;
	live_set(self, "count", live_value_ref(live_get(live_room_state(self, room), "count")));
}

static void on_room_join(live_component *self, const char *room)
{
	if (strcmp(room, "count"))
		return;
	live_room_on(self, room, "*", show);
	show(self, room, "", NULL);
}

#define DOES                                                                                                \
	.actions = LIVE_ACTIONS({"set", set}, {"put", put}, {"say", say}, {"fail", fail}, {"count", count}, \
				{"setValue", live_action_set_value}),                                       \
	.on_room_join = on_room_join

static const live_definition own = {.name = "Own", .default_state = "{\"a\":{\"b\":{\"c\":1}},\"d\":[]}", DOES};
static const live_definition shared = {
	.name = "Shared",
	.singleton = true,
	.default_state =
		"{\"k0\":0,\"k1\":{\"b\":{\"c\":1}},\"k2\":{\"b\":{\"c\":1}},\"k3\":[],\"k4\":{\"n\":null},\"k5\":{}}",
	DOES,
};

/* ---- small things ---- */

void world_fail(const struct world *world, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "seed %" PRIu64 ", step %u: ", world->seed, world->step);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	_exit(1);
}

void world_tell(const struct world *world, const char *format, ...)
{
	va_list arguments;

	if (!world->is_told)
		return;
	fprintf(stderr, "  %4u ", world->step);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void world_put(const live_value **where, const live_value *value)
{
	live_value_unref(*where);
	*where = value;
}

unsigned world_number(const struct world *world, const struct player *player)
{
	return (unsigned)(player - world->players);
}

static const live_value *json(const char *text)
{
	return live_from_json(text, strlen(text), NULL, 0);
}

static void forget_past(struct past *past)
{
	while (past->count)
		live_value_unref(past->values[--past->count]);
	past->is_open = false;
}

void world_patch(const live_value **where, struct past *past, const live_value *patch)
{
	const live_value *now = live_get(*where, past->key);

	if (past->count < WORLD_PAST)
		past->values[past->count++] = now ? live_value_ref(now) : live_null();
	world_put(where, rule_patch(*where, patch));
}

/* ---- sending ---- */

/* message (given away) with one more member. */
static const live_value *plus(const live_value *message, const char *key, const live_value *value)
{
	const live_value *more = live_with(message, key, value);

	live_value_unref(message);
	return more;
}

static void send_value(struct player *player, const live_value *message)
{
	size_t len;
	char *text = live_to_json(message, &len);

	stage_client_send_text(player->client, (struct str){text, len});
	free(text);
	live_value_unref(message);
}

void world_say(struct world *world, struct player *player, const live_value *message, bool is_room)
{
	if (world->is_told) {
		char *text = live_to_json(message, NULL);
		world_tell(world, "player %u (G%d) %s", world_number(world, player), player->generation, text);
		free(text);
	}
	if (is_legacy(player->generation) || is_room)
		message = plus(message, "timestamp", live_int(STAGE_WALL_MS));
	send_value(player, message);
}

struct asked *world_ask(struct world *world, struct player *player, enum ask_kind kind, struct slot *slot,
			const live_value *message)
{
	unsigned number = ++player->requests;
	const char *type = live_as_string(live_get(message, "type"));
	const char *format = is_legacy(player->generation) ? "req-1700000000000-%09u" : "Ab_%05u";
	struct asked *asked = &player->asked[player->asked_count++];

	if (player->asked_count > WORLD_ASKED)
		world_fail(world, "more requests than the model has room for");
	*asked = (struct asked){.number = number, .kind = kind, .slot = slot};
	bool is_room = !strncmp(type, "ROOM_", 5);
	message = plus(message, "requestId", live_stringf(format, number));
	world_say(world, player, plus(message, "expectResponse", live_bool(true)), is_room);
	return asked;
}

/* ---- coming and going ---- */

void world_clear_slot(struct player *player, struct slot *slot)
{
	if (slot->signed_state && !slot->is_shared && player->kept_count < WORLD_KEPT)
		player->kept[player->kept_count++] = live_value_ref(slot->signed_state);
	live_value_unref(slot->model);
	live_value_unref(slot->replica);
	live_value_unref(slot->signed_state);
	live_value_unref(slot->early);
	live_value_unref(slot->room);
	*slot = (struct slot){0};
}

static void forget_asked(struct player *player)
{
	while (player->asked_count)
		live_value_unref(player->asked[--player->asked_count].model);
}

static void come(struct world *world, struct player *player)
{
	unsigned shard = (world_number(world, player) + world->step) % WORLD_SHARDS;

	player->client = stage_client_new(world->stage, shard);
	player->is_behind = false;
}

void world_vanish(struct world *world, struct player *player, bool is_quiet)
{
	unsigned number = world_number(world, player);

	world_tell(world, "player %u (G%d) vanishes%s", number, player->generation, is_quiet ? "" : " at once");
	if (is_quiet || player->shared.count == WORLD_PAST || player->lobby.count == WORLD_PAST)
		world_check(world);
	player->shared.is_open = player->shared.count > 0;
	player->lobby.is_open = player->lobby.count > 0;
	stage_client_vanish(player->client);
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		world_clear_slot(player, &player->slots[i]);
	forget_asked(player);
	/* What it said last may be lost. */
	for (unsigned i = 0; i < WORLD_PLAYERS * WORLD_SLOTS; i++)
		world->players[i / WORLD_SLOTS].slots[i % WORLD_SLOTS].due[number] = 0;
	come(world, player);
}

/* The first player's components, which stay: they keep the singleton and the room. */
static void settle(struct world *world)
{
	struct player *keeper = world->players;

	for (unsigned i = 0; i < 2; i++) {
		struct slot *slot = &keeper->slots[i];
		const live_value *payload = live_object("component", live_string(i ? "Shared" : "Own"), NULL);
		slot->phase = SLOT_ASKED;
		slot->is_shared = i;
		struct asked *asked =
			world_ask(world, keeper, ASK_MOUNT_ANSWER, slot,
				  live_object("type", live_string("COMPONENT_MOUNT"), "payload", payload, NULL));
		asked->model = i ? NULL : json(own.default_state);
	}
	world_check(world);
	keeper->slots[0].joins = true;
	world_ask(world, keeper, ASK_JOIN_ANSWER, &keeper->slots[0],
		  live_object("type", live_string("ROOM_JOIN"), "componentId", live_string(keeper->slots[0].id),
			      "roomId", live_string("lobby"), NULL));
	world_check(world);
}

struct world *world_new(uint64_t seed, bool is_told, bool is_wrong)
{
	struct world *world = mem_alloc(sizeof *world);

	hash_seed(seed);
	*world = (struct world){.seed = seed, .is_told = is_told, .is_wrong = is_wrong};
	world->shared = json(shared.default_state);
	world->lobby = live_object(NULL, NULL);
	world->stage = component_stage_new_alone(WORLD_SHARDS, seed, (const live_definition *[]){&own, &shared, NULL});
	for (unsigned i = 0; i < WORLD_PLAYERS; i++) {
		struct player *player = &world->players[i];
		player->generation = i ? (enum generation)i : G5;
		snprintf(player->shared.key, sizeof player->shared.key, "k%u", i);
		snprintf(player->lobby.key, sizeof player->lobby.key, "r%u", i);
		come(world, player);
	}
	settle(world);
	return world;
}

void world_free(struct world *world)
{
	for (unsigned i = 0; i < WORLD_PLAYERS; i++) {
		struct player *player = &world->players[i];
		for (unsigned j = 0; j < WORLD_SLOTS; j++)
			world_clear_slot(player, &player->slots[j]);
		forget_asked(player);
		while (player->kept_count)
			live_value_unref(player->kept[--player->kept_count]);
		forget_past(&player->shared);
		forget_past(&player->lobby);
	}
	live_value_unref(world->shared);
	live_value_unref(world->lobby);
	component_stage_free(world->stage);
	free(world);
}
