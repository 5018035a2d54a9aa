/* Components whose author did what one should not: the server lives on, and every client gets its answers. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

enum { SEEDS = 6 };

/* ---- a component that ends itself in the hook that its state names ---- */

static void end_in(live_component *self, const char *hook)
{
	if (strcmp(live_get_string(self, "end"), hook))
		return;
	live_destroy(self);
	live_destroy(self);
	/* All of this must do nothing, and leave nothing behind. */
	live_set(self, "late", live_bool(true));
	live_emit(self, "LATE", NULL);
	live_room_join(self, "late", NULL);
	live_room_emit(self, "late", "e", NULL);
	live_room_leave(self, "late");
	live_broadcast(self, "late", NULL, false);
}

static void tick(live_component *self, live_timer *timer)
{
	live_timer_stop(timer);
	end_in(self, "timer");
}

static const live_value *work(const live_value *argument)
{
	return live_value_ref(argument);
}

static void done(live_component *self, const live_value *result)
{
	(void)result;
	end_in(self, "offload");
}

static void begin_all(live_component *self)
{
	live_every(self, 1, tick);
	live_after(self, 2, tick);
	live_offload(self, work, live_int(1), done);
}

static void on_connect(live_component *self)
{
	end_in(self, "connect");
}

static void on_room_event(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room;
	(void)event;
	(void)data;
	end_in(self, "event");
}

static int on_mount(live_component *self, live_reply *reply)
{
	if (!strcmp(live_get_string(self, "end"), "leave"))
		live_room_join(self, "own", NULL);
	live_room_join(self, "own", NULL);
	live_room_on(self, "own", "*", on_room_event);
	end_in(self, "mount");
	begin_all(self);
	if (!strcmp(live_get_string(self, "end"), "mount error"))
		return live_reply_error(reply, "no \xff good");
	return 0;
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	(void)previous;
	end_in(self, "rehydrate");
}

static void on_disconnect(live_component *self)
{
	end_in(self, "disconnect");
}

static void on_destroy(live_component *self)
{
	live_destroy(self);
	live_set(self, "late", live_bool(true));
	begin_all(self);
	live_room_leave(self, "own");
	live_room_join(self, "own", NULL);
	live_emit(self, "FAREWELL", live_object("a", live_int(1), NULL));
}

static void on_state_change(live_component *self, const live_value *changes)
{
	if (live_get(changes, "count"))
		live_set(self, "double", live_int(2 * live_get_int(self, "count")));
	end_in(self, "change");
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)payload;
	end_in(self, "before");
	if (!strcmp(action, "deferBefore"))
		live_deferred_value(live_reply_defer(reply), live_string("early"));
	return 0;
}

static void on_room_join(live_component *self, const char *room)
{
	if (!strcmp(live_get_string(self, "end"), "leave"))
		live_room_leave(self, room);
	end_in(self, "join");
}

static void on_room_leave(live_component *self, const char *room)
{
	live_room_leave(self, room);
	if (!strcmp(live_get_string(self, "end"), "rejoin"))
		live_room_join(self, room, NULL);
	end_in(self, "left");
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	ck_assert_uint_eq(strlen(connection), 8);
	ck_assert_uint_ge(clients, 1);
	end_in(self, clients == 1 ? "client join" : "second join");
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	(void)clients;
	ck_assert_uint_eq(strlen(connection), 8);
	end_in(self, "client leave");
}

static int go(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	end_in(self, "action");
	begin_all(self);
	return 0;
}

static int defer_after(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_destroy(self);
	live_deferred_value(live_reply_defer(reply), live_int(1));
	begin_all(self);
	return 0;
}

static int refuse(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_reply_value(reply, live_int(1));
	live_reply_value(reply, live_int(2));
	live_reply_error(reply, "first");
	return live_reply_error(reply, "%s", "bad \xc3 bytes \xff");
}

static int fail_silently(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return -1;
}

static int leave(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_room_leave(self, "own");
}

