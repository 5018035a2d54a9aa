/*
 * The registry, the performance monitor and the debugger, asked by the program.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t by = live_as_int(live_get(payload, "by"), 1);

	if (by < 0)
		return live_reply_error(reply, "%lld is too few", (long long)by);
	live_set(self, "count", live_int(live_get_int(self, "count") + by));
	live_reply_value(reply, live_stringf("%s: %lld", live_auth_user_id(live_reply_auth(reply)),
					     (long long)live_get_int(self, "count")));
	return 0;
}

static live_deferred *waiting;

static int later(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	waiting = live_reply_defer(reply);
	return 0;
}

static const live_auth_rule nobody = {.required = true};
static const live_action_rule rules[] = {{.action = "add", .auth = &nobody}, {.action = NULL}};
static const live_action actions[] = {{"add", add}, {"later", later}, {NULL, NULL}};
static const live_definition counter = {.name = "Counter",
					.private_size = sizeof(int),
					.default_state = "{\"count\":0}",
					.actions = actions,
					.rules = rules};
static const live_definition board = {
	.name = "Board", .default_state = "{\"count\":0}", .actions = actions, .singleton = true};

static struct embed_stage *stage;
static live_server *server;

static void begin(void)
{
	stage = embed_stage_new((const live_definition *[]){&counter, &board, NULL});
	server = embed_stage_server(stage);
	embed_stage_start(stage);
}

static void finish(void)
{
	embed_stage_free(stage);
}

START_TEST(which)
{
	begin();
	EMBED_EXPECT("['Counter','Board']", live_registry_names(server, live_wait_done, W));
	EMBED_EXPECT("[]", live_registry_list(server, NULL, live_wait_done, W));
	struct embed_client *ana = embed_client_new(stage, NULL, NULL), *bob = embed_client_new(stage, NULL, NULL);
	const char *own = embed_client_mount(ana, "Counter", "lobby");
	const char *shared = embed_client_mount(ana, "Board", NULL);
	ck_assert_str_eq(embed_client_mount(bob, "Board", NULL), shared);
	char expected[300];
	snprintf(expected, sizeof expected, "['%s']", own);
	EMBED_EXPECT(expected, live_registry_list(server, "Counter", live_wait_done, W));
	snprintf(expected, sizeof expected,
		 "{'components':2,'definitions':2,'rooms':1,'connections':2,'singletons':{'Board':{'componentId':'%s',"
		 "'connections':2}},'roomDetails':{'lobby':1}}",
		 shared);
	EMBED_EXPECT(expected, live_registry_stats(server, live_wait_done, W));
	const live_value *about = EMBED_ANSWER(live_registry_get(server, own, live_wait_done, W));
	ck_assert_str_eq(live_as_string(live_get(about, "name")), "Counter");
	ck_assert_str_eq(live_as_string(live_get(about, "room")), "lobby");
	ck_assert_str_eq(live_as_string(live_get(about, "connection")), embed_client_id(ana));
	ck_assert(live_is_null(live_get(about, "userId")));
	ck_assert_int_eq(live_as_int(live_path(about, "state.count"), -1), 0);
	ck_assert_str_eq(live_as_string(live_path(about, "rooms.0")), "lobby");
	live_value_unref(about);
	ck_assert_str_eq(EMBED_ERROR(live_registry_get(server, "nobody", live_wait_done, W)), "Component not found");
	finish();
}
END_TEST

static const live_value *double_it(live_component *self, const live_value *question)
{
	live_set(self, "count", live_int(2 * live_as_int(question, 0)));
	return live_string(live_name(self));
}

static const live_value *plus_ten(const live_value *state, const live_value *argument)
{
	return live_object("count", live_int(live_as_int(live_get(state, "count"), 0) + live_as_int(argument, 0)),
			   NULL);
}

/* What an author finds on an instance, found by a visit. */
static const live_value *look_around(live_component *self, const live_value *question)
{
	int *private = live_private(self);

	ck_assert_int_eq(*private, 0);
	*private = 1;
	ck_assert(live_shard(self) < live_shard_count(self) && *live_node(self) && live_now_ms(self) > 0);
	ck_assert(!live_auth_is_authenticated(live_auth_of(self)));
	ck_assert_ptr_null(live_user_id(self));
	ck_assert_str_eq(live_room(self), "lobby");
	live_set(self, "name", live_string("Ana"));
	live_set(self, "half", live_double(0.5));
	live_set(self, "good", live_bool(true));
	live_set_state(self, live_object("count", live_int(1), NULL));
	live_update_state(self, plus_ten, live_int(10));
	ck_assert_str_eq(live_get_string(self, "name"), "Ana");
	ck_assert_double_eq(live_get_double(self, "half"), 0.5);
	ck_assert(live_get_bool(self, "good") && live_get_int(self, "count") == 11);
	live_emit(self, "NOTICE", live_value_ref(question));
	ck_assert_int_eq(live_broadcast(self, "NEWS", live_int(1), false), 0);
	return live_value_ref(live_state(self));
}

