/* One singleton for several nodes: who owns it, who hears what, how it ends, and nodes of another kind beside ours. */
#include "unit/server/component/cluster_test.h"

/* ---- one for all ---- */

START_TEST(test_one_instance)
{
	struct cluster_stage *stage = new_stage(3);
	struct stage_client *clients[3];
	const char *ids[3];

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = client_of(stage, i);
		ids[i] = mount(clients[i]);
		ck_assert_str_eq(ids[i], ids[0]);
	}
	ck_assert_uint_eq(instances(stage), 1);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(live_as_int(live_get(act(clients[i], ids[i], "add"), "result"), 0), i + 1);
	cluster_stage_run(stage);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(total_seen(clients[i], ids[i]), 3);
	ck_assert_str_eq(memory_cluster_state(stage->cluster, "Board"),
			 "{\"state\":{\"total\":3,\"note\":\"\",\"marks\":[]}}");
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_remote_mount_is_unsigned)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);

	mount(owner);
	const live_value *reply =
		stage_client_ask(other, "'type':'COMPONENT_MOUNT','payload':{'component':'Board','props':{}}");
	ck_assert(live_get(live_get(reply, "result"), "signedState"));
	ck_assert(live_is_null(live_path(reply, "result.signedState")));
	ck_assert_uint_eq(stage_client_count(other, "STATE_UPDATE"), 1);
	ck_assert_int_eq(total_seen(other, stage_text(reply, "result.componentId")), 0);
	/* Coming back with a state of old it finds the shared one. */
	const live_value *update = live_path(reply, "result.initialState");
	ck_assert(live_get(update, "note"));
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_rehydrate_finds_the_shared)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const live_value *first =
		stage_client_ask(owner, "'type':'COMPONENT_MOUNT','payload':{'component':'Board','props':{}}");
	char *signed_state = live_to_json(live_path(first, "result.signedState"), NULL);
	const char *id = stage_text(first, "result.componentId");

	act(owner, id, "add");
	char text[2048];
	snprintf(text, sizeof text,
		 "{\"type\":\"COMPONENT_REHYDRATE\",\"componentId\":\"%s\",\"requestId\":\"h\",\"expectResponse\":true,"
		 "\"payload\":{\"component\":\"Board\",\"signedState\":%s}}",
		 id, signed_state);
	stage_client_send_text(other, str_of(text));
	const live_value *reply = stage_client_wait(other, "COMPONENT_REHYDRATED");
	ck_assert(live_as_bool(live_get(reply, "success")));
	ck_assert_str_eq(stage_text(reply, "result.newComponentId"), id);
	ck_assert_int_eq(total_seen(other, id), 1);
	ck_assert_uint_eq(instances(stage), 1);
	free(signed_state);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_everybody_counts)
{
	for (unsigned seed = 0; seed < 15; seed++) {
		struct cluster_stage *stage = new_stage(3);
		struct stage_client *clients[6];
		const char *ids[6];
		for (unsigned i = 0; i < 6; i++)
			clients[i] = client_of(stage, i % 3);
		for (unsigned i = 0; i < 6; i++) /* all at once */
			stage_client_send(clients[i], "{'type':'COMPONENT_MOUNT','requestId':'m','payload':"
						      "{'component':'Board'},'expectResponse':true}");
		cluster_stage_advance(stage, 1000); /* whoever was late finds the state once it is stored */
		for (unsigned i = 0; i < 6; i++)
			ids[i] = stage_text(stage_client_wait(clients[i], "MESSAGE_RESPONSE"), "result.componentId");
		for (unsigned n = 0; n < 20; n++) {
			for (unsigned i = 0; i < 6; i++)
				act_later(clients[i], ids[i], "add", n);
			cluster_stage_step(stage, 3);
		}
		cluster_stage_run(stage);
		ck_assert_uint_eq(instances(stage), 1);
		for (unsigned i = 0; i < 6; i++) {
			ck_assert_uint_eq(stage_client_count(clients[i], "ACTION_RESPONSE"), 20);
			ck_assert_int_eq(total_seen(clients[i], ids[i]), 120);
		}
		cluster_stage_free(stage);
	}
}
END_TEST

