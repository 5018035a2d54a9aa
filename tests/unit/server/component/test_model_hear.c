/*
 * What the clients of the model are sent, and whether all of it agrees.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "server/component/instance.h"
#include "unit/server/component/test_model_world.h"

/* ---- pushes ---- */

static void expect_same(const struct world *world, const struct player *player, const char *what, const live_value *is,
			const live_value *should, bool with_nulls)
{
	char *held = rule_canonical(is, with_nulls), *wanted = rule_canonical(should, with_nulls);

	if (strcmp(held, wanted))
		world_fail(world, "player %u (G%d): %s is\n%s\nnot\n%s", world_number(world, player),
			   player->generation, what, held, wanted);
	free(held);
	free(wanted);
}

/* Whether a replica of that generation has all nulls that the server has, and no others. */
static bool is_exact(const struct player *player)
{
	return player->generation >= G4;
}

/* data of a signed state, without the component's name. The caller owns it. */
static const live_value *unsigned_state(const live_value *signed_state)
{
	const live_value *data = live_get(signed_state, "data");
	const live_value *whole = live_from_json(live_as_string(data), live_len(data), NULL, 0);
	const live_value *state = live_without(whole, "__componentName");

	live_value_unref(whole);
	return state;
}

static void keep_signed(struct slot *slot, const live_value *signed_state)
{
	if (live_value_type(signed_state) == LIVE_OBJECT)
		world_put(&slot->signed_state, live_value_ref(signed_state));
}

/* A state that comes signed is the one that the client has by then. */
static void hear_signature(struct world *world, struct player *player, struct slot *slot, const live_value *payload)
{
	keep_signed(slot, live_get(payload, "signedState"));
	if (player->is_behind || player->catches_up)
		return;
	const live_value *state = unsigned_state(slot->signed_state);
	expect_same(world, player, "the replica at a signature", slot->replica, state, is_exact(player));
	live_value_unref(state);
}

static unsigned sender_of(const live_value *data)
{
	return (unsigned)live_as_int(live_get(data, "from"), 0);
}

static void hear_room(struct world *world, struct player *player, struct slot *slot, const live_value *message)
{
	const live_value *data = live_get(message, "data");
	const char *type = stage_text(message, "type");

	if (strcmp(stage_text(message, "roomId"), "lobby") || !slot->joined)
		return;
	if (!strcmp(type, "ROOM_STATE")) {
		const live_value *changes = rule_room_changes(player->generation, data);
		world_put(&slot->room, rule_merge(player->generation, slot->room, changes));
		live_value_unref(changes);
	} else if (!strcmp(type, "ROOM_EVENT")) {
		int64_t n = live_as_int(live_get(data, "n"), 0);
		if (n <= slot->heard[sender_of(data)])
			world_fail(world, "event %d of player %u came twice or late", (int)n, sender_of(data));
		slot->heard[sender_of(data)] = n;
	}
}

static void hear_push(struct world *world, struct player *player, struct slot *slot, const live_value *message)
{
	const char *type = stage_text(message, "type");
	const live_value *payload = live_get(message, "payload");

	if (!strcmp(type, "STATE_UPDATE") || !strcmp(type, "STATE_REHYDRATED")) {
		world_put(&slot->replica, live_value_ref(live_get(payload, "state")));
		keep_signed(slot, live_get(payload, "signedState"));
	} else if (!strcmp(type, "STATE_DELTA")) {
		world_put(&slot->replica, rule_merge(player->generation, slot->replica, live_get(payload, "delta")));
	} else if (!strcmp(type, "STATE_SIGNATURE")) {
		hear_signature(world, player, slot, payload);
	} else if (!strncmp(type, "ROOM_", 5)) {
		hear_room(world, player, slot, message);
	} else if (strcmp(type, "ERROR") && strcmp(type, "SAID")) {
		world_fail(world, "an unexpected %s", type);
	}
}

static void route_push(struct world *world, struct player *player, const live_value *message)
{
	const char *id = stage_text(message, "componentId");

	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		struct slot *slot = &player->slots[i];
		if (slot->phase == SLOT_LIVE && !strcmp(slot->id, id)) {
			hear_push(world, player, slot, message);
			return;
		}
	}
	/* Older clients drop what comes before the reply of a mount; G5 keeps it. */
	for (unsigned i = 0; i < WORLD_SLOTS && player->generation == G5; i++) {
		struct slot *slot = &player->slots[i];
		if (slot->phase == SLOT_ASKED)
			world_put(&slot->early, live_append(slot->early, live_value_ref(message)));
	}
}

