/* The cluster adapter and a real Redis: keys and channels as the reference has them, and nobody gets past the fence. */
#include "redis/cluster_adapter.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/redis_server.h"
#include "unit/redis/redis_stage.h"

enum { LEASE_MS = 300 };

struct side { /* a node with a port */
	struct stage_node *node;
	struct cluster_adapter *adapter;
	struct cluster_port port;
	unsigned restored;
	unsigned heard;
	char last[512];
};

struct question {
	struct cluster_ask ask;
	bool is_answered;
	enum cluster_verdict verdict;
	char owner[32], component_id[32], state[256], handled[256];
	uint64_t seq, fence;
	size_t handled_count;
};

static struct redis_stage stage;
static struct redis_server *server;
static struct side sides[2];

static void on_heard(struct cluster_port *port, struct str message)
{
	struct side *side = LIST_OF(port, struct side, port);

	side->heard++;
	snprintf(side->last, sizeof side->last, "%.*s", STR_ARG(message));
}

static void on_restored(struct cluster_port *port)
{
	LIST_OF(port, struct side, port)->restored++;
}

static bool is_restored(void *context)
{
	return ((struct side *)context)->restored > 0;
}

static void open_side(struct side *side, const char *id)
{
	*side = (struct side){.port = {.heard = on_heard, .restored = on_restored}};
	side->node = stage_node_new(&stage, server->url, 1, NULL);
	side->adapter = redis_cluster_adapter_new(side->node->node,
						  &(struct redis_cluster_options){.lease_ms = LEASE_MS, .ttl = 3600});
	snprintf(side->port.id, sizeof side->port.id, "%s", id);
	struct shard *shard = stage_node_enter(side->node, 0);
	redis_cluster_adapter_start(side->adapter, side->node->links[0]);
	side->adapter->ops->open(side->adapter, shard, &side->port);
	ck_assert(redis_stage_until(&stage, is_restored, side));
}

static void close_side(struct side *side)
{
	stage_node_enter(side->node, 0);
	side->adapter->ops->close(side->adapter, &side->port);
	redis_cluster_adapter_stop(side->adapter, side->node->links[0]);
	stage_node_free(&stage, side->node);
	redis_cluster_adapter_free(side->adapter);
}

static void begin(void)
{
	stage = (struct redis_stage){0};
	server = redis_server_new("");
	open_side(&sides[0], "nodeA_01");
	open_side(&sides[1], "nodeB_02");
}

static void end(void)
{
	close_side(&sides[0]);
	close_side(&sides[1]);
	redis_server_free(server);
}

static void on_answer(struct cluster_ask *ask, const struct cluster_answer *answer)
{
	struct question *question = LIST_OF(ask, struct question, ask);

	question->is_answered = true;
	question->verdict = answer->verdict;
	snprintf(question->owner, sizeof question->owner, "%.*s", STR_ARG(answer->owner));
	snprintf(question->component_id, sizeof question->component_id, "%.*s", STR_ARG(answer->component_id));
	snprintf(question->state, sizeof question->state, "%.*s", STR_ARG(answer->state));
	question->seq = answer->seq;
	question->fence = answer->fence;
	question->handled_count = answer->handled_count;
	if (answer->handled_count)
		snprintf(question->handled, sizeof question->handled, "%.*s", STR_ARG(answer->handled[0]));
}

static bool is_answered(void *context)
{
	return ((struct question *)context)->is_answered;
}

static struct question ask(struct side *side, struct cluster_ask what)
{
	struct question question = {.ask = what};

	question.ask.name = STR("Board");
	question.ask.answered = on_answer;
	if (!question.ask.component_id.len)
		question.ask.component_id = STR("Ab3dEf9_");
	stage_node_enter(side->node, 0);
	side->adapter->ops->ask(side->adapter, &side->port, &question.ask);
	ck_assert(!question.is_answered);
	ck_assert(redis_stage_until(&stage, is_answered, &question));
	return question;
}

static bool has_heard(void *context)
{
	return ((struct side *)context)->heard > 0;
}

