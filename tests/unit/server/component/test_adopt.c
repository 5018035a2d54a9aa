/* New code for components that live: who goes over to it and how, and for how long the old is needed. */
#include "unit/server/component/adopt_test.h"

static struct component_stage *stage;
static struct version *first, *second;

static void begin(unsigned shards, bool moves)
{
	reply_count = question_count = 0;
	first = version_new(1, false);
	second = version_new(2, moves);
	stage = component_stage_new_alone(
		shards, 0, (const live_definition *[]){&first->definitions[0], &first->definitions[1], NULL});
	first->registry = component_stage_shard(stage, 0)->registry;
}

/* The first version is gone already. */
static void end(void)
{
	component_stage_free(stage);
	version_free(second);
}

/* Nothing needs the old code: it goes, and whatever still looked at it would be found. */
static void close_first(void)
{
	component_stage_run(stage);
	ck_assert(!is_used(first, stage));
	version_free(first);
}

START_TEST(test_instances_move)
{
	begin(2, true);
	struct stage_client *clients[3];
	const char *ids[3];

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = stage_client_new(stage, i % 2);
		ids[i] = kept_id(stage_client_mount(clients[i], "Thing", "{'given':7}"));
		stage_client_act(clients[i], ids[i], "count", "{}");
	}
	adopt(stage, second);
	ck_assert(is_used(first, stage)); /* they move when their turn comes */
	component_stage_run(stage);
	close_first();
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(ask_which(clients[i], ids[i]), 2);
		ck_assert_int_eq(seen(clients[i], ids[i], "given"), 7);
		ck_assert_int_eq(seen(clients[i], ids[i], "count"), 1);
		ck_assert_int_eq(seen(clients[i], ids[i], "new1"), 1);
		ck_assert_int_eq(seen(clients[i], ids[i], "new2"), 1);
		ck_assert_int_eq(seen(clients[i], ids[i], "from"), 1);
		ck_assert_int_eq(seen(clients[i], ids[i], "to"), 2);
		ck_assert(stage_client_act(clients[i], ids[i], "count", "{}"));
		ck_assert_int_eq(seen(clients[i], ids[i], "count"), 2);
	}
	end();
}
END_TEST

/* More than are moved in one turn. */
START_TEST(test_many_move)
{
	begin(1, true);
	struct stage_client *client[3];

	for (unsigned i = 0; i < 3; i++) {
		client[i] = stage_client_new(stage, 0);
		for (unsigned n = 0; n < 30; n++)
			ck_assert_ptr_nonnull(stage_client_mount(client[i], "Thing", "{}"));
	}
	adopt(stage, second);
	stage_client_vanish(client[1]); /* with its thirty on the way */
	component_stage_run(stage);
	ck_assert_uint_eq(component_stage_count(stage), 60);
	close_first();
	end();
}
END_TEST

START_TEST(test_instances_stay)
{
	begin(2, false);
	struct stage_client *client = stage_client_new(stage, 0);
	const char *old = kept_id(stage_client_mount(client, "Thing", "{}"));

	adopt(stage, second);
	component_stage_run(stage);
	const char *new = kept_id(stage_client_mount(client, "Thing", "{}"));
	ck_assert_int_eq(ask_which(client, old), 1);
	ck_assert_int_eq(ask_which(client, new), 2);
	ck_assert(is_used(first, stage));
	stage_client_ask(client, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", old);
	close_first();
	ck_assert_int_eq(ask_which(client, new), 2);
	end();
}
END_TEST

/* The clients of a singleton stay joined, wherever they are; the new code hears of each. */
START_TEST(test_singleton_moves)
{
	begin(3, true);
	struct stage_client *clients[4];
	const char *id = NULL;

	for (unsigned i = 0; i < 4; i++) {
		clients[i] = stage_client_new(stage, i % 3);
		id = kept_id(stage_client_mount(clients[i], "Board", "{}"));
	}
	stage_client_act(clients[0], id, "count", "{}");
	adopt(stage, second);
	component_stage_run(stage);
	close_first();
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(ask_which(clients[i], id), 2);
		ck_assert_int_eq(seen(clients[i], id, "count"), 1);
		ck_assert_int_eq(seen(clients[i], id, "new2"), 1);
		ck_assert_int_eq(seen(clients[i], id, "joined1"), 4);
		ck_assert_int_eq(seen(clients[i], id, "joined2"), 4);
		ck_assert_int_eq(seen(clients[i], id, "to"), 2);
	}
	stage_client_vanish(clients[3]);
	struct stage_client *late = stage_client_new(stage, 1);
	ck_assert_str_eq(stage_client_mount(late, "Board", "{}"), id);
	ck_assert_int_eq(seen(late, id, "count"), 1);
	end();
}
END_TEST

