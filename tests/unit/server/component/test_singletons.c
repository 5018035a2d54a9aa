/* One instance for all clients of all shards: who is told what, in which order, whatever the order of the mail. */
#include <check.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

static unsigned joined, left, made, ended;

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	joined++;
	live_set(self, "clients", live_int(clients));
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	left++;
	live_set(self, "clients", live_int(clients));
}

static void on_connect(live_component *self)
{
	(void)self;
	made++;
}

static void on_destroy(live_component *self)
{
	(void)self;
	ended++;
}

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_set(self, "total", live_int(live_get_int(self, "total") + 1));
	live_emit(self, "ADDED", live_int(live_get_int(self, "total")));
	live_reply_value(reply, live_int(live_get_int(self, "total")));
	return 0;
}

static int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_destroy(self);
	return 0;
}

static const live_definition board = {
	.name = "Board",
	.default_state = "{\"total\":0,\"clients\":0}",
	.singleton = true,
	.actions = LIVE_ACTIONS({"add", add}, {"end", end}),
	.on_client_join = on_client_join,
	.on_client_leave = on_client_leave,
	.on_connect = on_connect,
	.on_destroy = on_destroy,
};

static struct component_stage *new_stage(unsigned shards)
{
	joined = left = made = ended = 0;
	return component_stage_new(shards, 0, (const live_definition *[]){&board, NULL});
}

START_TEST(test_replies_follow_their_deltas)
{
	for (unsigned seed = 0; seed < 10; seed++) {
		struct component_stage *stage = new_stage(4);
		struct stage_client *clients[4];
		for (unsigned i = 0; i < 4; i++) {
			clients[i] = stage_client_new(stage, i);
			const char *id = stage_client_mount(clients[i], "Board", "{}");
			for (unsigned n = 0; n < 5; n++)
				stage_client_send(clients[i],
						  "{'type':'CALL_ACTION','componentId':'%s','action':'add',"
						  "'requestId':'a%u','expectResponse':true}",
						  id, n);
		}
		component_stage_run(stage);
		for (unsigned i = 0; i < 4; i++) {
			int64_t seen = 0;
			unsigned replies = 0;
			const live_value *message;
			while ((message = stage_client_take(clients[i]))) {
				const live_value *total = live_path(message, "payload.delta.total");
				if (total) {
					ck_assert_int_gt(live_as_int(total, 0), seen);
					seen = live_as_int(total, 0);
				}
				if (!strcmp(stage_text(message, "type"), "ADDED"))
					ck_assert_int_eq(live_as_int(live_get(message, "payload"), 0), seen);
				if (strcmp(stage_text(message, "type"), "ACTION_RESPONSE"))
					continue;
				char id[8];
				snprintf(id, sizeof id, "a%u", replies++);
				ck_assert_str_eq(stage_text(message, "requestId"), id);
				ck_assert_int_ge(seen, live_as_int(live_get(message, "result"), 0));
			}
			ck_assert_uint_eq(replies, 5);
			ck_assert_int_eq(seen, 20);
		}
		component_stage_free(stage);
		ck_assert_uint_eq(joined, 4);
		ck_assert_uint_eq(left, 4);
		ck_assert_uint_eq(made, ended);
	}
}
END_TEST

/* Who is gone before the home has answered is told off all the same, by its name. */
START_TEST(test_gone_while_mounting)
{
	for (unsigned seed = 0; seed < 20; seed++) {
		struct component_stage *stage = new_stage(4);
		struct shard_group *group = stage_group(component_stage_steps(stage));
		for (unsigned i = 0; i < 8; i++) {
			struct stage_client *client = stage_client_new(stage, i % 4);
			stage_client_send(client, "{'type':'COMPONENT_MOUNT','payload':{'component':'Board'}}");
			for (unsigned n = 0; n < seed % 7; n++)
				shard_step(shard_group_at(group, (i + n * seed) % 4));
			stage_client_vanish(client);
		}
		component_stage_free(stage);
		ck_assert_uint_eq(joined, left);
		ck_assert_uint_eq(made, ended);
	}
}
END_TEST

/* An action that was on its way when the singleton ended does not reach the one after it. */
START_TEST(test_action_for_one_that_ended)
{
	for (unsigned seed = 0; seed < 20; seed++) {
		struct component_stage *stage = new_stage(4);
		struct stage_client *a = stage_client_new(stage, 0), *b = stage_client_new(stage, 1),
				    *c = stage_client_new(stage, 2);
		const char *id = stage_client_mount(a, "Board", "{}");
		stage_client_mount(b, "Board", "{}");
		stage_client_send(a, "{'type':'CALL_ACTION','componentId':'%s','action':'end'}", id);
		stage_client_send(c, "{'type':'COMPONENT_MOUNT','requestId':'m','payload':{'component':'Board'}}");
		stage_client_send(b,
				  "{'type':'CALL_ACTION','componentId':'%s','action':'add','requestId':'x',"
				  "'expectResponse':true}",
				  id);
		component_stage_run(stage);
		const live_value *reply = stage_client_wait(b, "ACTION_RESPONSE");
		const live_value *mounted = stage_client_wait(c, "MESSAGE_RESPONSE");
		int64_t total = live_as_int(live_path(mounted, "result.initialState.total"), -1);
		if (!live_as_bool(live_get(reply, "success")))
			ck_assert_int_eq(strncmp(stage_text(reply, "error"), "COMPONENT_REHYDRATION_REQUIRED:", 31), 0);
		else
			ck_assert_int_eq(live_as_int(live_get(reply, "result"), 0), 1);
		const char *now = live_as_string(live_path(mounted, "result.componentId"));
		if (strcmp(now, id))
			ck_assert_int_eq(total, 0);
		stage_client_check(a);
		stage_client_check(b);
		stage_client_check(c);
		component_stage_free(stage);
	}
}
END_TEST

START_TEST(test_fire_and_forget)
{
	struct component_stage *stage = new_stage(2);
	for (unsigned i = 0; i < 2; i++) {
		struct stage_client *client = stage_client_new(stage, i);
		const char *id = stage_client_mount(client, "Board", "{}");
		for (unsigned n = 0; n < 10; n++)
			stage_client_send(client, "{'type':'CALL_ACTION','componentId':'%s','action':'add'}", id);
		stage_client_check(client);
		ck_assert_uint_eq(stage_client_count(client, "ACTION_RESPONSE"), 0);
		ck_assert_uint_eq(stage_client_count(client, "ADDED"), 10);
	}
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("singletons", test_replies_follow_their_deltas, test_gone_while_mounting, test_action_for_one_that_ended,
	   test_fire_and_forget)
