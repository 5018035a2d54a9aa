/* The order of hooks and frames of behaviour.md section 2, written down by a component's hooks. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

static char diary[1024];

static void note(const char *what)
{
	snprintf(diary + strlen(diary), sizeof diary - strlen(diary), "%s ", what);
}

static void on_connect(live_component *self)
{
	note("connect");
	live_set(self, "connected", live_bool(true));
}

static int on_mount(live_component *self, live_reply *reply)
{
	note("mount");
	live_set(self, "mounted", live_bool(true));
	live_room_join(self, "extra", NULL);
	return live_get_bool(self, "fails") ? live_reply_error(reply, "no disk") : 0;
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	(void)self;
	note("rehydrate");
	ck_assert(live_as_bool(live_get(previous, "mounted")));
}

static void on_disconnect(live_component *self)
{
	(void)self;
	note("disconnect");
}

static void on_destroy(live_component *self)
{
	note("destroy");
	live_emit(self, "LAST", NULL);
}

static void on_state_change(live_component *self, const live_value *changes)
{
	(void)self;
	(void)changes;
	note("change");
}

static void on_room_join(live_component *self, const char *room)
{
	ck_assert(live_room_is_member(self, room));
	note("joined");
	note(room);
	live_set(self, "room", live_string(room));
}

static void on_room_leave(live_component *self, const char *room)
{
	ck_assert(!live_room_is_member(self, room));
	note("left");
	note(room);
}

static const live_definition writer = {
	.name = "Writer",
	.default_state = "{\"fails\":false}",
	.on_connect = on_connect,
	.on_mount = on_mount,
	.on_rehydrate = on_rehydrate,
	.on_disconnect = on_disconnect,
	.on_destroy = on_destroy,
	.on_state_change = on_state_change,
	.on_room_join = on_room_join,
	.on_room_leave = on_room_leave,
};

static const live_definition keeper = {.name = "Keeper", .default_state = "{\"a\":{\"b\":1},\"c\":2}"};

static struct component_stage *new_stage(void)
{
	diary[0] = 0;
	return component_stage_new(2, 0, (const live_definition *[]){&writer, &keeper, NULL});
}

static void expect_types(struct stage_client *client, const char *types)
{
	char all[512] = "";
	const live_value *message;

	while ((message = stage_client_take(client)))
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", stage_text(message, "type"));
	ck_assert_str_eq(all, types);
}

/* Props, and what was signed, take the place of the defaults as they are, with the nulls in them. */
START_TEST(test_initial_state)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const live_value *reply = stage_client_ask(
		client, "'type':'COMPONENT_MOUNT','payload':{'component':'Keeper','props':{'a':{'n':null},'d':null}}");
	assert_prints(live_value_ref(live_path(reply, "result.initialState")),
		      "{\"a\":{\"n\":null},\"c\":2,\"d\":null}");
	char *text = live_to_json(live_path(reply, "result.signedState"), NULL);
	reply = stage_client_ask(client,
				 "'type':'COMPONENT_REHYDRATE','componentId':'%s','payload':{'component':'Keeper',"
				 "'signedState':%s}",
				 stage_text(reply, "result.componentId"), text);
	const live_value *state = stage_client_state(client, stage_text(reply, "result.newComponentId"));
	assert_prints(state, "{\"a\":{\"n\":null},\"c\":2,\"d\":null}");
	free(text);
	component_stage_free(stage);
}
END_TEST

START_TEST(test_mount)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	stage_client_send(client,
			  "{'type':'COMPONENT_MOUNT','componentId':'tmp','requestId':'m','payload':{'component':"
			  "'Writer','room':'lobby'}}");
	stage_client_send(client, "{'type':'COMPONENT_PING','requestId':'p'}");
	component_stage_run(stage);
	/* The default room's join was asked for before on_mount's; both are answered before the mount is. */
	ck_assert_int_eq(strncmp(diary, "connect change mount change joined ", 35), 0);
	ck_assert_ptr_nonnull(strstr(diary, "joined lobby"));
	ck_assert_ptr_nonnull(strstr(diary, "joined extra"));
	ck_assert_str_eq(stage_text(stage_client_take(client), "type"), "STATE_UPDATE");
	const live_value *delta = stage_client_wait(client, "STATE_DELTA");
	ck_assert(live_as_bool(live_path(delta, "payload.delta.connected")));
	const live_value *reply = stage_client_wait(client, "MESSAGE_RESPONSE");
	ck_assert_str_eq(stage_text(reply, "componentId"), "tmp");
	ck_assert(live_as_bool(live_path(reply, "result.initialState.mounted")));
	ck_assert_ptr_nonnull(live_path(reply, "result.initialState.room"));
	const char *data = stage_text(reply, "result.signedState.data");
	ck_assert_str_eq(data, "{\"fails\":false,\"__componentName\":\"Writer\"}"); /* before the hooks */
	expect_types(client, "COMPONENT_PONG ");                                    /* it waited */

	diary[0] = 0;
	const char *id = stage_text(reply, "result.componentId");
	stage_client_ask(client, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", id);
	ck_assert_str_eq(diary, "destroy ");
	ck_assert_uint_eq(stage_client_count(client, "LAST"), 1);
	component_stage_free(stage);
}
END_TEST