/* ---- replies ---- */

static void appear(struct world *world, struct player *player, struct slot *slot, const char *id,
		   const live_value *state)
{
	slot->phase = SLOT_LIVE;
	snprintf(slot->id, sizeof slot->id, "%s", id);
	world_put(&slot->replica, live_value_ref(state));
	for (live_iter it = {0}; live_next(slot->early, &it);)
		if (!strcmp(stage_text(it.value, "componentId"), id))
			hear_push(world, player, slot, it.value);
	world_put(&slot->early, NULL);
}

static void hear_mounted(struct world *world, struct player *player, struct asked *asked, const live_value *reply)
{
	struct slot *slot = asked->slot;

	asked->slot->model = asked->model;
	asked->model = NULL;
	keep_signed(slot, live_path(reply, "result.signedState"));
	appear(world, player, slot, stage_text(reply, "result.componentId"), live_path(reply, "result.initialState"));
}

static void hear_returned(struct world *world, struct player *player, struct asked *asked, const live_value *reply)
{
	/* Only the newest clients name the component as the server wants it (section 19, row 14). */
	bool is_taken = player->generation == G5;

	if (live_as_bool(live_get(reply, "success")) != is_taken)
		world_fail(world, "rehydrated: %s", stage_text(reply, "error"));
	if (!is_taken) {
		world_clear_slot(player, asked->slot);
		return;
	}
	asked->slot->model = asked->model;
	asked->model = NULL;
	appear(world, player, asked->slot, stage_text(reply, "result.newComponentId"), NULL);
}

static void hear_room_state(struct player *player, struct slot *slot, const live_value *reply)
{
	const live_value *inner = live_path(reply, "payload.state");

	/* The older ones read the top level when they join. */
	if (slot->joins && player->generation < G5)
		inner = live_get(reply, "state");
	slot->joined |= slot->joins;
	slot->joins = false;
	if (slot->joined)
		world_put(&slot->room, live_value_ref(inner));
}

static void hear_reply(struct world *world, struct player *player, struct asked *asked, const live_value *reply)
{
	bool is_success = live_as_bool(live_get(reply, "success"));

	if (asked->kind == ASK_RETURN_ANSWER)
		hear_returned(world, player, asked, reply);
	else if (asked->kind == ASK_ROOM_ANSWER)
		hear_room_state(player, asked->slot, reply);
	else if (asked->kind != ASK_EITHER && is_success != (asked->kind != ASK_REFUSED))
		world_fail(world, "player %u: request %u: success %d: %s", world_number(world, player), asked->number,
			   is_success, stage_text(reply, "error"));
	else if (asked->kind == ASK_MOUNT_ANSWER)
		hear_mounted(world, player, asked, reply);
	else if (asked->kind == ASK_JOIN_ANSWER)
		hear_room_state(player, asked->slot, reply);
}

static void take_reply(struct world *world, struct player *player, const live_value *reply)
{
	const char *id = stage_text(reply, "requestId");
	size_t len = strlen(id);
	unsigned number = (unsigned)strtoul(id + (len > 5 ? len - 5 : 0), NULL, 10);

	for (unsigned i = 0; i < player->asked_count; i++) {
		struct asked asked = player->asked[i];
		if (asked.number != number)
			continue;
		memmove(&player->asked[i], &player->asked[i + 1],
			(--player->asked_count - i) * sizeof player->asked[0]);
		hear_reply(world, player, &asked, reply);
		live_value_unref(asked.model);
		return;
	}
	world_fail(world, "player %u: an answer to nothing, or a second one: %s", world_number(world, player), id);
}

static void hear(struct world *world, struct player *player)
{
	const live_value *message;

	while ((message = stage_client_take(player->client))) {
		size_t len;
		char *text = live_to_json(message, &len);
		world->digest = hash_bytes_keyed((const uint64_t[2]){world->digest, 1}, text, len);
		if (world->is_told)
			world_tell(world, "player %u gets %s", world_number(world, player), text);
		free(text);
		if (live_get(message, "requestId"))
			take_reply(world, player, message);
		else
			route_push(world, player, message);
	}
	if (player->asked_count)
		world_fail(world, "player %u: no answer to request %u", world_number(world, player),
			   player->asked[0].number);
}

/* ---- comparing ---- */