START_TEST(keys_are_the_references)
{
	const struct str message = STR("{\"type\":\"delta\"}"), handled = STR("{\"requestId\":\"r1\"}");
	const char *text;

	begin();
	struct question claim = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	ck_assert_uint_eq(claim.verdict, CLUSTER_MINE);
	ck_assert_uint_gt(claim.fence, UINT64_C(1000000000000));
	ck_assert_str_eq(redis_server_ask_text(server, "GET fluxstack:cluster:singleton:Board"), "nodeA_01:Ab3dEf9_");
	ck_assert_int_le(redis_server_ask_number(server, "PTTL fluxstack:cluster:singleton:Board"), LEASE_MS);
	sides[1].restored = 0;
	stage_node_enter(sides[1].node, 0);
	sides[1].adapter->ops->hear_deltas(sides[1].adapter, &sides[1].port, true);
	ck_assert(redis_stage_until(&stage, is_restored, &sides[1]));
	struct question save = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_SAVE,
								   .fence = claim.fence,
								   .state = STR("{\"n\":[]}"),
								   .seq = 7,
								   .messages = &message,
								   .message_count = 1,
								   .handled = &handled,
								   .handled_count = 1});
	ck_assert_uint_eq(save.verdict, CLUSTER_MINE);
	ck_assert(redis_stage_until(&stage, has_heard, &sides[1]));
	ck_assert_str_eq(sides[1].last, "{\"type\":\"delta\"}");
	text = redis_server_ask_text(server, "GET fluxstack:cluster:singleton-state:Board");
	ck_assert(!strncmp(text, "{\"state\":{\"n\":[]},\"updatedAt\":", 30));
	text = redis_server_ask_text(server, "GET fluxstack:cluster:state:Ab3dEf9_");
	ck_assert(!strncmp(text, "{\"componentName\":\"Board\",\"state\":{\"n\":[]},\"instanceId\":\"nodeA_01\",", 66));
	ck_assert_int_gt(redis_server_ask_number(server, "TTL fluxstack:cluster:state:Ab3dEf9_"), 3590);

	struct question other = ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	ck_assert_uint_eq(other.verdict, CLUSTER_OTHERS);
	ck_assert_str_eq(other.owner, "nodeA_01");
	ck_assert_str_eq(other.component_id, "Ab3dEf9_");
	ck_assert_uint_eq(other.seq, 7);
	ck_assert(strstr(other.state, "\"state\":{\"n\":[]}"));
	struct question release = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_RELEASE, .fence = claim.fence});
	ck_assert_uint_eq(release.verdict, CLUSTER_MINE);
	ck_assert_int_eq(redis_server_ask_number(server, "EXISTS fluxstack:cluster:singleton:Board"), 0);
	ck_assert_int_eq(redis_server_ask_number(server, "EXISTS fluxstack:cluster:state:Ab3dEf9_"), 0);
	ck_assert_int_eq(redis_server_ask_number(server, "EXISTS fluxstack:cluster:singleton-state:Board"), 1);
	struct question next =
		ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM, .component_id = STR("another1")});
	ck_assert_uint_eq(next.verdict, CLUSTER_MINE);
	ck_assert_uint_gt(next.fence, claim.fence);
	ck_assert_str_eq(next.component_id, "Ab3dEf9_"); /* the one that the state is of */
	ck_assert_uint_eq(next.handled_count, 1);
	ck_assert_str_eq(next.handled, "{\"requestId\":\"r1\"}");
	end();
}
END_TEST

static bool is_free(void *context)
{
	(void)context;
	return redis_server_ask_number(server, "EXISTS fluxstack:cluster:singleton:Board") == 0;
}

START_TEST(the_fence_holds)
{
	begin();
	struct question old = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	/* Expired, but nobody took it: it is still whose it was. */
	ck_assert(redis_stage_until(&stage, is_free, NULL));
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_LOOK}).verdict, CLUSTER_NOBODYS);
	ck_assert_uint_eq(ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_KEEP, .fence = old.fence}).verdict,
			  CLUSTER_MINE);
	ck_assert(redis_stage_until(&stage, is_free, NULL));
	struct question now = ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	ck_assert_uint_eq(now.verdict, CLUSTER_MINE);
	for (int verb = CLUSTER_KEEP; verb <= CLUSTER_RELEASE; verb++) {
		struct question late = ask(&sides[0], (struct cluster_ask){.verb = (enum cluster_verb)verb,
									   .fence = old.fence,
									   .revive = true,
									   .state = STR("{\"stale\":1}")});
		ck_assert_uint_eq(late.verdict, CLUSTER_OTHERS);
	}
	/* Also when the next owner has gone again. */
	ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_RELEASE, .fence = now.fence, .state = STR("{\"n\":2}")});
	ck_assert_uint_eq(ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_SAVE,
							      .fence = old.fence,
							      .revive = true,
							      .state = STR("{\"stale\":1}")})
				  .verdict,
			  CLUSTER_OTHERS);
	ck_assert(strstr(redis_server_ask_text(server, "GET fluxstack:cluster:singleton-state:Board"), "{\"n\":2}"));
	end();
}
END_TEST

START_TEST(what_redis_forgot_is_revived)
{
	begin();
	struct question claim = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	freeReplyObject(redis_server_ask(server, "FLUSHALL"));
	ck_assert_uint_eq(ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_KEEP, .fence = claim.fence}).verdict,
			  CLUSTER_NOBODYS);
	struct cluster_ask save = {
		.verb = CLUSTER_SAVE, .fence = claim.fence, .revive = true, .state = STR("{\"n\":1}"), .seq = 3};
	ck_assert_uint_eq(ask(&sides[0], save).verdict, CLUSTER_MINE);
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_LOOK}).verdict, CLUSTER_OTHERS);
	ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_RELEASE, .fence = claim.fence, .forget = true});
	ck_assert_int_eq(redis_server_ask_number(server, "EXISTS fluxstack:cluster:singleton-state:Board"), 0);
	ck_assert_uint_gt(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).fence, claim.fence);
	end();
}
END_TEST

