/* Data that all instances share: nothing is lost, answers follow what they tell of, and it outlives who made it. */
#include <live/test.h>

#include "unit/core/core_test.h"

static const live_value *add(const live_value *data, const live_value *argument, const live_value **result)
{
	const live_value *sum = live_int(live_as_int(live_get(data, "sum"), 0) + live_as_int(argument, 0));

	*result = live_value_ref(sum);
	return live_with(data, "sum", sum);
}

static int add_action(live_component *self, const live_value *payload, live_reply *reply)
{
	live_persistent_update(self, add, live_value_ref(live_get(payload, "by")), reply);
	return 0;
}

static const live_value *spoil(const live_value *data, const live_value *argument, const live_value **result)
{
	(void)data;
	*result = live_string("spoilt");
	return live_value_ref(argument);
}

static int spoil_action(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_persistent_update(self, spoil, live_int(3), reply);
	return 0;
}

static int merge_action(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_persistent_merge(self, live_value_ref(payload));
	return 0;
}

static int look(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_value_ref(live_persistent(self)));
	return 0;
}

static const live_action actions[] = {
	{"add", add_action}, {"spoil", spoil_action}, {"merge", merge_action}, {"look", look}, {NULL, NULL}};
static const live_definition sums = {.name = "Sums", .persistent = "{\"sum\":10}", .actions = actions};
static const live_definition others = {.name = "Others", .actions = actions};

enum { SHARDS = 4 };

static live_test *new_test(uint64_t seed)
{
	static const live_definition *const definitions[] = {&sums, &others, NULL};

	return live_test_new_with(&(live_test_options){.definitions = definitions, .shards = SHARDS, .seed = seed});
}

static const char *look_at(live_tested *tested)
{
	static char text[200];

	ck_assert_int_eq(live_tested_act(tested, "look", NULL), 0);
	char *json = live_to_json(live_tested_result(tested), NULL);
	snprintf(text, sizeof text, "%s", json);
	free(json);
	return text;
}

/* Every add answers with another sum, whatever shard it comes from, and the caller then reads at least its own. */
START_TEST(test_nothing_is_lost)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		live_test *test = new_test(seed);
		live_tested *tested[SHARDS];
		uint64_t seen = 0;
		for (unsigned i = 0; i < SHARDS; i++)
			tested[i] = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = i);
		for (unsigned n = 0; n < 40; n++) {
			live_tested *one = tested[n % SHARDS];
			ck_assert_int_ge(live_tested_act(one, "add", "{\"by\":1}"), 0);
			live_test_run(test);
			ck_assert_int_eq(live_tested_outcome(one), 0);
			int64_t sum = live_as_int(live_tested_result(one), 0);
			ck_assert_int_ge(sum, 11);
			ck_assert_int_le(sum, 50);
			ck_assert(!(seen >> sum & 1));
			seen |= UINT64_C(1) << sum;
			ck_assert_int_ge(live_as_int(live_get(live_persistent(live_tested_instance(one)), "sum"), 0),
					 sum);
		}
		for (unsigned i = 0; i < SHARDS; i++)
			ck_assert_str_eq(look_at(tested[i]), "{\"sum\":50}");
		live_test_free(test);
	}
}
END_TEST

START_TEST(test_outlives_instances)
{
	live_test *test = new_test(1);
	live_tested *one = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = 0);
	ck_assert_str_eq(look_at(one), "{\"sum\":10}");
	ck_assert_int_eq(live_tested_act(one, "merge", "{\"note\":\"hello\",\"sum\":1}"), 0);
	live_test_run(test);
	live_tested_unmount(one);
	ck_assert_uint_eq(live_test_alive(test), 0);
	for (unsigned i = 0; i < SHARDS; i++) {
		live_tested *next = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = i);
		ck_assert_str_eq(look_at(next), "{\"sum\":1,\"note\":\"hello\"}");
		live_tested_unmount(next);
	}
	live_tested *other = LIVE_TEST_MOUNT(test, .component = "Others", .shard = 1);
	ck_assert_str_eq(look_at(other), "{}"); /* another name, other data */
	live_test_free(test);
}
END_TEST

/* An update that gives no object changes nothing; its result still is the answer. */
START_TEST(test_no_object)
{
	live_test *test = new_test(1);
	live_tested *one = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = 2);
	ck_assert_int_ge(live_tested_act(one, "spoil", NULL), 0);
	live_test_run(test);
	ck_assert_str_eq(live_as_string(live_tested_result(one)), "spoilt");
	ck_assert_str_eq(look_at(one), "{\"sum\":10}");
	live_test_free(test);
}
END_TEST

/* Who goes while its update is under way gets no answer, and the update counts. */
START_TEST(test_gone_meanwhile)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		live_test *test = new_test(seed);
		live_tested *one = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = 0);
		live_tested *two = LIVE_TEST_MOUNT(test, .component = "Sums", .shard = 1);
		live_tested_send(one, "{\"type\":\"CALL_ACTION\",\"action\":\"add\",\"payload\":{\"by\":5}}");
		live_tested_disconnect(one);
		live_test_run(test);
		ck_assert_str_eq(look_at(two), "{\"sum\":15}");
		live_tested_send(two, "{\"type\":\"CALL_ACTION\",\"action\":\"add\",\"payload\":{\"by\":5}}");
		live_test_free(test); /* and who asks when all ends */
	}
}
END_TEST

CORE_TESTS("persistent", test_nothing_is_lost, test_outlives_instances, test_no_object, test_gone_meanwhile)