START_TEST(test_singleton_stays)
{
	begin(2, false);
	struct stage_client *a = stage_client_new(stage, 0), *b = stage_client_new(stage, 1);
	const char *id = kept_id(stage_client_mount(a, "Board", "{}"));

	adopt(stage, second);
	ck_assert_str_eq(stage_client_mount(b, "Board", "{}"), id); /* the one that there is */
	ck_assert_int_eq(ask_which(b, id), 1);
	ck_assert(is_used(first, stage));
	stage_client_ask(a, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", id);
	stage_client_ask(b, "'type':'COMPONENT_UNMOUNT','componentId':'%s'", id);
	close_first();
	id = kept_id(stage_client_mount(b, "Board", "{}"));
	ck_assert_int_eq(ask_which(b, id), 2);
	end();
}
END_TEST

/* ---- a mount that waits ---- */

static const char *const names[] = {"Thing", "Board"};

static struct stage_client *mount_slowly(const char *name)
{
	struct stage_client *client = stage_client_new(stage, 0);

	stage_client_send(client,
			  "{'type':'COMPONENT_MOUNT','requestId':'m','expectResponse':true,'payload':"
			  "{'component':'%s','props':{'slow':true}}}",
			  name);
	component_stage_run(stage);
	ck_assert_uint_eq(reply_count, 1);
	adopt(stage, second);
	component_stage_run(stage);
	ck_assert(is_used(first, stage));
	ck_assert_uint_eq(stage_client_count(client, "MESSAGE_RESPONSE"), 0);
	return client;
}

/* It is answered by the code that it was mounted by, then moved; whose on_mount is as slow, and nobody waits for it. */
static void check_moved(struct stage_client *client)
{
	const char *id = kept_id(stage_text(stage_client_wait(client, "MESSAGE_RESPONSE"), "result.componentId"));

	component_stage_run(stage);
	ck_assert_uint_eq(reply_count, 2);
	ck_assert_int_eq(ask_which(client, id), 2);
	ck_assert_int_eq(seen(client, id, "to"), 2);
}

START_TEST(test_mount_is_answered)
{
	begin(2, true);
	struct stage_client *client = mount_slowly(names[_i]);

	live_deferred_value(replies[0], NULL);
	check_moved(client);
	close_first();
	live_deferred_value(replies[1], NULL);
	stage_client_check(client);
	end();
}
END_TEST

START_TEST(test_mount_times_out)
{
	begin(2, true);
	struct stage_client *client = mount_slowly(names[_i]);

	stage_advance(component_stage_steps(stage), 11000);
	check_moved(client);
	ck_assert(is_used(first, stage)); /* its author may still answer */
	live_deferred_value(replies[0], NULL);
	close_first();
	end();
}
END_TEST

START_TEST(test_mount_is_abandoned)
{
	begin(2, true);
	struct stage_client *client = mount_slowly(names[_i]);

	stage_client_vanish(client);
	component_stage_run(stage);
	live_deferred_error(replies[0], "too late");
	close_first();
	ck_assert_uint_eq(component_stage_count(stage), 0);
	end();
}
END_TEST

/* ---- what keeps old code ---- */

START_TEST(test_reply_keeps_it)
{
	begin(2, true);
	struct stage_client *client = stage_client_new(stage, 1);
	const char *id = kept_id(stage_client_mount(client, names[_i], "{}"));

	stage_client_send(client,
			  "{'type':'CALL_ACTION','componentId':'%s','action':'keep','requestId':'k',"
			  "'expectResponse':true}",
			  id);
	component_stage_run(stage);
	adopt(stage, second);
	ck_assert_int_eq(ask_which(client, id), 2);
	ck_assert(is_used(first, stage));
	live_deferred_value(replies[0], live_int(9));
	ck_assert_int_eq(live_as_int(live_get(stage_client_wait(client, "ACTION_RESPONSE"), "result"), 0), 9);
	close_first();
	live_deferred_value(replies[0], live_int(10)); /* known for what it is, though the code has gone */
	component_stage_run(stage);
	end();
}
END_TEST

START_TEST(test_work_keeps_it)
{
	begin(2, true);
	struct stage_client *client = stage_client_new(stage, 1);
	const char *id = kept_id(stage_client_mount(client, names[_i], "{}"));

	ck_assert(stage_client_act(client, id, "offload", "{}"));
	adopt(stage, second);
	component_stage_run(stage);
	ck_assert(is_used(first, stage));
	ck_assert(component_stage_work(stage));
	close_first();
	ck_assert_int_eq(seen(client, id, "worked"), -1); /* by code that is not its any more */
	end();
}
END_TEST

START_TEST(test_question_keeps_it)
{
	begin(2, true);
	struct stage_client *client = stage_client_new(stage, 1);
	const char *id = kept_id(stage_client_mount(client, names[_i], "{}"));

	stage_client_send(client,
			  "{'type':'CALL_ACTION','componentId':'%s','action':'asked','requestId':'k',"
			  "'expectResponse':true}",
			  id);
	component_stage_run(stage);
	ck_assert_uint_eq(question_count, 1);
	adopt(stage, second);
	component_stage_run(stage);
	ck_assert(is_used(first, stage));
	live_auth_allow(questions[0]);
	close_first();
	ck_assert(live_as_bool(live_get(stage_client_wait(client, "ACTION_RESPONSE"), "success")));
	ck_assert_int_eq(seen(client, id, "count"), 1);
	end();
}
END_TEST

/* Again and again, while things happen: the last version has all. */
START_TEST(test_again_and_again)
{
	begin(3, true);
	struct version *versions[12] = {first, second};
	struct stage_client *clients[6];
	const char *ids[6];

	for (unsigned i = 0; i < 6; i++) {
		clients[i] = stage_client_new(stage, i % 3);
		ids[i] = kept_id(stage_client_mount(clients[i], names[i % 2], "{}"));
	}
	for (unsigned turn = 1; turn < 12; turn++) {
		if (turn > 1)
			versions[turn] = version_new(turn % 3 + 1, true);
		for (unsigned i = 0; i < 6; i++)
			stage_client_send(clients[i], "{'type':'CALL_ACTION','componentId':'%s','action':'count'}",
					  ids[i]);
		adopt(stage, versions[turn]);
		for (unsigned i = 0; i < turn; i++)
			shard_step(shard_group_at(stage_group(component_stage_steps(stage)), i % 3));
	}
	component_stage_run(stage);
	for (unsigned turn = 0; turn < 11; turn++) {
		ck_assert(!is_used(versions[turn], stage));
		version_free(versions[turn]);
	}
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_int_eq(ask_which(clients[i], ids[i]), 11 % 3 + 1);
		ck_assert_int_eq(seen(clients[i], ids[i], "count"), i % 2 ? 33 : 11);
	}
	component_stage_free(stage);
	version_free(versions[11]);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_instances_move);
	tcase_add_test(tests, test_many_move);
	tcase_add_test(tests, test_instances_stay);
	tcase_add_test(tests, test_singleton_moves);
	tcase_add_test(tests, test_singleton_stays);
	tcase_add_test(tests, test_again_and_again);
	/* Of a private component, and of a singleton. */
	tcase_add_loop_test(tests, test_mount_is_answered, 0, 2);
	tcase_add_loop_test(tests, test_mount_times_out, 0, 2);
	tcase_add_loop_test(tests, test_mount_is_abandoned, 0, 2);
	tcase_add_loop_test(tests, test_reply_keeps_it, 0, 2);
	tcase_add_loop_test(tests, test_work_keeps_it, 0, 2);
	tcase_add_loop_test(tests, test_question_keeps_it, 0, 2);
}

int main(void)
{
	Suite *suite = suite_create("adopt");
	TCase *tests = tcase_create("adopt");
	SRunner *runner = srunner_create(suite);

	add_tests(tests);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