static int odd_values(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "null", NULL);
	live_set(self, "", live_string("empty key"));
	live_set(self, "bytes", live_binary("\0\xff", 2));
	live_set_state(self, live_int(3));
	live_set_state(self, NULL);
	live_emit(self, "\xff\"\n", NULL);
	live_room_set_state(self, "own", live_int(1));
	live_room_set_state(self, "own", NULL);
	live_room_emit(self, "own", "", NULL);
	live_room_join(self, NULL, NULL);
	ck_assert_int_lt(live_room_join(self, "a b", NULL), 0);
	ck_assert_int_lt(live_room_emit(self, "nowhere", "e", NULL), 0);
	ck_assert_uint_eq(live_room_members(self, "nowhere"), 0);
	return 0;
}

#define ALL_HOOKS                                                                                                     \
	.default_state = LIVE_JSON({"end" : "", "count" : 0, "double" : 0}),                                          \
	.actions = LIVE_ACTIONS({"go", go}, {"deferBefore", go}, {"deferAfter", defer_after}, {"fail", refuse},       \
				{"failSilently", fail_silently}, {"leave", leave}, {"odd", odd_values}),              \
	.on_connect = on_connect, .on_mount = on_mount, .on_rehydrate = on_rehydrate, .on_disconnect = on_disconnect, \
	.on_destroy = on_destroy, .on_state_change = on_state_change, .on_action = on_action,                         \
	.on_room_join = on_room_join, .on_room_leave = on_room_leave, .on_client_join = on_client_join,               \
	.on_client_leave = on_client_leave

static const live_definition own = {.name = "Own", ALL_HOOKS};
static const live_definition shared = {.name = "Shared", .singleton = true, ALL_HOOKS};

static struct component_stage *new_stage(void)
{
	return component_stage_new(3, 0, (const live_definition *[]){&own, &shared, NULL});
}

static const char *const hooks[] = {
	"",      "connect", "mount", "mount error", "rehydrate",   "disconnect",  "change",       "before",
	"join",  "left",    "leave", "rejoin",      "client join", "second join", "client leave", "action",
	"timer", "offload", "event",
};

/* One client mounts it, does what it can, comes back with the state, and goes. */
static void live_through(struct component_stage *stage, const char *name, const char *hook, unsigned shard)
{
	struct stage_client *client = stage_client_new(stage, shard);
	struct stage_client *other = stage_client_new(stage, (shard + 1) % 3);
	char props[64], rooms[32];

	snprintf(props, sizeof props, "{'end':'%s'}", hook);
	snprintf(rooms, sizeof rooms, "room=own %s", name);
	const char *id = stage_client_mount(client, name, props);
	const char *second = stage_client_mount(other, rooms, props);
	stage_client_check(client);
	stage_client_check(other);
	for (unsigned i = 0; id && i < 2; i++) {
		stage_client_ask(client, "'type':'ROOM_JOIN','componentId':'%s','roomId':'own'", id);
		stage_client_act(client, id, "go", "{}");
		stage_client_act(client, id, "leave", "{}");
		stage_client_ask(client, "'type':'ROOM_LEAVE','componentId':'%s','roomId':'own'", id);
		stage_client_check(client);
	}
	stage_advance(component_stage_steps(stage), 20);
	if (second)
		stage_client_ask(other, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", second);
	if (id)
		stage_client_act(client, id, "deferAfter", "{}");
	stage_client_check(client);
	stage_client_check(other);
	if (shard == 1)
		stage_client_vanish(client);
	stage_advance(component_stage_steps(stage), 5000);
}

START_TEST(test_ends_in_every_hook)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct component_stage *stage = new_stage();
		for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
			live_through(stage, "Own", hooks[i], seed % 3);
			live_through(stage, "Shared", hooks[i], seed % 3);
		}
		component_stage_free(stage);
	}
}
END_TEST

/* The same, by a client that goes at once, while everything is on its way. */
START_TEST(test_gone_at_once)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct component_stage *stage = new_stage();
		for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
			struct stage_client *clients[2] = {stage_client_new(stage, 0), stage_client_new(stage, 1)};
			for (unsigned c = 0; c < 2; c++) {
				stage_client_send(clients[c],
						  "{'type':'COMPONENT_MOUNT','payload':{'component':'%s','room':'own',"
						  "'props':{'end':'%s'}}}",
						  seed % 2 ? "Own" : "Shared", hooks[i]);
				stage_client_send(clients[c], "{'type':'PING'}");
				for (unsigned steps = 0; steps < seed; steps++)
					shard_step(shard_group_at(stage_group(component_stage_steps(stage)),
								  (steps + c) % 3));
				stage_client_vanish(clients[c]);
			}
		}
		component_stage_free(stage);
	}
}
END_TEST

