/* What waits in a cluster room: in which order it is run, what becomes of it, and when it is done again. */
#include "pubsub/room_commits.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/pubsub/room_stage.h"
#include "unit/shard/shard_test.h"

#define ROOM "count:x"
#define LATE "it came too late"
#define LOST "it may be lost"

static struct room_stage *stage;
static struct actor *actor;
static unsigned wanted; /* commits that the room asked for */

static bool is_cluster(struct room_adapter *self, struct str room_id)
{
	(void)self;
	(void)room_id;
	return true;
}

static void want(struct room_adapter *self, struct rooms *rooms, struct str room_id)
{
	(void)self;
	(void)rooms;
	(void)room_id;
	wanted++;
}

static struct rooms *rooms(void)
{
	stage_enter(stage->stage, 0);
	return stage->rooms[0];
}

static struct room_adapter_ops ops;

static void begin(void)
{
	stage = room_stage_new(1, 0, NULL);
	ops = *stage->adapter.ops;
	ops.is_cluster = is_cluster;
	ops.commit = want;
	stage->adapter.ops = &ops;
	wanted = 0;
	actor = actor_new(stage, 0, "actor");
	actor_join_with(actor, ROOM, "{\"n\":0}");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"n\":0}\n");
}

static void end(void)
{
	actor_free(actor);
	room_stage_free(stage);
}

/* argument: what is added to n; 0 changes nothing. The reply is the new n. */
static const live_value *add(const live_value *state, const live_value *argument, const live_value **reply)
{
	int64_t n = live_as_int(live_get(state, "n"), 0) + live_as_int(argument, 0);

	*reply = live_int(n);
	return live_as_int(argument, 0) ? live_with(state, "n", live_int(n)) : live_value_ref(state);
}

static void ask(struct answer *answer, int amount)
{
	const live_value *argument = live_int(amount);

	*answer = (struct answer){0};
	rooms_update(rooms(), STR(ROOM), add, argument, (struct room_origin){0}, answer_take, answer);
	live_value_unref(argument);
	room_stage_run(stage);
}

/* What the batch would come to, or "" when there is none. */
static const char *run(uint64_t number)
{
	static char text[64];
	const struct room_batch *batch = rooms_adapter_run(rooms(), STR(ROOM), number);
	char *json = batch ? live_to_json(batch->state, NULL) : NULL;

	if (batch)
		snprintf(text, sizeof text, "%u %s", batch->changes, json);
	else
		text[0] = 0;
	free(json);
	return text;
}

static void commit(void)
{
	rooms_adapter_commit_batch(rooms(), STR(ROOM));
	room_stage_run(stage);
}

static void drop(bool may_be_done)
{
	rooms_adapter_drop_batch(rooms(), STR(ROOM), may_be_done);
}

/* What is stored is state, with our commits up to acked. */
static void learn(const char *state, uint64_t acked)
{
	const live_value *value = parse(state);

	ck_assert_int_eq(rooms_adapter_adopt(rooms(), STR(ROOM), value, NULL, 0), 0);
	rooms_adapter_settle(rooms(), STR(ROOM), acked, LOST);
	live_value_unref(value);
	room_stage_run(stage);
}

static int64_t now(void)
{
	return shard_clock(stage_enter(stage->stage, 0))->mono_ms;
}

static int64_t expire(int64_t before_ms)
{
	int64_t oldest = rooms_adapter_expire(rooms(), STR(ROOM), before_ms, LATE, LOST);

	room_stage_run(stage);
	return oldest;
}

START_TEST(nobody_is_told_before_the_commit)
{
	struct answer one, two;

	begin();
	ask(&one, 1);
	ask(&two, 2);
	ck_assert_uint_eq(wanted, 2);
	actor_emit(actor, ROOM, "behind", "1"); /* and excluded */
	stage_emit(stage, 0, "room", ROOM, "after", "2");
	room_stage_run(stage);
	ck_assert_str_eq(run(1), "2 {\"n\":3}");
	actor_expect(actor, "");
	ck_assert_uint_eq(one.count + two.count, 0);
	commit();
	ck_assert_str_eq(one.text, "ok 1");
	ck_assert_str_eq(two.text, "ok 3");
	actor_expect(actor, "$state:update {\"state\":{\"n\":1}}\n$state:update {\"state\":{\"n\":3}}\nafter 2\n");
	ck_assert_str_eq(run(2), "");
	end();
}
END_TEST