static const live_value *state_of(const struct world *world, const char *id)
{
	for (unsigned i = 0; i < WORLD_SHARDS; i++) {
		list_for_each (link, &component_stage_shard(world->stage, i)->instances) {
			const live_component *instance = LIST_OF(link, live_component, link);
			if (!strcmp(live_id(instance), id))
				return live_state(instance);
		}
	}
	world_fail(world, "there is no component %s", id);
}

struct search {
	const live_value *state;
};

static void find_lobby(void *context, const struct room_stats *stats)
{
	struct search *search = context;

	if (str_equal(stats->id, STR("lobby")))
		search->state = stats->state;
}

static const live_value *lobby_state(const struct world *world)
{
	struct search search = {NULL};

	for (unsigned i = 0; i < WORLD_SHARDS; i++) {
		stage_enter(component_stage_steps(world->stage), i);
		rooms_each_home(component_stage_shard(world->stage, i)->rooms, find_lobby, &search);
	}
	shard_enter(NULL);
	return search.state;
}

/* The key of a player that went in the middle of things is what it was at some moment. */
static void settle_past(struct world *world, struct player *player, struct past *past, const live_value **model,
			const live_value *server)
{
	const live_value *is = live_get(server, past->key);
	bool found = !past->is_open || live_equal(is ? is : live_null(), live_get(*model, past->key));

	while (past->count) {
		const live_value *was = past->values[--past->count];
		found |= live_equal(is ? is : live_null(), was);
		live_value_unref(was);
	}
	if (!found)
		world_fail(world, "player %u: %s is what nobody wrote", world_number(world, player), past->key);
	if (past->is_open)
		world_put(model,
			  is ? live_with(*model, past->key, live_value_ref(is)) : live_without(*model, past->key));
	past->is_open = false;
}

static void compare_room(struct world *world, struct player *player, const struct slot *slot, const live_value *server)
{
	/* A client's own changes do not come back to it. */
	const live_value *held = live_without(slot->room, player->lobby.key);
	const live_value *wanted = live_without(server, player->lobby.key);

	if (player->generation <= G2)
		world_put(&held, live_without(held, "state"));
	expect_same(world, player, "the room", held, wanted, is_exact(player));
	live_value_unref(held);
	live_value_unref(wanted);
	for (unsigned i = 0; i < WORLD_PLAYERS; i++)
		if (slot->heard[i] < slot->due[i])
			world_fail(world, "player %u: event %d of player %u did not come", world_number(world, player),
				   (int)slot->due[i], i);
}

static void compare_slot(struct world *world, struct player *player, const struct slot *slot, const live_value *lobby)
{
	const live_value *server = state_of(world, slot->id);
	const live_value *is = live_without(server, "count");
	const live_value *model = live_without(slot->is_shared ? world->shared : slot->model, "count");

	expect_same(world, player, "the server's state", is, model, true);
	if (!player->is_behind)
		expect_same(world, player, "the replica", slot->replica, server, is_exact(player));
	if (slot->joined)
		compare_room(world, player, slot, lobby);
	live_value_unref(is);
	live_value_unref(model);
}

void world_check(struct world *world)
{
	unsigned components = 1; /* the singleton */

	component_stage_run(world->stage);
	for (unsigned i = 0; i < WORLD_PLAYERS; i++) {
		hear(world, &world->players[i]);
		world->players[i].catches_up = false;
	}
	const live_value *lobby = lobby_state(world);
	const live_value *server = world->players->slots[1].phase == SLOT_LIVE
					   ? state_of(world, world->players->slots[1].id)
					   : world->shared;
	for (unsigned i = 0; i < WORLD_PLAYERS; i++) {
		struct player *player = &world->players[i];
		settle_past(world, player, &player->shared, &world->shared, server);
		settle_past(world, player, &player->lobby, &world->lobby, lobby);
	}
	if (lobby)
		expect_same(world, world->players, "the room's state", lobby, world->lobby, true);
	for (unsigned i = 0; i < WORLD_PLAYERS * WORLD_SLOTS; i++) {
		struct player *player = &world->players[i / WORLD_SLOTS];
		const struct slot *slot = &player->slots[i % WORLD_SLOTS];
		components += slot->phase == SLOT_LIVE && !slot->is_shared;
		if (slot->phase == SLOT_LIVE)
			compare_slot(world, player, slot, lobby);
	}
	if (component_stage_count(world->stage) != components)
		world_fail(world, "%u components, not %u", component_stage_count(world->stage), components);
}