/* Replies come after the change that they tell of, and in the order of the requests. */
START_TEST(test_order_at_a_mirror)
{
	for (unsigned seed = 0; seed < 15; seed++) {
		struct cluster_stage *stage = new_stage(2);
		struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
		const char *id = mount(owner);
		const live_value *message;
		int64_t seen = 0;
		unsigned replies = 0;
		mount(other);
		for (unsigned n = 0; n < 10; n++) {
			act_later(other, id, n % 3 == 2 ? "read" : "add", n);
			act_later(owner, id, "add", n);
			cluster_stage_step(stage, 2);
		}
		cluster_stage_run(stage);
		while ((message = stage_client_take(other))) {
			const live_value *now = live_path(message, "payload.delta.total");
			seen = now ? live_as_int(now, 0) : seen;
			if (strcmp(stage_text(message, "type"), "ACTION_RESPONSE"))
				continue;
			char request[8];
			snprintf(request, sizeof request, "x%u", replies++);
			ck_assert_str_eq(stage_text(message, "requestId"), request);
			ck_assert_int_ge(seen, live_as_int(live_get(message, "result"), 0));
		}
		ck_assert_uint_eq(replies, 10);
		cluster_stage_free(stage);
	}
}
END_TEST

START_TEST(test_errors_and_pushes)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	ck_assert_str_eq(stage_text(act(other, id, "fail"), "error"), "the board says no");
	ck_assert_str_eq(stage_text(act(other, id, "nothing"), "error"), "Action 'nothing' is not callable");
	ck_assert_str_eq(stage_text(stage_client_wait(owner, "ERROR"), "payload.error"), "the board says no");
	act(owner, id, "shout");
	stage_client_wait(other, "SHOUT");
	const live_value *reply = stage_client_ask(
		other, "'type':'PROPERTY_UPDATE','componentId':'%s','property':'note','payload':{'value':'hello'}", id);
	ck_assert(live_as_bool(live_get(reply, "success")));
	ck_assert_str_eq(stage_text(reply, "type"), "MESSAGE_RESPONSE");
	reply = stage_client_ask(
		other, "'type':'PROPERTY_UPDATE','componentId':'%s','property':'other','payload':{'value':1}", id);
	ck_assert(strstr(stage_text(reply, "error"), "is not an updatable field of 'Board'"));
	reply = stage_client_ask(other, "'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'note':'y'}}",
				 id);
	ck_assert(live_as_bool(live_get(reply, "success")));
	cluster_stage_run(stage);
	const live_value *state = stage_client_state(owner, id);
	ck_assert_str_eq(stage_text(state, "note"), "y");
	live_value_unref(state);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_who_asks_comes_along)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1), *boss = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	mount(boss);
	ck_assert_str_eq(stage_text(act(other, id, "who"), "result"), "nobody");
	stage_client_sign_on(boss, live_auth_new(live_object("id", live_string("u1"), "roles",
							     live_array_of(live_string("admin"), LIVE_END), NULL),
						 NULL));
	ck_assert_str_eq(stage_text(act(boss, id, "who"), "result"), "u1");
	ck_assert(live_as_bool(live_get(act(boss, id, "secret"), "success")));
	/* Another kind of node leaves it to the owner to ask. */
	char text[512];
	snprintf(text, sizeof text,
		 "{\"type\":\"action_request\",\"origin\":\"ref\",\"request\":{\"sourceInstanceId\":\"ref\","
		 "\"componentId\":\"%s\",\"componentName\":\"Board\",\"action\":\"secret\",\"payload\":{},"
		 "\"requestId\":\"r1\",\"callerConnectionId\":\"c\",\"callerSession\":{\"id\":\"u2\"}}}",
		 id);
	const char *port = owner_port(stage);
	memory_cluster_tell(stage->cluster, port, text);
	cluster_stage_run(stage);
	ck_assert(strstr(memory_cluster_stray(stage->cluster),
			 "\"response\":{\"success\":false,\"error\":\"AUTH_DENIED: "));
	cluster_stage_free(stage);
}
END_TEST