START_TEST(what_was_refused_is_run_again_upon_the_newer_state)
{
	struct answer one, two;

	begin();
	ask(&one, 1);
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	drop(false);
	learn("{\"n\":10}", 0);
	ask(&two, 2);
	ck_assert_str_eq(run(2), "2 {\"n\":13}");
	commit();
	ck_assert_str_eq(one.text, "ok 11");
	ck_assert_str_eq(two.text, "ok 13");
	end();
}
END_TEST

START_TEST(what_changes_nothing_needs_no_commit)
{
	struct answer one;

	begin();
	ask(&one, 0);
	ck_assert_str_eq(run(1), "");
	room_stage_run(stage);
	ck_assert_str_eq(one.text, "ok 0");
	end();
}
END_TEST

/* Its answer was lost, and another node's restore shows that it was done: its result was lost with the answer. */
START_TEST(what_may_be_done_and_was_is_not_done_again)
{
	struct answer one, two;

	begin();
	ask(&one, 1);
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	drop(true);
	learn("{\"n\":0}", 0); /* not there: it is tried again, with what came meanwhile */
	ask(&two, 2);
	ck_assert_str_eq(run(2), "2 {\"n\":3}");
	drop(true);
	learn("{\"n\":1}", 1); /* what is stored holds the first try */
	ck_assert_str_eq(one.text, "error " LOST);
	ck_assert_uint_eq(two.count, 0);
	ck_assert_str_eq(run(3), "1 {\"n\":3}");
	commit();
	ck_assert_str_eq(two.text, "ok 3");
	end();
}
END_TEST

START_TEST(a_patch_that_was_done_is_answered_by_the_state)
{
	begin();
	actor_set(actor, ROOM, "{\"k\":1}");
	room_stage_run(stage);
	ck_assert_str_eq(run(1), "1 {\"n\":0,\"k\":1}");
	drop(true);
	learn("{\"n\":5,\"k\":1}", 1);
	ck_assert_str_eq(run(2), "");
	learn("{\"n\":5}", 0); /* it was answered, and is lost after all */
	ck_assert_str_eq(run(3), "1 {\"n\":5,\"k\":1}");
	commit();
	end();
}
END_TEST

START_TEST(what_was_answered_and_lost_is_done_again_once)
{
	struct answer one, two, three;

	begin();
	ask(&one, 1);
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	commit();
	ask(&two, 2);
	ck_assert_str_eq(run(2), "1 {\"n\":3}");
	commit();
	actor_expect(actor, "$state:update {\"state\":{\"n\":1}}\n$state:update {\"state\":{\"n\":3}}\n");
	learn("{\"n\":101}", 1);
	ask(&three, 4);
	ck_assert_str_eq(run(3), "2 {\"n\":107}");
	commit();
	ck_assert_uint_eq(one.count + two.count, 2);
	ck_assert_str_eq(three.text, "ok 107");
	actor_expect(actor, "$state:update {\"state\":{\"n\":101}}\n$state:update {\"state\":{\"n\":103}}\n"
			    "$state:update {\"state\":{\"n\":107}}\n");
	learn("{\"n\":107}", 3);
	ck_assert_str_eq(run(4), "");
	/* The branch that had been given up comes back: it has the second, by its first commit. */
	learn("{\"n\":3}", 2);
	ck_assert_str_eq(run(5), "1 {\"n\":7}");
	commit();
	end();
}
END_TEST

