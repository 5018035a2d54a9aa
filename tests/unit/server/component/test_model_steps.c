/*
 * What the clients of the model do: each step follows from the seed and its number.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit/core/core_test.h"
#include "unit/server/component/test_model_world.h"

struct turn { /* a step under way */
	struct world *world;
	struct player *player;
	struct slot *slot; /* by chance; perhaps free */
	uint64_t chances;
};

#define below(turn, bound) ((unsigned)chance_below(&(turn)->chances, (bound)))

static const live_value *text(const char *value)
{
	return live_string(value);
}

static const live_value *any_object(struct turn *turn)
{
	const live_value *made =
		live_object("k0", chance_value(&turn->chances, 3, 4), "k1", chance_value(&turn->chances, 3, 4), NULL);
	const live_value *more = live_with(made, "k2", live_with(made, "k3", live_null()));

	live_value_unref(made);
	return more;
}

/* Anything; most of the time near to what is there, if that is an object: deltas are small then. */
static const live_value *any_value(struct turn *turn, const live_value *near)
{
	char key[4];

	if (live_value_type(near) != LIVE_OBJECT || below(turn, 3) == 0)
		return below(turn, 3) ? chance_value(&turn->chances, 4, 4) : any_object(turn);
	snprintf(key, sizeof key, "k%u", below(turn, 4));
	if (below(turn, 4) == 0)
		return live_without(near, key);
	return live_with(near, key, any_value(turn, live_get(near, key)));
}

/* ---- coming and going ---- */

static struct slot *free_slot(struct player *player)
{
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (player->slots[i].phase == SLOT_FREE)
			return &player->slots[i];
	return NULL;
}

static bool has_shared(const struct player *player)
{
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (player->slots[i].phase != SLOT_FREE && player->slots[i].is_shared)
			return true;
	return false;
}

static const live_value *few_keys(struct turn *turn, unsigned most, const live_value *near)
{
	static const char *const names[] = {"a", "b", "d", "e"};
	const live_value *made = live_object(NULL, NULL);

	for (unsigned left = below(turn, most + 1); left; left--) {
		const char *name = names[below(turn, 4)];
		const live_value *more = live_with(made, name, any_value(turn, live_get(near, name)));
		live_value_unref(made);
		made = more;
	}
	return made;
}

static void mount(struct turn *turn)
{
	struct slot *slot = free_slot(turn->player);
	const live_value *props = few_keys(turn, 2, NULL);

	if (slot) {
		static const char own_state[] = "{\"a\":{\"b\":{\"c\":1}},\"d\":[]}";
		const live_value *first = live_from_json(own_state, sizeof own_state - 1, NULL, 0);
		slot->phase = SLOT_ASKED;
		slot->is_shared = below(turn, 3) == 0 && !has_shared(turn->player);
		struct asked *asked =
			world_ask(turn->world, turn->player, ASK_MOUNT_ANSWER, slot,
				  live_object("type", text("COMPONENT_MOUNT"), "componentId", text("tmp"), "payload",
					      live_object("component", text(slot->is_shared ? "Shared" : "Own"),
							  "props", live_value_ref(props), NULL),
					      NULL));
		asked->model = slot->is_shared ? NULL : rule_assign(first, props);
		live_value_unref(first);
	}
	live_value_unref(props);
}

static const live_value *kept_state(const live_value *signed_state)
{
	const live_value *data = live_get(signed_state, "data");
	const live_value *whole = live_from_json(live_as_string(data), live_len(data), NULL, 0);
	const live_value *state = live_without(whole, "__componentName");

	live_value_unref(whole);
	return state;
}

static void rehydrate(struct turn *turn)
{
	struct player *player = turn->player;
	struct slot *slot = free_slot(player);

	if (!slot || !player->kept_count || !player->requests)
		return;
	const live_value *kept = player->kept[--player->kept_count];
	slot->phase = SLOT_ASKED;
	const char *name = player->generation == G5 ? "component" : "componentName";
	struct asked *asked =
		world_ask(turn->world, player, ASK_RETURN_ANSWER, slot,
			  live_object("type", text("COMPONENT_REHYDRATE"), "componentId",
				      live_value_ref(live_get(kept, "componentId")), "payload",
				      live_object(name, text("Own"), "signedState", live_value_ref(kept), NULL), NULL));
	asked->model = kept_state(kept);
	live_value_unref(kept);
}