START_TEST(test_on_rehydrate)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	static const char *const names[] = {"Own", "Shared"};

	for (size_t i = 0; i < 2; i++) {
		static const char *const ends[] = {"", "connect", "rehydrate", "client join"};
		for (size_t e = 0; e < 4; e++) {
			const char *id = stage_client_mount(client, names[i], "{}");
			ck_assert_ptr_nonnull(id);
			stage_client_act(client, id, "go", "{}");
			stage_client_ask(client,
					 "'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'end':'%s'}}",
					 id, ends[e]);
			stage_advance(component_stage_steps(stage), 1500);
			const live_value *signature = stage_client_wait(client, "STATE_SIGNATURE");
			const live_value *next;
			while ((next = stage_client_take(client)))
				signature = strcmp(stage_text(next, "type"), "STATE_SIGNATURE") ? signature : next;
			char *text = live_to_json(live_path(signature, "payload.signedState"), NULL);
			stage_client_ask(client, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", id);
			const live_value *reply = stage_client_ask(
				client,
				"'type':'COMPONENT_REHYDRATE','componentId':'%s','payload':{'component':'%s',"
				"'signedState':%s}",
				id, names[i], text);
			free(text);
			ck_assert_str_eq(stage_text(reply, "type"), "COMPONENT_REHYDRATED");
			stage_client_check(client);
			const char *now = live_as_string(live_path(reply, "result.newComponentId"));
			if (now)
				stage_client_ask(client, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", now);
		}
	}
	component_stage_free(stage);
}
END_TEST

START_TEST(test_replies)
{
	struct component_stage *stage = new_stage();
	static const char *const names[] = {"Own", "Shared"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_client *client = stage_client_new(stage, 2);
		const char *id = stage_client_mount(client, names[i], "{}");
		const live_value *reply =
			stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'fail'", id);
		ck_assert_str_eq(stage_text(reply, "error"), "bad \xef\xbf\xbd bytes \xef\xbf\xbd");
		ck_assert_ptr_null(live_get(reply, "result"));
		reply = stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'failSilently'", id);
		ck_assert_str_eq(stage_text(reply, "error"), "Action failed");
		ck_assert(stage_client_act(client, id, "odd", "{}"));
		ck_assert(stage_client_act(client, id, "go", "{}"));
		stage_client_check(client);
		/* Set in on_state_change: sent, in the same delta, and not again and again. */
		ck_assert(stage_client_act(client, id, "go", "{}"));
		reply = stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'deferBefore'", id);
		ck_assert_str_eq(stage_text(reply, "result"), "early");
	}
	component_stage_free(stage);
}
END_TEST

START_TEST(test_state_in_on_state_change)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, "Own", "{}");
	stage_client_send(client, "{'type':'CALL_ACTION','componentId':'%s','action':'go'}", id);
	const live_value *delta = stage_client_wait(client, "STATE_DELTA");
	ck_assert_int_eq(live_as_int(live_path(delta, "payload.delta.count"), 0), 1);
	ck_assert_int_eq(live_as_int(live_path(delta, "payload.delta.double"), 0), 2);
	ck_assert_uint_eq(stage_client_count(client, "STATE_DELTA"), 1);
	component_stage_free(stage);
}
END_TEST

/* ---- replies that others keep ---- */

static live_deferred *kept[64];
static unsigned kept_count;

static int keep(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	kept[kept_count++] = live_reply_defer(reply);
	ck_assert_ptr_eq(live_reply_defer(reply), kept[kept_count - 1]);
	return 0;
}

static int keep_mount(live_component *self, live_reply *reply)
{
	return live_get_bool(self, "slow") ? keep(self, NULL, reply) : 0;
}