/* ---- it ends ---- */

START_TEST(test_last_client_leaves_the_state)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0);
	const char *id = mount(owner);

	act(owner, id, "add");
	stage_client_ask(owner, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", id);
	cluster_stage_run(stage);
	ck_assert_uint_eq(instances(stage), 0);
	ck_assert_str_eq(memory_cluster_owner(stage->cluster, "Board"), "");
	struct stage_client *other = client_of(stage, 1);
	id = mount(other);
	ck_assert_int_eq(total_seen(other, id), 1);
	ck_assert_uint_eq(cluster_stage_instances(stage, 1), 1);
	cluster_stage_free(stage);
}
END_TEST

/* The node that owned it has no client of it any more, but another node has. */
START_TEST(test_owner_leaves_mirror_goes_on)
{
	struct cluster_stage *stage = new_stage(3);
	struct stage_client *clients[3];
	const char *id = NULL;

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = client_of(stage, i);
		id = mount(clients[i]);
	}
	act(clients[1], id, "add");
	stage_client_vanish(clients[0]);
	cluster_stage_run(stage);
	ck_assert_uint_eq(instances(stage), 1);
	ck_assert_uint_eq(cluster_stage_instances(stage, 0), 0);
	for (unsigned i = 1; i < 3; i++)
		ck_assert_int_eq(live_as_int(live_get(act(clients[i], id, "add"), "result"), 0), i + 1);
	cluster_stage_run(stage);
	ck_assert_int_eq(total_seen(clients[1], id), 3);
	ck_assert_int_eq(total_seen(clients[2], id), 3);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_author_ends_it)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	act(owner, id, "add");
	ck_assert(live_as_bool(live_get(act(owner, id, "end"), "success")));
	cluster_stage_run(stage);
	ck_assert_uint_eq(instances(stage), 0);
	char text[64];
	snprintf(text, sizeof text, "COMPONENT_REHYDRATION_REQUIRED:%s", id);
	ck_assert_str_eq(stage_text(act(other, id, "add"), "error"), text);
	ck_assert_int_eq(total_seen(other, mount(other)), 0);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_hand_over)
{
	for (unsigned seed = 0; seed < 10; seed++) {
		struct cluster_stage *stage = new_stage(2);
		struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
		const char *id = mount(owner);
		mount(other);
		for (unsigned n = 0; n < 10; n++) {
			act_later(owner, id, "add", n);
			act_later(other, id, "add", n);
			cluster_stage_step(stage, seed);
			if (n != 5)
				continue;
			hand_over(stage, 0);
		}
		cluster_stage_run(stage);
		ck_assert_uint_eq(cluster_stage_instances(stage, 0), 0);
		ck_assert_uint_eq(cluster_stage_instances(stage, 1), 1);
		ck_assert_uint_eq(stage_client_count(owner, "ACTION_RESPONSE"), 10);
		ck_assert_uint_eq(stage_client_count(other, "ACTION_RESPONSE"), 10);
		ck_assert_int_eq(total_seen(owner, id), 20);
		ck_assert_int_eq(total_seen(other, id), 20);
		cluster_stage_free(stage);
	}
}
END_TEST

/* ---- with nodes of the reference ---- */

