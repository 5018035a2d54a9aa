/* New code for the singletons of a cluster, on the node that owns one and on those that mirror it. */
#include "stage/cluster_stage.h"
#include "unit/server/component/adopt_test.h"

static struct cluster_stage *stage;
static struct version *first, *seconds[NODES];

static struct component_stage *node(unsigned index)
{
	return stage->nodes[index].stage;
}

static void begin(unsigned nodes)
{
	reply_count = question_count = 0;
	first = version_new(1, false);
	stage = cluster_stage_new(nodes, 2, 0,
				  (const live_definition *[]){&first->definitions[0], &first->definitions[1], NULL});
	memset(seconds, 0, sizeof seconds);
}

/* One node gets the second version; the others have what they had. */
static void renew(unsigned index, bool moves)
{
	seconds[index] = version_new(2, moves);
	first->registry = component_stage_shard(node(index), 0)->registry;
	adopt(node(index), seconds[index]);
}

static void end(void)
{
	cluster_stage_free(stage);
	version_free(first);
	for (unsigned i = 0; i < NODES; i++)
		if (seconds[i])
			version_free(seconds[i]);
}

static void hand_over(unsigned index)
{
	for (unsigned i = 0; i < 2; i++) {
		stage_enter(component_stage_steps(node(index)), i);
		cluster_hand_over(component_stage_shard(node(index), i)->cluster);
	}
	shard_enter(NULL);
}

/* The instance goes over where it is; its state, and what the new code adds, reach the other nodes and the store. */
START_TEST(test_owner_moves)
{
	begin(3);
	struct stage_client *clients[3];
	const char *id = NULL;

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = stage_client_new(node(i), i % 2);
		id = kept_id(stage_client_mount(clients[i], "Board", "{}"));
	}
	ck_assert(stage_client_act(clients[1], id, "count", "{}"));
	renew(0, true);
	cluster_stage_run(stage);
	ck_assert(!is_used(first, node(0)));
	ck_assert_uint_eq(cluster_stage_instances(stage, 0), 1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(ask_which(clients[i], id), 2);
		ck_assert_int_eq(seen(clients[i], id, "count"), 1);
		ck_assert_int_eq(seen(clients[i], id, "new2"), 1);
		ck_assert_int_eq(seen(clients[i], id, "to"), 2);
	}
	ck_assert_ptr_nonnull(strstr(memory_cluster_state(stage->cluster, "Board"), "\"new2\":true"));
	ck_assert(stage_client_act(clients[2], id, "count", "{}"));
	ck_assert_int_eq(seen(clients[1], id, "count"), 2);
	end();
}
END_TEST

/* A mirror has no instance: it goes over at once, and what comes to it later comes as new code. */
START_TEST(test_mirror_moves)
{
	begin(2);
	struct stage_client *owner = stage_client_new(node(0), 0), *other = stage_client_new(node(1), 1);
	const char *id = kept_id(stage_client_mount(owner, "Board", "{}"));

	ck_assert_str_eq(stage_client_mount(other, "Board", "{}"), id);
	renew(1, true);
	cluster_stage_run(stage);
	ck_assert(!is_used(first, node(1)));
	ck_assert(stage_client_act(other, id, "count", "{}"));
	ck_assert_int_eq(ask_which(other, id), 1); /* the owner has the old code */
	hand_over(0);
	cluster_stage_advance(stage, 1000);
	ck_assert_uint_eq(cluster_stage_instances(stage, 1), 1);
	ck_assert_int_eq(ask_which(other, id), 2);
	ck_assert_int_eq(ask_which(owner, id), 2);
	ck_assert_int_eq(seen(owner, id, "count"), 1);
	ck_assert_int_eq(seen(owner, id, "new2"), 1);
	end();
}
END_TEST

/* New code that takes nobody over: the owner keeps the old; who makes the instance anew makes it by the new. */
START_TEST(test_made_anew)
{
	begin(2);
	struct stage_client *owner = stage_client_new(node(0), 0), *other = stage_client_new(node(1), 1);
	const char *id = kept_id(stage_client_mount(owner, "Board", "{}"));

	ck_assert_str_eq(stage_client_mount(other, "Board", "{}"), id);
	renew(0, false);
	renew(1, false);
	cluster_stage_run(stage);
	ck_assert(is_used(first, node(1)) || is_used(first, node(0)));
	ck_assert_int_eq(ask_which(other, id), 1);
	hand_over(0);
	cluster_stage_advance(stage, 1000);
	ck_assert_uint_eq(cluster_stage_instances(stage, 1), 1);
	ck_assert_int_eq(ask_which(other, id), 2);
	first->registry = component_stage_shard(node(1), 0)->registry;
	hand_over(1);
	cluster_stage_advance(stage, 1000);
	ck_assert_int_eq(ask_which(owner, id), 2);
	ck_assert_int_eq(ask_which(other, id), 2);
	end();
}
END_TEST

/* A request of another node waits for an answer about its client: the rule that asks stays until then. */
START_TEST(test_visit_keeps_it)
{
	begin(2);
	struct stage_client *owner = stage_client_new(node(0), 0), *other = stage_client_new(node(1), 1);
	const char *id = kept_id(stage_client_mount(owner, "Board", "{}"));

	ck_assert_str_eq(stage_client_mount(other, "Board", "{}"), id);
	stage_client_sign_on(other, live_auth_new(live_object("id", live_string("bob"), NULL), NULL));
	stage_client_send(other,
			  "{'type':'CALL_ACTION','componentId':'%s','action':'asked','requestId':'k',"
			  "'expectResponse':true}",
			  id);
	cluster_stage_run(stage);
	ck_assert_uint_eq(question_count, 1); /* by its own node */
	live_auth_allow(questions[0]);
	cluster_stage_run(stage);
	ck_assert_uint_eq(question_count, 2); /* by the owner */
	renew(0, true);
	cluster_stage_run(stage);
	ck_assert(is_used(first, node(0)));
	live_auth_allow(questions[1]);
	cluster_stage_run(stage);
	ck_assert(!is_used(first, node(0)));
	ck_assert(live_as_bool(live_get(stage_client_wait(other, "ACTION_RESPONSE"), "success")));
	ck_assert_int_eq(seen(owner, id, "count"), 1);
	end();
}
END_TEST

/* While the store is asked for it, its name may become another text: both nodes at once, in any order. */
START_TEST(test_while_it_is_asked_for)
{
	for (unsigned seed = 0; seed < 12; seed++) {
		begin(2);
		struct stage_client *clients[4];
		for (unsigned i = 0; i < 4; i++) {
			clients[i] = stage_client_new(node(i % 2), i / 2);
			stage_client_send(clients[i], "{'type':'COMPONENT_MOUNT','requestId':'m','payload':"
						      "{'component':'Board'},'expectResponse':true}");
			cluster_stage_step(stage, seed);
		}
		renew(0, true);
		renew(1, seed % 2);
		cluster_stage_advance(stage, 1000);
		for (unsigned i = 0; i < 4; i++) {
			const live_value *reply = stage_client_wait(clients[i], "MESSAGE_RESPONSE");
			const char *id = kept_id(stage_text(reply, "result.componentId"));
			ck_assert(stage_client_act(clients[i], id, "count", "{}"));
		}
		end();
	}
}
END_TEST

CORE_TESTS("adopt_cluster", test_owner_moves, test_mirror_moves, test_made_anew, test_visit_keeps_it,
	   test_while_it_is_asked_for)