static bool is_keeper(const struct turn *turn)
{
	return turn->player == turn->world->players;
}

static void unmount(struct turn *turn)
{
	struct slot *slot = turn->slot;

	if (slot->phase != SLOT_LIVE || (is_keeper(turn) && slot - turn->player->slots < 2))
		return;
	world_ask(turn->world, turn->player, ASK_DONE, NULL,
		  live_object("type", text("COMPONENT_UNMOUNT"), "componentId", text(slot->id), NULL));
	world_clear_slot(turn->player, slot);
}

static void vanish(struct turn *turn)
{
	if (is_keeper(turn))
		return;
	world_vanish(turn->world, turn->player, below(turn, 3) > 0);
	mount(turn); /* the first message tells the generation */
}

static void fall_behind(struct turn *turn)
{
	world_check(turn->world);
	turn->player->catches_up = turn->player->is_behind;
	turn->player->is_behind = !turn->player->is_behind;
	world_tell(turn->world, "player %u is%s behind", world_number(turn->world, turn->player),
		   turn->player->is_behind ? "" : " no longer");
	stage_client_set_behind(turn->player->client, turn->player->is_behind);
}

/* ---- changes ---- */

/* Sends a change, whose answer somebody may wait for or not. */
static void change(struct turn *turn, const char *type, const char *name, const live_value *value,
		   const live_value *payload)
{
	const live_value *message = live_object("type", text(type), "componentId", text(turn->slot->id), name, value,
						"payload", payload, NULL);

	if (strcmp(type, "CALL_ACTION") || below(turn, 3))
		world_ask(turn->world, turn->player, ASK_DONE, turn->slot, message);
	else
		world_say(turn->world, turn->player, message, false);
}

static void known(struct turn *turn, const live_value *patch)
{
	if (turn->slot->is_shared)
		world_patch(&turn->world->shared, &turn->player->shared, patch);
	else
		world_put(&turn->slot->model, rule_patch(turn->slot->model, patch));
}

/* A patch of what this player may write of its component. */
static const live_value *any_patch(struct turn *turn)
{
	const char *key = turn->player->shared.key;
	const live_value *now = turn->slot->model, *more;

	if (turn->slot->is_shared)
		return live_with(NULL, key, any_value(turn, live_get(turn->world->shared, key)));
	const live_value *patch = few_keys(turn, 3, now);
	if (below(turn, 2))
		return patch;
	more = live_with(patch, "a", any_value(turn, live_get(now, "a"))); /* one key often: order matters */
	live_value_unref(patch);
	return more;
}

static void act_set(struct turn *turn)
{
	static const char *const names[] = {"p", "q", "r"};
	const live_value *payload = live_object(NULL, NULL);

	for (unsigned i = below(turn, 3); i < 3; i++) {
		const live_value *patch = any_patch(turn), *more;
		known(turn, patch);
		more = live_with(payload, names[i], patch);
		live_value_unref(payload);
		payload = more;
	}
	change(turn, "CALL_ACTION", "action", text("set"), payload);
}

/* One key, which the server lets clients write. */
static const char *one_key(struct turn *turn)
{
	if (turn->slot->is_shared)
		return turn->player->shared.key;
	return below(turn, 3) ? "a" : "d";
}

static void act_put(struct turn *turn)
{
	const char *key = one_key(turn);
	const live_value *now = turn->slot->is_shared ? turn->world->shared : turn->slot->model;
	const live_value *value = any_value(turn, live_get(now, key));
	const live_value *patch = live_with(NULL, key, live_value_ref(value));
	unsigned how = below(turn, 4);

	if (how != 1 || !turn->world->is_wrong)
		known(turn, patch);
	if (how == 0)
		change(turn, "CALL_ACTION", "action", text("put"), live_object("key", text(key), "value", value, NULL));
	else if (how == 1)
		change(turn, "CALL_ACTION", "action", text("setValue"),
		       live_object("key", text(key), "value", value, NULL));
	else if (how == 2)
		change(turn, "PROPERTY_UPDATE", "property", text(key), live_object("value", value, NULL));
	else
		change(turn, "STATE_UPDATE", "property", text(key),
		       live_object("state", live_with(NULL, key, value), NULL));
	live_value_unref(patch);
}

