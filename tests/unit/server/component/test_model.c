/* Clients on several shards do what chance says; what each holds at the end is what the server holds, and nothing is
 * left. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

enum { SHARDS = 4, CLIENTS = 6, STEPS = 300, ROUNDS = 12 };

static int set(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	for (live_iter it = {0}; live_next(payload, &it);)
		live_set_state(self, live_value_ref(it.value));
	return 0;
}

static int get(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_value_ref(live_state(self)));
	return 0;
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

#define DOES                                                   \
	.default_state = "{\"a\":{\"b\":{\"c\":1}},\"d\":[]}", \
	.actions = LIVE_ACTIONS({"set", set}, {"get", get}, {"count", count}), .on_room_join = on_room_join

static const live_definition own = {.name = "Own", DOES};
static const live_definition shared = {.name = "Shared", .singleton = true, DOES};

struct player {
	struct stage_client *client;
	char ids[2][16]; /* "": not mounted */
};

static const char *const names[] = {"Own", "Shared"};

static void act(struct component_stage *stage, struct player *player, uint64_t *chances)
{
	unsigned which = (unsigned)chance_below(chances, 2);
	char *id = player->ids[which];
	char *text;

	switch (chance_below(chances, 12)) {
	case 0:
		stage_client_vanish(player->client);
		player->client = stage_client_new(stage, (unsigned)chance_below(chances, SHARDS));
		memset(player->ids, 0, sizeof player->ids);
		break;
	case 1:
		if (*id)
			stage_client_send(player->client, "{'type':'COMPONENT_UNMOUNT','componentId':'%s'}", id);
		*id = 0;
		break;
	case 2:
		stage_client_send(player->client, "{'type':'ROOM_JOIN','componentId':'%s','roomId':'lobby'}", id);
		break;
	case 3:
		stage_client_send(player->client, "{'type':'ROOM_LEAVE','componentId':'%s','roomId':'lobby'}", id);
		break;
	case 4:
		stage_client_send(player->client,
				  "{'type':'ROOM_STATE_SET','componentId':'%s','roomId':'lobby',"
				  "'payload':{'state':{'x':%u}}}",
				  id, (unsigned)chance_below(chances, 9));
		break;
	case 5:
		stage_client_send(player->client, "{'type':'CALL_ACTION','componentId':'%s','action':'count'}", id);
		break;
	case 6: stage_run(component_stage_steps(stage)); break;
	case 7: stage_advance(component_stage_steps(stage), (int64_t)chance_below(chances, 2000)); break;
	case 8:
		if (!*id)
			snprintf(id, sizeof player->ids[0], "%s",
				 stage_client_mount(player->client, names[which],
						    chance_below(chances, 2) ? "{}" : "{'count':0}"));
		break;
	default: {
		const live_value *patch = chance_value(chances, 4, 4);
		patch = live_object("p", live_with(NULL, "a", patch), "q",
				    live_with(NULL, "a", chance_value(chances, 4, 4)), NULL);
		text = live_to_json(patch, NULL);
		live_value_unref(patch);
		if (!strchr(text, '\''))
			stage_client_send(player->client,
					  "{'type':'CALL_ACTION','componentId':'%s','action':'set','payload':%s}", id,
					  text);
		free(text);
		break;
	}
	}
}

/* Without the nulls inside objects: a delta cannot say that a nested key is null, so where an object takes the place of
 * something else and of another object within one tick, the two may differ in them. */
static const live_value *without_nulls(const live_value *value)
{
	const live_value *clean = live_value_ref(value);

	if (live_value_type(value) != LIVE_OBJECT)
		return clean;
	for (live_iter it = {0}; live_next(value, &it);) {
		char key[32];
		snprintf(key, sizeof key, "%.*s", (int)it.key_len, it.key);
		const live_value *next = live_is_null(it.value) ? live_without(clean, key)
								: live_with(clean, key, without_nulls(it.value));
		live_value_unref(clean);
		clean = next;
	}
	return clean;
}

/* What the client made of all pushes is what the server says that it is. */
static void compare(struct stage_client *client, const char *id)
{
	if (!*id)
		return;
	const live_value *reply =
		stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'get'", id);
	const live_value *merged = stage_client_state(client, id);
	const live_value *state = without_nulls(merged), *result = without_nulls(live_get(reply, "result"));
	live_value_unref(merged);
	ck_assert(live_as_bool(live_get(reply, "success")));
	char *held = live_to_json(state, NULL), *wanted = live_to_json(result, NULL);
	ck_assert_msg(live_equal(result, state), "%s\nholds %s\nnot   %s", id, held, wanted);
	free(held);
	free(wanted);
	live_value_unref(state);
	live_value_unref(result);
	stage_client_check(client);
}

static void play(uint64_t *chances)
{
	struct component_stage *stage =
		component_stage_new(SHARDS, chance(chances), (const live_definition *[]){&own, &shared, NULL});
	struct player players[CLIENTS] = {0};

	for (unsigned i = 0; i < CLIENTS; i++)
		players[i].client = stage_client_new(stage, i % SHARDS);
	for (unsigned i = 0; i < STEPS; i++)
		act(stage, &players[chance_below(chances, CLIENTS)], chances);
	component_stage_run(stage);
	for (unsigned i = 0; i < CLIENTS; i++)
		for (unsigned which = 0; which < 2; which++)
			compare(players[i].client, players[i].ids[which]);
	component_stage_free(stage);
}

START_TEST(test_by_chance)
{
	uint64_t chances = test_seed();
	for (unsigned i = 0; i < ROUNDS; i++)
		play(&chances);
}
END_TEST

/* One component, patched by chance several times in each tick: its client holds what the server holds. */
static void compare_states(uint64_t *chances, const char *name)
{
	struct component_stage *stage =
		component_stage_new(2, chance(chances), (const live_definition *[]){&own, &shared, NULL});
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, name, "{}");

	for (unsigned i = 0; i < 60; i++) {
		const live_value *patches = live_object("p", live_with(NULL, "a", chance_value(chances, 5, 3)), "q",
							live_with(NULL, "a", chance_value(chances, 5, 3)), "r",
							live_with(NULL, "d", chance_value(chances, 3, 3)), NULL);
		char *text = live_to_json(patches, NULL);
		live_value_unref(patches);
		stage_client_send(client, "{'type':'CALL_ACTION','componentId':'%s','action':'set','payload':%s}", id,
				  text);
		free(text);
		if (chance_below(chances, 2))
			component_stage_run(stage);
	}
	compare(client, id);
	component_stage_free(stage);
}

START_TEST(test_states)
{
	uint64_t chances = test_seed();
	for (unsigned i = 0; i < 6; i++)
		compare_states(&chances, names[i % 2]);
}
END_TEST

CORE_TESTS("component model", test_by_chance, test_states)
