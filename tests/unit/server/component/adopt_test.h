/*
 * adopt_test - versions of components as a plugin would bring them: tables and texts that are gone, for the sanitizer
 * too, once nobody needs them.
 *
 * Thing is a private component, Board a singleton; each version answers "which" with its number, and adds a key of its
 * own to the state. A version is adopted by all shards of a stage, as the reloader would have it, and freed when no
 * shard uses it.
 */
#ifndef UNIT_ADOPT_TEST_H
#define UNIT_ADOPT_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/component/adopt.h"
#include "server/component/definition.h"
#include "stage/component_stage.h"
#include "unit/core/core_test.h"

enum { NODES = 4, KEPT = 16 };

/* What authors hold: replies and questions that wait. */
static live_deferred *replies[KEPT];
static live_auth_request *questions[KEPT];
static unsigned reply_count, question_count;

#define WHICH(version)                                                                                 \
	static int which_##version(live_component *self, const live_value *payload, live_reply *reply) \
	{                                                                                              \
		(void)self, (void)payload;                                                             \
		live_reply_value(reply, live_int(version));                                            \
		return 0;                                                                              \
	}                                                                                              \
	static void rehydrate_##version(live_component *self, const live_value *previous)              \
	{                                                                                              \
		live_set(self, "from", live_value_ref(live_get(previous, "made")));                    \
		live_set(self, "to", live_int(version));                                               \
	}                                                                                              \
	static void join_##version(live_component *self, const char *connection, unsigned clients)     \
	{                                                                                              \
		(void)connection;                                                                      \
		live_set(self, "joined" #version, live_int(clients));                                  \
	}

WHICH(1)
WHICH(2)
WHICH(3)

static int count_one(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

static int keep_reply(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self, (void)payload;
	replies[reply_count++] = live_reply_defer(reply);
	return 0;
}

static const live_value *work(const live_value *argument)
{
	return live_value_ref(argument);
}

static void worked(live_component *self, const live_value *result)
{
	live_set(self, "worked", live_value_ref(result));
}

static int offload(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	return live_offload(self, work, live_int(1), worked);
}

static int on_mount(live_component *self, live_reply *reply)
{
	return live_get_bool(self, "slow") ? keep_reply(self, NULL, reply) : 0;
}

static void authorize(const live_auth *auth, const char *component, const char *action, const live_value *payload,
		      live_auth_request *request)
{
	(void)auth, (void)component, (void)action, (void)payload;
	questions[question_count++] = request;
}

struct version {
	live_definition definitions[2];
	live_action *actions;
	live_action_rule *rules;
	live_auth_rule *auth;
	char *default_state;
	const struct registry *registry;
	struct registry *own; /* NULL: the stage's */
};

static void define(struct version *self, unsigned index, const char *name, unsigned number, bool moves)
{
	void (*const rehydrate[])(live_component *, const live_value *) = {rehydrate_1, rehydrate_2, rehydrate_3};
	void (*const join[])(live_component *, const char *, unsigned) = {join_1, join_2, join_3};

	self->definitions[index] = (live_definition){
		.name = mem_strndup(name, strlen(name)),
		.default_state = self->default_state,
		.singleton = index == 1,
		.actions = self->actions,
		.rules = self->rules,
		.move_on_reload = moves,
		.private_size = 16 * number,
		.on_mount = on_mount,
		.on_rehydrate = rehydrate[number - 1],
		.on_client_join = join[number - 1],
	};
}

/* Version number (1 to 3) of both. */
static struct version *version_new(unsigned number, bool moves)
{
	struct version *self = mem_alloc(sizeof *self);
	live_action_fn *const which[] = {which_1, which_2, which_3};
	const live_action actions[] = {{"which", which[number - 1]}, {"count", count_one}, {"keep", keep_reply},
				       {"offload", offload},         {"asked", count_one}, {NULL, NULL}};
	char state[128];

	snprintf(state, sizeof state, "{\"made\":%u,\"count\":0,\"new%u\":true}", number, number);
	self->default_state = mem_strndup(state, strlen(state));
	self->actions = mem_alloc(sizeof actions);
	for (unsigned i = 0; actions[i].name; i++)
		self->actions[i] = (live_action){mem_strndup(actions[i].name, strlen(actions[i].name)), actions[i].run};
	self->auth = mem_alloc(sizeof *self->auth);
	self->auth->authorize = authorize;
	self->rules = mem_alloc(2 * sizeof *self->rules);
	self->rules[0] = (live_action_rule){.action = self->actions[4].name, .auth = self->auth};
	define(self, 0, "Thing", number, moves);
	define(self, 1, "Board", number, moves);
	return self;
}

static bool is_used(const struct version *self, const struct component_stage *stage)
{
	const struct component_shard *here;

	for (unsigned i = 0; (here = component_stage_shard(stage, i)); i++)
		if (adopt_uses(here, self->registry))
			return true;
	return false;
}

static void version_free(struct version *self)
{
	registry_free(self->own);
	for (unsigned i = 0; self->actions[i].name; i++)
		free((char *)(uintptr_t)self->actions[i].name);
	for (unsigned i = 0; i < 2; i++)
		free((char *)(uintptr_t)self->definitions[i].name);
	free(self->default_state);
	free(self->actions);
	free(self->rules);
	free(self->auth);
	free(self);
}

/* All shards of stage go over to next. Its name is the stage's own if it was the first. */
static void adopt(struct component_stage *stage, struct version *next)
{
	struct component_shard *here;
	char error[128];

	next->registry = next->own = registry_new();
	for (unsigned i = 0; i < 2; i++) {
		int rc = registry_add(next->own, &next->definitions[i], "test", error, sizeof error);
		ck_assert_msg(rc == 0, "%s", error);
	}
	for (unsigned i = 0; (here = component_stage_shard(stage, i)); i++) {
		stage_enter(component_stage_steps(stage), i);
		adopt_registry(here, next->own);
	}
	shard_enter(NULL);
}

static int64_t ask_which(struct stage_client *client, const char *id)
{
	return live_as_int(
		live_get(stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'which'", id),
			 "result"),
		-1);
}

/* What its client holds of a component. */
static int64_t seen(struct stage_client *client, const char *id, const char *key)
{
	const live_value *state = stage_client_state(client, id);
	const live_value *value = live_get(state, key);
	int64_t number = live_value_type(value) == LIVE_BOOL ? live_as_bool(value) : live_as_int(value, -1);

	live_value_unref(state);
	return number;
}

/* Ids are loans of messages. */
static char *kept_id(const char *id)
{
	static char ids[KEPT][32];
	static unsigned next;

	ck_assert_ptr_nonnull(id);
	char *kept = ids[next++ % KEPT];
	snprintf(kept, sizeof ids[0], "%s", id);
	return kept;
}

#endif