static void act_other(struct turn *turn)
{
	struct slot *slot = turn->slot;
	unsigned how = below(turn, 3);
	const live_value *message = live_object("type", text("CALL_ACTION"), "componentId", text(slot->id), "action",
						text(how == 0   ? "say"
						     : how == 1 ? "fail"
								: "count"),
						"payload", any_value(turn, NULL), NULL);

	/* Whoever counts waits for the room, and may be gone when that answers. */
	static const enum ask_kind kinds[] = {ASK_DONE, ASK_REFUSED, ASK_EITHER};
	world_ask(turn->world, turn->player, kinds[how], slot, message);
}

/* ---- the room ---- */

static const live_value *room_message(const struct turn *turn, const char *type)
{
	return live_object("type", text(type), "componentId", text(turn->slot->id), "roomId", text("lobby"), NULL);
}

/* message (given away) with one more member. */
static const live_value *plus(const live_value *message, const char *key, const live_value *value)
{
	const live_value *more = live_with(message, key, value);

	live_value_unref(message);
	return more;
}

/* message (given away) with what it says, where this generation puts it. */
static const live_value *saying(const struct turn *turn, const live_value *message, const char *old_key,
				const char *new_key, const live_value *value)
{
	if (turn->player->generation == G5)
		return plus(message, "payload", live_with(NULL, new_key, value));
	return plus(message, old_key, value);
}

static void join(struct turn *turn)
{
	const live_value *first = live_with(NULL, "topic", text("not mine to say"));

	if (turn->slot->joined || turn->slot->joins) {
		live_value_unref(first);
		return;
	}
	turn->slot->joins = true;
	if (turn->player->generation < G5)
		first = live_object("initialState", first, NULL);
	world_ask(turn->world, turn->player, ASK_JOIN_ANSWER, turn->slot,
		  saying(turn, room_message(turn, "ROOM_JOIN"), "data", "initialState", first));
}

static void leave(struct turn *turn)
{
	if (!turn->slot->joined || is_keeper(turn))
		return;
	turn->slot->joined = false;
	memset(turn->slot->due, 0, sizeof turn->slot->due);
	world_ask(turn->world, turn->player, ASK_DONE, turn->slot, room_message(turn, "ROOM_LEAVE"));
}

static void emit(struct turn *turn)
{
	struct world *world = turn->world;
	unsigned number = world_number(world, turn->player);
	int64_t n = ++turn->player->events;
	const live_value *data = live_object("from", live_int(number), "n", live_int(n), NULL);
	const live_value *message = room_message(turn, "ROOM_EMIT");

	if (turn->player->generation == G5)
		message = plus(message, "payload", live_object("event", text("msg:new"), "data", data, NULL));
	else
		message = plus(plus(message, "event", text("msg:new")), "data", data);
	world_say(world, turn->player, message, true);
	for (unsigned i = 0; i < WORLD_PLAYERS * WORLD_SLOTS; i++) {
		struct slot *slot = &world->players[i / WORLD_SLOTS].slots[i % WORLD_SLOTS];
		if (slot->joined && slot != turn->slot)
			slot->due[number] = n;
	}
}

static void set_room(struct turn *turn)
{
	const char *key = turn->player->lobby.key;
	const live_value *patch = live_with(NULL, key, any_value(turn, live_get(turn->world->lobby, key)));

	world_patch(&turn->world->lobby, &turn->player->lobby, patch);
	world_say(turn->world, turn->player, saying(turn, room_message(turn, "ROOM_STATE_SET"), "data", "state", patch),
		  true);
}

