/* Who calls: on_mount, on_action and actions are told as whom a client is signed on and through which connection it
 * comes, also when the component is a singleton that lives on another shard. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

static const live_value *caller(const live_reply *reply)
{
	const char *user = live_auth_user_id(live_reply_auth(reply)), *connection = live_reply_connection(reply);

	return live_stringf("%s %s", user ? user : "nobody", connection ? connection : "nowhere");
}

static int on_mount(live_component *self, live_reply *reply)
{
	live_set(self, "mounted", caller(reply));
	return 0;
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)action, (void)payload;
	live_set(self, "asked", caller(reply));
	return 0;
}

static int tell(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self, (void)payload;
	live_reply_value(reply, caller(reply));
	return 0;
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	(void)clients;
	live_set(self, "joined", live_string(connection));
}

static const live_definition own = {
	.name = "Own",
	.actions = LIVE_ACTIONS({"tell", tell}),
	.on_mount = on_mount,
	.on_action = on_action,
};
static const live_definition shared = {
	.name = "Shared",
	.singleton = true,
	.actions = LIVE_ACTIONS({"tell", tell}),
	.on_mount = on_mount,
	.on_action = on_action,
	.on_client_join = on_client_join,
};

static struct stage_client *client_of(struct component_stage *stage, unsigned shard, const char *user)
{
	struct stage_client *client = stage_client_new(stage, shard);

	stage_client_sign_on(client, live_auth_new(live_object("id", live_string(user), NULL), NULL));
	return client;
}

/* What the component says of its caller, which begins with user; key names the state that says the same. */
static void expect_caller(struct stage_client *client, const char *id, const char *user, const char *key)
{
	const live_value *reply = stage_client_ask(
		client, "'type':'CALL_ACTION','componentId':'%s','action':'tell','expectResponse':true", id);
	const char *told = stage_text(reply, "result");
	const live_value *state = stage_client_state(client, id);

	ck_assert_msg(!strncmp(told, user, strlen(user)) && told[strlen(user)] == ' ', "%s", told);
	ck_assert(!strstr(told, "nowhere"));
	ck_assert_str_eq(stage_text(state, key), told);
	live_value_unref(state);
}

START_TEST(test_own)
{
	struct component_stage *stage = component_stage_new(2, 1, (const live_definition *[]){&own, NULL});
	struct stage_client *client = client_of(stage, 1, "ana");
	const char *id = stage_client_mount(client, "Own", "{}");

	expect_caller(client, id, "ana", "mounted");
	expect_caller(client, id, "ana", "asked");
	component_stage_free(stage);
}
END_TEST

START_TEST(test_shared)
{
	struct component_stage *stage = component_stage_new(4, 1, (const live_definition *[]){&shared, NULL});
	struct stage_client *first = client_of(stage, 0, "ana"), *second = client_of(stage, 1, "ben");
	const char *id = stage_client_mount(first, "Shared", "{}");

	ck_assert_str_eq(stage_client_mount(second, "Shared", "{}"), id);
	expect_caller(first, id, "ana", "mounted");
	expect_caller(second, id, "ben", "asked");
	expect_caller(first, id, "ana", "asked");
	const live_value *state = stage_client_state(first, id);
	char joined[64];
	snprintf(joined, sizeof joined, "ben %s", stage_text(state, "joined"));
	const live_value *reply = stage_client_ask(
		second, "'type':'CALL_ACTION','componentId':'%s','action':'tell','expectResponse':true", id);
	ck_assert_str_eq(stage_text(reply, "result"), joined);
	live_value_unref(state);
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("caller", test_own, test_shared)