START_TEST(members_of_an_instance)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", "lobby");
	EMBED_EXPECT("{'count':11,'name':'Ana','half':0.5,'good':true}",
		     live_registry_visit(server, id, look_around, live_string("hear"), live_wait_done, W));
	const live_value *notice = embed_client_wait(ana, "type", "NOTICE");
	ck_assert_str_eq(live_as_string(live_get(notice, "payload")), "hear");
	embed_client_wait(ana, "type", "BROADCAST");
	finish();
}
END_TEST

START_TEST(visit_and_execute)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	EMBED_EXPECT("'Counter'", live_registry_visit(server, id, double_it, live_int(21), live_wait_done, W));
	const live_value *delta = embed_client_wait(ana, "type", "STATE_DELTA");
	ck_assert_int_eq(live_as_int(live_path(delta, "payload.delta.count"), 0), 42);

	const live_auth *auth = live_auth_new(live_object("id", live_string("root"), NULL), NULL);
	EMBED_EXPECT("'root: 45'", live_registry_execute(server, id, "add", live_object("by", live_int(3), NULL), auth,
							 live_wait_done, W));
	live_auth_unref(auth);
	delta = embed_client_wait(ana, "type", "STATE_DELTA");
	ck_assert_int_eq(live_as_int(live_path(delta, "payload.delta.count"), 0), 45);
	ck_assert_str_eq(EMBED_ERROR(live_registry_execute(server, id, "add", live_object("by", live_int(-1), NULL),
							   NULL, live_wait_done, W)),
			 "-1 is too few");
	embed_client_wait(ana, "payload.error", "-1 is too few");
	ck_assert_str_eq(EMBED_ERROR(live_registry_execute(server, id, "steal", NULL, NULL, live_wait_done, W)),
			 "Action 'steal' is not callable");
	ck_assert_str_eq(EMBED_ERROR(live_registry_execute(server, "x", "add", NULL, NULL, live_wait_done, W)),
			 "Component not found");
	finish();
}
END_TEST

/* A deferred reply reaches the program; one whose component ends, and one whose server ends, too. */
START_TEST(deferred)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	for (int round = 0; round < 3; round++) {
		live_wait *wait = live_wait_new();
		waiting = NULL;
		live_registry_execute(server, id, "later", NULL, NULL, live_wait_done, wait);
		live_value_unref(EMBED_ANSWER(live_registry_get(server, id, live_wait_done, W)));
		ck_assert_ptr_nonnull(waiting);
		if (round == 1)
			live_value_unref(EMBED_ANSWER(live_registry_unmount(server, id, live_wait_done, W)));
		if (round == 2)
			live_server_shutdown(server, 0);
		live_deferred_value(waiting, live_string("at last"));
		if (round == 0)
			embed_expect(wait, "'at last'");
		else
			ck_assert_str_eq(embed_error(wait),
					 round == 1 ? "The component has ended" : "The server has ended");
		if (round == 1)
			id = embed_client_mount(ana, "Counter", NULL);
	}
	finish();
}
END_TEST

START_TEST(mount_and_unmount)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *connection = embed_client_id(ana);
	const live_value *mounted = EMBED_ANSWER(live_registry_mount(
		server, connection, "Counter", live_object("count", live_int(7), NULL), "lobby", live_wait_done, W));
	const char *id = live_as_string(live_get(mounted, "componentId"));
	ck_assert_int_eq(live_as_int(live_path(mounted, "initialState.count"), 0), 7);
	ck_assert_ptr_nonnull(live_as_string(live_path(mounted, "signedState.signature")));
	const live_value *push = embed_client_wait(ana, "type", "STATE_UPDATE");
	ck_assert_str_eq(live_as_string(live_get(push, "componentId")), id);
	embed_client_ask(ana, "'type':'PROPERTY_UPDATE','componentId':'%s','property':'count','payload':{'value':8}",
			 id);
	EMBED_EXPECT("null", live_registry_unmount(server, id, live_wait_done, W));
	ck_assert_str_eq(EMBED_ERROR(live_registry_unmount(server, id, live_wait_done, W)), "Component not found");
	live_value_unref(mounted);
	ck_assert_str_eq(EMBED_ERROR(live_registry_mount(server, connection, "None", NULL, NULL, live_wait_done, W)),
			 "Component 'None' not found");
	ck_assert_str_eq(EMBED_ERROR(live_registry_mount(server, "x", "Counter", NULL, NULL, live_wait_done, W)),
			 "Connection not found");
	embed_client_ask(ana, "'type':'COMPONENT_PING'"); /* it is not held */
	const char *shared = embed_client_mount(ana, "Board", NULL);
	EMBED_EXPECT("'(null): 1'", live_registry_execute(server, shared, "add", NULL, NULL, live_wait_done, W));
	EMBED_EXPECT("null", live_registry_unmount(server, shared, live_wait_done, W));
	finish();
}
END_TEST