static void in_room(struct turn *turn)
{
	unsigned what = below(turn, 8);

	if (!turn->slot->joined) {
		join(turn);
		return;
	}
	switch (what) {
	case 0: leave(turn); break;
	case 1:
		world_ask(turn->world, turn->player, ASK_ROOM_ANSWER, turn->slot, room_message(turn, "ROOM_STATE_GET"));
		break;
	case 2:
	case 3:
	case 4: emit(turn); break;
	default: set_room(turn); break;
	}
}

/* ---- nonsense ---- */

/* Refused, and nothing changes. */
static void refused(struct turn *turn)
{
	const char *foreign = turn->world->players->slots[0].id;
	const char *id = is_keeper(turn) ? "nobody_1" : foreign;
	const live_value *message;

	switch (below(turn, 6)) {
	case 0:
		message = live_object("type", text("CALL_ACTION"), "componentId", text(id), "action", text("put"),
				      "payload", live_object("key", text("a"), "value", any_value(turn, NULL), NULL),
				      NULL);
		break;
	case 1:
		message =
			live_object("type", text("CALL_ACTION"), "componentId", text(id), "action", live_int(5), NULL);
		break;
	case 2:
		message = live_object("type", text("PROPERTY_UPDATE"), "componentId", text(id), "property",
				      text("__proto__"), "payload", live_object("value", live_int(1), NULL), NULL);
		break;
	case 3:
		message = live_object("type", text("ROOM_STATE_SET"), "componentId", text(id), "roomId", text("lobby"),
				      "payload", live_object("state", any_value(turn, NULL), NULL), NULL);
		break;
	case 4: message = live_object("type", text("NONSENSE"), "componentId", text(id), NULL); break;
	default:
		message = live_object("type", text("COMPONENT_MOUNT"), "payload",
				      live_object("component", text("Nobody"), NULL), NULL);
		break;
	}
	world_ask(turn->world, turn->player, ASK_REFUSED, NULL, message);
}

/* Not even JSON: a message that breaks off, or bytes. Nobody answers by name, so what comes is an ERROR to nobody. */
static void malformed(struct turn *turn)
{
	char whole[128];

	snprintf(whole, sizeof whole, "{\"type\":\"CALL_ACTION\",\"componentId\":\"%s\",\"action\":\"put\"}",
		 turn->slot->id);
	size_t len = below(turn, (unsigned)strlen(whole));
	if (below(turn, 2) && len)
		whole[below(turn, (unsigned)len)] ^= (char)(1 << below(turn, 8));
	whole[0] = '[';
	world_tell(turn->world, "player %u sends %.*s", world_number(turn->world, turn->player), (int)len, whole);
	stage_client_send_text(turn->player->client, (struct str){whole, len});
}

static void nonsense(struct turn *turn)
{
	if (!turn->player->requests)
		return;
	if (below(turn, 2))
		refused(turn);
	else
		malformed(turn);
}

/* ---- one of them ---- */

static void wait(struct turn *turn)
{
	unsigned ms = below(turn, 3) ? 0 : below(turn, 2500);

	world_tell(turn->world, "wait %u ms", ms);
	if (ms)
		stage_advance(component_stage_steps(turn->world->stage), ms);
	world_check(turn->world);
}

void world_step(struct world *world, unsigned n)
{
	struct turn turn = {.world = world, .chances = world->seed + n * UINT64_C(0x9e3779b97f4a7c15)};

	world->step = n;
	(void)chance(&turn.chances);
	turn.player = &world->players[below(&turn, WORLD_PLAYERS)];
	turn.slot = &turn.player->slots[below(&turn, WORLD_SLOTS)];
	unsigned what = below(&turn, 36);
	bool is_live = turn.slot->phase == SLOT_LIVE;
	if (what < 6)
		wait(&turn);
	else if (what < 7)
		vanish(&turn);
	else if (what < 8)
		unmount(&turn);
	else if (what < 9)
		fall_behind(&turn);
	else if (what < 11)
		nonsense(&turn);
	else if (what < 13)
		rehydrate(&turn);
	else if (!is_live)
		mount(&turn);
	else if (what < 19)
		act_set(&turn);
	else if (what < 23)
		act_put(&turn);
	else if (what < 25)
		act_other(&turn);
	else
		in_room(&turn);
}