static void *answer_all(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < kept_count; i++) {
		if (i % 3)
			live_deferred_value(kept[i], live_int(i));
		else
			live_deferred_error(kept[i], "late");
	}
	return NULL;
}

static const live_definition keeper = {.name = "Keeper",
				       .default_state = "{\"slow\":false}",
				       .actions = LIVE_ACTIONS({"keep", keep}),
				       .on_mount = keep_mount};
static const live_definition shared_keeper = {.name = "SharedKeeper",
					      .default_state = "{\"slow\":false}",
					      .singleton = true,
					      .actions = LIVE_ACTIONS({"keep", keep}),
					      .on_mount = keep_mount};

static void keep_some(struct component_stage *stage, const char *name)
{
	for (unsigned i = 0; i < 6; i++) {
		struct stage_client *client = stage_client_new(stage, i % 2);
		if (i > 3) {
			stage_client_send(client,
					  "{'type':'COMPONENT_MOUNT','payload':{'component':'%s','props':"
					  "{'slow':true}}}",
					  name);
			stage_client_send(client, "{'type':'PING'}");
			component_stage_run(stage);
			continue;
		}
		const char *id = stage_client_mount(client, name, "{}");
		for (unsigned n = 0; n < 3; n++)
			stage_client_send(client,
					  "{'type':'CALL_ACTION','componentId':'%s','action':'keep','requestId':'k%u',"
					  "'expectResponse':true}",
					  id, n);
		stage_client_check(client); /* not held by its own deferred replies */
		if (i == 1)
			stage_client_send(client, "{'type':'COMPONENT_UNMOUNT','componentId':'%s'}", id);
		if (i == 2)
			stage_client_vanish(client);
	}
}

/* By the shard itself, by a thread that is none, and when everybody is gone. */
START_TEST(test_deferred)
{
	for (int how = 0; how < 3; how++) {
		struct component_stage *stage =
			component_stage_new(2, 0, (const live_definition *[]){&keeper, &shared_keeper, NULL});
		pthread_t thread;
		kept_count = 0;
		keep_some(stage, "Keeper");
		keep_some(stage, "SharedKeeper");
		component_stage_run(stage);
		ck_assert_uint_ge(kept_count, 24);
		if (how == 0) {
			stage_enter(component_stage_steps(stage), 1);
			answer_all(NULL);
		} else {
			int rc = pthread_create(&thread, NULL, answer_all, NULL);
			ck_assert_int_eq(rc, 0);
			pthread_join(thread, NULL);
		}
		if (how != 2)
			component_stage_run(stage);
		component_stage_free(stage);
	}
}
END_TEST

/* A reply that never comes is an error after the deadline, in its own words; one that comes too late does nothing. */
START_TEST(test_never_answered)
{
	struct component_stage *stage =
		component_stage_new(2, 0, (const live_definition *[]){&keeper, &shared_keeper, NULL});
	static const char *const keepers[] = {"Keeper", "SharedKeeper"};
	kept_count = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct stage_client *client = stage_client_new(stage, i);
		const char *id = stage_client_mount(client, keepers[i], "{}");
		stage_client_send(client,
				  "{'type':'CALL_ACTION','componentId':'%s','action':'keep','requestId':'k',"
				  "'expectResponse':true}",
				  id);
		stage_advance(component_stage_steps(stage), 9000);
		ck_assert_uint_eq(stage_client_count(client, "ACTION_RESPONSE"), 0);
		stage_advance(component_stage_steps(stage), 2000);
		const live_value *reply = stage_client_wait(client, "ACTION_RESPONSE");
		ck_assert_str_eq(stage_text(reply, "error"), "Action 'keep' timed out after 10000ms");
		ck_assert_str_eq(stage_text(reply, "requestId"), "k");
		stage_enter(component_stage_steps(stage), i);
		live_deferred_value(kept[i], NULL);
		component_stage_run(stage);
		ck_assert_uint_eq(stage_client_count(client, "ACTION_RESPONSE"), 1);
	}
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("misbehaving", test_ends_in_every_hook, test_gone_at_once, test_on_rehydrate, test_replies,
	   test_state_in_on_state_change, test_deferred, test_never_answered)