START_TEST(test_mount_that_fails)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, "Writer", "{'fails':true}");
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(stage_client_count(client, "ERROR"), 1);
	diary[0] = 0;
	stage_client_vanish(client);
	ck_assert_str_eq(diary, "disconnect destroy ");
	component_stage_free(stage);
}
END_TEST

START_TEST(test_error_text)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	stage_client_send(client, "{'type':'COMPONENT_MOUNT','payload':{'component':'Writer','props':{'fails':true}}}");
	const live_value *error = stage_client_wait(client, "ERROR");
	ck_assert_str_eq(stage_text(error, "payload.error"), "Mount initialization failed: no disk");
	ck_assert_str_eq(stage_text(error, "error"), "Mount initialization failed: no disk");
	ck_assert_str_eq(stage_text(error, "payload.action"), "onMount");
	ck_assert_ptr_null(live_get(stage_client_wait(client, "MESSAGE_RESPONSE"), "requestId"));
	component_stage_free(stage);
}
END_TEST

START_TEST(test_rehydrate)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	stage_client_mount(client, "Writer", "{}");
	stage_advance(component_stage_steps(stage), 2000);
	const live_value *signature = stage_client_wait(client, "STATE_SIGNATURE");
	char *text = live_to_json(live_path(signature, "payload.signedState"), NULL);
	stage_client_vanish(client);
	diary[0] = 0;
	client = stage_client_new(stage, 1);
	stage_client_send(client,
			  "{'type':'COMPONENT_REHYDRATE','componentId':'old','requestId':'r','payload':{'component':"
			  "'Writer','signedState':%s}}",
			  text);
	free(text);
	const live_value *push = stage_client_wait(client, "STATE_REHYDRATED");
	ck_assert_int_eq(live_as_int(live_path(push, "payload.signedState.version"), 0), 3);
	ck_assert_ptr_null(live_path(push, "payload.state.__componentName"));
	const live_value *reply = stage_client_wait(client, "COMPONENT_REHYDRATED");
	ck_assert_str_eq(stage_text(reply, "result.newComponentId"), stage_text(push, "payload.newComponentId"));
	ck_assert_str_eq(stage_text(push, "payload.oldComponentId"), "old");
	ck_assert_int_eq(strncmp(diary, "connect rehydrate mount ", 24), 0);
	component_stage_free(stage);
}
END_TEST

/* At most one signature in a second, with the state as it is when the timer fires. */
START_TEST(test_signatures)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, "Writer", "{}");
	for (unsigned i = 0; i < 40; i++) {
		stage_client_ask(client, "'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'fails':%u}}",
				 id, i);
		stage_advance(component_stage_steps(stage), 100);
	}
	stage_advance(component_stage_steps(stage), 2000);
	unsigned count = stage_client_count(client, "STATE_SIGNATURE");
	ck_assert_uint_ge(count, 4);
	ck_assert_uint_le(count, 5);
	stage_advance(component_stage_steps(stage), 10000);
	ck_assert_uint_eq(stage_client_count(client, "STATE_SIGNATURE"), count);
	component_stage_free(stage);
}
END_TEST

/* Deltas that a slow client missed come as one full state when it has caught up. */
START_TEST(test_collapse)
{
	struct component_stage *stage = new_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, "Writer", "{}"),
		   *other = stage_client_mount(client, "Writer", "{}");
	component_stage_run(stage);
	while (stage_client_take(client))
		;
	unsigned deltas = stage_client_count(client, "STATE_DELTA"),
		 updates = stage_client_count(client, "STATE_UPDATE");
	stage_client_set_behind(client, true);
	for (unsigned i = 0; i < 5; i++)
		stage_client_ask(client, "'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'fails':%u}}",
				 id, i);
	ck_assert_uint_eq(stage_client_count(client, "STATE_DELTA"), deltas);
	stage_client_set_behind(client, false);
	const live_value *full = stage_client_wait(client, "STATE_UPDATE");
	ck_assert_str_eq(stage_text(full, "componentId"), id);
	ck_assert_int_eq(live_as_int(live_path(full, "payload.state.fails"), -1), 4);
	ck_assert_uint_eq(stage_client_count(client, "STATE_UPDATE"), updates + 1); /* not of the other one */
	stage_client_ask(client, "'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'fails':7}}", other);
	ck_assert_uint_eq(stage_client_count(client, "STATE_DELTA"), deltas + 1);
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("mount_sequence", test_initial_state, test_mount, test_mount_that_fails, test_error_text, test_rehydrate,
	   test_signatures, test_collapse)