static bool are_restored_again(void *context)
{
	(void)context;
	return sides[0].restored > 1 && sides[1].restored > 1;
}

START_TEST(what_redis_forgot_is_left_to_its_owner)
{
	begin();
	struct question claim = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_LOOK}); /* behind its question for the epoch */
	redis_server_kill(server);
	redis_server_start(server);
	ck_assert(redis_stage_until(&stage, are_restored_again, NULL));
	/* The other one comes first, and has known Redis before: so it waits. */
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict, CLUSTER_UNKNOWN);
	struct cluster_ask save = {
		.verb = CLUSTER_SAVE, .fence = claim.fence, .revive = true, .state = STR("{\"n\":1}"), .seq = 3};
	struct question saved = ask(&sides[0], save);
	ck_assert_uint_eq(saved.verdict, CLUSTER_MINE);
	ck_assert_uint_eq(saved.fence, 0); /* nothing was there */
	ck_assert_uint_eq(ask(&sides[0], save).fence, claim.fence);
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict, CLUSTER_OTHERS);
	ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_RELEASE, .fence = claim.fence});
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict, CLUSTER_MINE);
	end();
}
END_TEST

START_TEST(what_nobody_comes_back_for_is_claimed_after_a_lease)
{
	begin();
	ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_LOOK});
	freeReplyObject(redis_server_ask(server, "FLUSHALL"));
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict, CLUSTER_UNKNOWN);
	while (ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict != CLUSTER_MINE)
		redis_stage_run(&stage, 10);
	end();
}
END_TEST

/* A replica that is behind knows an owner from before ours, whose claim has not run out there. */
START_TEST(an_older_fence_is_overruled)
{
	begin();
	struct question old = ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_RELEASE, .fence = old.fence});
	struct question now = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM});
	freeReplyObject(redis_server_ask(server, "HSET fluxstack:cluster:singleton-meta:Board fence %llu",
					 (unsigned long long)old.fence));
	freeReplyObject(redis_server_ask(server, "SET fluxstack:cluster:singleton:Board elsewhere:x PX 60000"));
	freeReplyObject(redis_server_ask(server, "RPUSH fluxstack:cluster:singleton-answers:Board old"));
	const struct str answers[] = {STR("one"), STR("two")};
	struct question saved = ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_SAVE,
								    .fence = now.fence,
								    .state = STR("{\"n\":1}"),
								    .handled = answers,
								    .handled_count = 2,
								    .handled_all = true});
	ck_assert_uint_eq(saved.verdict, CLUSTER_MINE);
	ck_assert_uint_eq(saved.fence, old.fence);
	ck_assert_int_eq(redis_server_ask_number(server, "LLEN fluxstack:cluster:singleton-answers:Board"), 2);
	ck_assert_uint_eq(ask(&sides[1], (struct cluster_ask){.verb = CLUSTER_LOOK}).verdict, CLUSTER_OTHERS);
	end();
}
END_TEST

START_TEST(messages_reach_the_port)
{
	begin();
	stage_node_enter(sides[0].node, 0);
	sides[0].adapter->ops->tell(sides[0].adapter, &sides[0].port, STR("nodeB_02"), STR("hello"));
	ck_assert(redis_stage_until(&stage, has_heard, &sides[1]));
	ck_assert_str_eq(sides[1].last, "hello");
	ck_assert_uint_eq(sides[0].heard, 0);
	end();
}
END_TEST

START_TEST(redis_gone_is_unknown)
{
	begin();
	sides[0].restored = 0;
	redis_server_kill(server);
	ck_assert_uint_eq(ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict, CLUSTER_UNKNOWN);
	redis_server_start(server);
	ck_assert(redis_stage_until(&stage, is_restored, &sides[0]));
	while (ask(&sides[0], (struct cluster_ask){.verb = CLUSTER_CLAIM}).verdict != CLUSTER_MINE)
		redis_stage_run(&stage, 10); /* it has forgotten all: others might come back for it */
	/* One that is under way when the port closes is answered, too. */
	struct question last = {.ask = {.verb = CLUSTER_LOOK, .name = STR("Board"), .answered = on_answer}};
	stage_node_enter(sides[0].node, 0);
	sides[0].adapter->ops->ask(sides[0].adapter, &sides[0].port, &last.ask);
	close_side(&sides[0]);
	ck_assert(last.is_answered);
	ck_assert_uint_eq(last.verdict, CLUSTER_UNKNOWN);
	close_side(&sides[1]);
	redis_server_free(server);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis cluster adapter");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, keys_are_the_references);
	tcase_add_test(all, the_fence_holds);
	tcase_add_test(all, what_redis_forgot_is_revived);
	tcase_add_test(all, what_redis_forgot_is_left_to_its_owner);
	tcase_add_test(all, what_nobody_comes_back_for_is_claimed_after_a_lease);
	tcase_add_test(all, an_older_fence_is_overruled);
	tcase_add_test(all, messages_reach_the_port);
	tcase_add_test(all, redis_gone_is_unknown);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