START_TEST(what_is_old_is_not_done_again)
{
	struct answer one, two;

	begin();
	ask(&one, 1);
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	commit();
	stage_advance(stage->stage, 61000);
	ask(&two, 2);
	ck_assert_str_eq(run(2), "1 {\"n\":3}");
	commit();
	learn("{\"n\":0}", 0);
	ck_assert_str_eq(run(3), "1 {\"n\":2}"); /* a minute of commits lies between */
	commit();
	stage_advance(stage->stage, 1800001); /* none does, but so long is too long */
	learn("{\"n\":0}", 0);
	ck_assert_str_eq(run(4), "");
	end();
}
END_TEST

START_TEST(all_that_may_be_done_goes_into_one_batch)
{
	enum { MANY = 1500 };
	static struct answer answers[MANY];
	char expected[32];

	begin();
	for (unsigned i = 0; i < MANY; i++)
		ask(&answers[i], 1);
	ck_assert_str_eq(run(1), "1024 {\"n\":1024}");
	commit();
	ck_assert_str_eq(run(2), "476 {\"n\":1500}");
	commit();
	learn("{\"n\":0}", 0);
	snprintf(expected, sizeof expected, "%d {\"n\":%d}", MANY, MANY);
	ck_assert_str_eq(run(3), expected);
	commit();
	end();
}
END_TEST

START_TEST(what_waits_too_long_fails)
{
	struct answer sent, waits;

	begin();
	ask(&sent, 1);
	int64_t first = now();
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	drop(true);
	stage_advance(stage->stage, 10);
	ask(&waits, 2);
	ck_assert_int_eq(expire(first), now());
	ck_assert_str_eq(sent.text, "error " LOST);
	ck_assert_uint_eq(waits.count, 0);
	ck_assert_int_eq(expire(now()), -1);
	ck_assert_str_eq(waits.text, "error " LATE);
	ck_assert_str_eq(run(2), "");
	end();
}
END_TEST

START_TEST(a_batch_that_is_out_fails_as_a_whole)
{
	struct answer one, two, three;

	begin();
	ask(&one, 1);
	int64_t first = now();
	stage_advance(stage->stage, 10);
	ask(&two, 2);
	ck_assert_str_eq(run(1), "2 {\"n\":3}");
	ask(&three, 4);
	ck_assert_int_eq(expire(first), now());
	ck_assert_ptr_null(rooms_adapter_batch(rooms(), STR(ROOM)));
	ck_assert_str_eq(one.text, "error " LOST);
	ck_assert_str_eq(two.text, "error " LOST);
	ck_assert_str_eq(run(2), "1 {\"n\":4}");
	commit();
	ck_assert_str_eq(three.text, "ok 4");
	end();
}
END_TEST

START_TEST(what_was_answered_never_fails)
{
	struct answer one, two;

	begin();
	ask(&one, 1);
	ck_assert_str_eq(run(1), "1 {\"n\":1}");
	commit();
	learn("{\"n\":0}", 0);
	ask(&two, 2);
	ck_assert_str_eq(run(2), "2 {\"n\":3}");
	ck_assert_int_eq(expire(now()), -1);
	ck_assert_str_eq(two.text, "error " LOST);
	learn("{\"n\":0}", 0);
	ck_assert_str_eq(run(3), "1 {\"n\":1}");
	commit();
	ck_assert_str_eq(one.text, "ok 1");
	end();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, nobody_is_told_before_the_commit);
	tcase_add_test(tests, what_was_refused_is_run_again_upon_the_newer_state);
	tcase_add_test(tests, what_changes_nothing_needs_no_commit);
	tcase_add_test(tests, what_may_be_done_and_was_is_not_done_again);
	tcase_add_test(tests, a_patch_that_was_done_is_answered_by_the_state);
	tcase_add_test(tests, what_was_answered_and_lost_is_done_again_once);
	tcase_add_test(tests, what_is_old_is_not_done_again);
	tcase_add_test(tests, all_that_may_be_done_goes_into_one_batch);
	tcase_add_test(tests, what_waits_too_long_fails);
	tcase_add_test(tests, a_batch_that_is_out_fails_as_a_whole);
	tcase_add_test(tests, what_was_answered_never_fails);
}

int main(void)
{
	return run_case("room_commits", add_tests);
}