START_TEST(test_reference_asks)
{
	struct cluster_stage *stage = new_stage(1);
	struct stage_client *owner = client_of(stage, 0);
	const char *id = mount(owner);
	char text[512];
	const char *port = owner_port(stage);

	snprintf(text, sizeof text,
		 "{\"type\":\"action_request\",\"origin\":\"nodeB_02\",\"request\":{\"sourceInstanceId\":\"nodeB_02\","
		 "\"targetInstanceId\":\"%s\",\"componentId\":\"%s\",\"componentName\":\"Board\",\"action\":\"add\","
		 "\"payload\":{\"by\":5},\"requestId\":\"r1_r1_r1\",\"callerConnectionId\":\"q7Zt_0Lm\","
		 "\"callerSession\":{\"id\":\"u1\"}}}",
		 port, id);
	for (unsigned i = 0; i < 2; i++) { /* the second time it is answered, and not done */
		memory_cluster_tell(stage->cluster, port, text);
		cluster_stage_run(stage);
		char expected[256];
		snprintf(expected, sizeof expected,
			 "{\"type\":\"action_response\",\"origin\":\"%s\",\"response\":{\"success\":true,\"result\":5,"
			 "\"requestId\":\"r1_r1_r1\"}}",
			 port);
		ck_assert_str_eq(memory_cluster_stray(stage->cluster), expected);
	}
	ck_assert_int_eq(total_seen(owner, id), 5);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_reference_owns)
{
	struct cluster_stage *stage = new_stage(1);
	struct stage_client *client = client_of(stage, 0);
	char expected[512], text[512];

	memory_cluster_put(stage->cluster, "Board", "nodeA_01:Ab3dEf9_", "{\"state\":{\"total\":4,\"note\":\"n\"}}");
	const char *id = mount(client);
	ck_assert_str_eq(id, "Ab3dEf9_");
	ck_assert_int_eq(total_seen(client, id), 4);
	memory_cluster_tell(stage->cluster, NULL,
			    "{\"type\":\"delta\",\"origin\":\"nodeA_01\",\"componentId\":\"Ab3dEf9_\","
			    "\"componentName\":\"Board\",\"delta\":{\"total\":5},\"seq\":12}");
	cluster_stage_run(stage);
	ck_assert_int_eq(total_seen(client, id), 5);
	stage_client_sign_on(client, live_auth_new(live_object("id", live_string("u1"), NULL), NULL));
	act_later(client, id, "add", 1);
	cluster_stage_run(stage);
	const live_value *asked = live_from_json(memory_cluster_stray(stage->cluster),
						 strlen(memory_cluster_stray(stage->cluster)), NULL, 0);
	const char *port = stage_text(asked, "origin"), *request = stage_text(asked, "request.requestId");
	snprintf(expected, sizeof expected,
		 "{\"type\":\"action_request\",\"origin\":\"%s\",\"request\":{\"sourceInstanceId\":\"%s\","
		 "\"targetInstanceId\":\"nodeA_01\",\"componentId\":\"Ab3dEf9_\",\"componentName\":\"Board\","
		 "\"action\":\"add\",\"payload\":{},\"requestId\":\"%s\",\"callerConnectionId\":\"%s\","
		 "\"callerSession\":{\"id\":\"u1\"}}}",
		 port, port, request, stage_text(asked, "request.callerConnectionId"));
	ck_assert_str_eq(memory_cluster_stray(stage->cluster), expected);
	snprintf(text, sizeof text,
		 "{\"type\":\"action_response\",\"origin\":\"nodeA_01\",\"response\":{\"success\":false,"
		 "\"requestId\":\"%s\"}}",
		 request);
	memory_cluster_tell(stage->cluster, port, text);
	ck_assert_str_eq(stage_text(stage_client_wait(client, "ACTION_RESPONSE"), "error"), "Remote action failed");
	live_value_unref(asked);
	/* It dies: its clients go on here. */
	cluster_stage_advance(stage, STAGE_LEASE_MS + 4 * STAGE_HEARTBEAT_MS);
	ck_assert_int_eq(live_as_int(live_get(act(client, id, "add"), "result"), 0), 5);
	ck_assert_uint_eq(cluster_stage_instances(stage, 0), 1);
	cluster_stage_free(stage);
}
END_TEST

CORE_TESTS("cluster", test_one_instance, test_remote_mount_is_unsigned, test_rehydrate_finds_the_shared,
	   test_everybody_counts, test_order_at_a_mirror, test_errors_and_pushes, test_who_asks_comes_along,
	   test_last_client_leaves_the_state, test_owner_leaves_mirror_goes_on, test_author_ends_it, test_hand_over,
	   test_reference_asks, test_reference_owns)