/* A singleton is mounted for its clients as they would do it: the first makes it, the others join. */
START_TEST(mount_singleton)
{
	begin();
	struct embed_client *clients[3];
	const live_value *mounted[3];
	char id[32];

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = embed_client_new(stage, NULL, NULL);
		mounted[i] = EMBED_ANSWER(live_registry_mount(server, embed_client_id(clients[i]), "Board",
							      live_object("given", live_int(i), NULL), NULL,
							      live_wait_done, W));
		if (i == 0)
			snprintf(id, sizeof id, "%s", live_as_string(live_get(mounted[0], "componentId")));
		ck_assert_str_eq(live_as_string(live_get(mounted[i], "componentId")), id);
		ck_assert_int_eq(live_as_int(live_path(mounted[i], "initialState.given"), -1), 0);
		ck_assert_ptr_nonnull(live_as_string(live_path(mounted[i], "signedState.signature")));
		const live_value *push = embed_client_wait(clients[i], "type", "STATE_UPDATE");
		ck_assert_str_eq(live_as_string(live_get(push, "componentId")), id);
		embed_client_ask(clients[i], "'type':'COMPONENT_PING'"); /* it is not held, and got no answer */
		live_value_unref(mounted[i]);
	}
	/* Again is fine; each is a client like any other. */
	live_value_unref(EMBED_ANSWER(
		live_registry_mount(server, embed_client_id(clients[1]), "Board", NULL, NULL, live_wait_done, W)));
	ck_assert_str_eq(embed_client_mount(clients[2], "Board", NULL), id);
	const live_value *stats = EMBED_ANSWER(live_registry_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_as_int(live_path(stats, "singletons.Board.connections"), 0), 3);
	live_value_unref(stats);
	embed_client_ask(clients[1],
			 "'type':'PROPERTY_UPDATE','componentId':'%s','property':'count','payload':{'value':8}", id);
	for (unsigned i = 0; i < 3; i += 2)
		embed_client_wait(clients[i], "type", "STATE_DELTA");
	EMBED_EXPECT("null", live_registry_unmount(server, id, live_wait_done, W));
	finish();
}
END_TEST

/* ---- the monitor ---- */

START_TEST(statistics)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	for (int i = 0; i < 10; i++)
		EMBED_ERROR(live_registry_execute(server, id, "add", live_object("by", live_int(-1), NULL), NULL,
						  live_wait_done, W));
	const live_value *stats = EMBED_ANSWER(live_server_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_as_int(live_path(stats, "components.components"), 0), 1);
	live_value_unref(stats);
	stats = EMBED_ANSWER(live_performance_monitor_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_as_int(live_path(stats, "components.0.errorCount"), 0), 10);
	ck_assert_int_ge(live_as_int(live_get(stats, "totalAlerts"), 0), 1);
	live_value_unref(stats);
	const live_value *alerts = EMBED_ANSWER(live_performance_monitor_alerts(server, 0, live_wait_done, W));
	ck_assert_uint_eq(live_len(alerts), 1);
	ck_assert_str_eq(live_as_string(live_path(alerts, "0.type")), "high_error_rate");
	live_value_unref(alerts);
	finish();
}
END_TEST

START_TEST(debugger_is_off)
{
	begin();
	ck_assert(!live_debugger_is_enabled(server));
	EMBED_EXPECT("[]", live_debugger_events(server, NULL, NULL, 0, live_wait_done, W));
	finish();
}
END_TEST

START_TEST(debugger_is_on)
{
	live_options *options = live_options_new();
	ck_assert_int_eq(live_options_set(options, "debug", "true", NULL, 0), 0);
	stage = embed_stage_with(options, (const live_definition *[]){&counter, NULL});
	server = embed_stage_server(stage);
	embed_stage_start(stage);
	ck_assert(live_debugger_is_enabled(server));
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	/* Events travel from the component's shard to the one that keeps them: they may take a moment. */
	size_t count = 0;
	while (count == 0) {
		const live_value *events =
			EMBED_ANSWER(live_debugger_events(server, id, "COMPONENT_MOUNT", 5, live_wait_done, W));
		count = live_len(events);
		live_value_unref(events);
	}
	ck_assert_uint_eq(count, 1);
	const live_value *snapshot = EMBED_ANSWER(live_debugger_snapshot(server, live_wait_done, W));
	ck_assert_uint_eq(live_len(live_get(snapshot, "components")), 1);
	live_value_unref(snapshot);
	live_debugger_clear(server);
	EMBED_EXPECT("[]", live_debugger_events(server, id, "COMPONENT_MOUNT", 5, live_wait_done, W));
	finish();
}
END_TEST

CORE_TESTS("registry", which, members_of_an_instance, visit_and_execute, deferred, mount_and_unmount, mount_singleton,
	   statistics, debugger_is_off, debugger_is_on)
