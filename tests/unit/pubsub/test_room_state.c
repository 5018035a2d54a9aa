/* How long a state is, kept exact from change to change. */
#include "pubsub/room_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/diff.h"
#include "stage/stage.h"
#include "unit/shard/shard_test.h"

static const struct diff_options deep = {.deep = true, .depth = 3};

static size_t printed(const live_value *value)
{
	size_t len;

	free(live_to_json(value, &len));
	return len;
}

static const live_value *parse(const char *json)
{
	const live_value *value = live_from_json(json, strlen(json), NULL, 0);

	ck_assert_msg(value, "%s", json);
	return value;
}

START_TEST(measures_as_the_printer_prints)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[],{}]",
		"{\"a\":null,\"b\":true,\"c\":false,\"d\":-12,\"e\":1.5e300,\"f\":[1,2,3]}",
		"{\"\\u0001\\n\\\"\\\\\":\"\\u0001\\n\\t\\u001f\\\"\\\\\\/\"}",
		"[\"\xc3\xa9\xf0\x9f\x98\x80\",\"\\ud800\",9007199254740993,0.1,1e21]",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const live_value *value = parse(texts[i]);
		ck_assert_uint_eq(room_state_measure(value), printed(value));
		live_value_unref(value);
	}
	for (size_t len = 0; len < 5; len++) {
		const live_value *binary = live_binary("12345", len);
		ck_assert_uint_eq(room_state_measure(binary), printed(binary));
		live_value_unref(binary);
	}
}
END_TEST

/* A random value, at most depth levels deep. */
static const live_value *random_value(uint64_t *random, unsigned depth)
{
	static const char *const keys[] = {"a", "b", "c", "\"q\"", "long key"};
	const live_value *value;

	switch (stage_random_below(random, depth ? 8 : 5)) {
	case 0: return live_null();
	case 1: return live_bool(stage_random_below(random, 2));
	case 2: return live_int((int64_t)stage_random_below(random, 100000) - 500);
	case 3: return live_double(stage_random_below(random, 100000) / 7.0);
	case 4: return live_string_len("text \"with\" \n all", stage_random_below(random, 17));
	case 5:
		value = live_array(0, NULL);
		for (unsigned n = stage_random_below(random, 4); n > 0; n--) {
			const live_value *longer = live_append(value, random_value(random, depth - 1));
			live_value_unref(value);
			value = longer;
		}
		return value;
	default:
		value = live_object(NULL, NULL);
		for (unsigned n = stage_random_below(random, 6); n > 0; n--) {
			const live_value *larger =
				live_with(value, keys[stage_random_below(random, 5)], random_value(random, depth - 1));
			live_value_unref(value);
			value = larger;
		}
		return value;
	}
}

static const live_value *random_object(uint64_t *random)
{
	for (;;) {
		const live_value *value = random_value(random, 5);
		if (live_value_type(value) == LIVE_OBJECT)
			return value;
		live_value_unref(value);
	}
}

/* After any patch or merge the length is what printing gives, and the delta leads from the old state to the new. */
START_TEST(length_stays_exact)
{
	uint64_t random = stage_seed(0);
	struct room_state state;

	room_state_init(&state, NULL);
	for (int i = 0; i < 5000; i++) {
		const live_value *patch = random_object(&random);
		const live_value *before = live_value_ref(state.value);
		struct room_change change;

		if (stage_random_below(&random, 3) == 0)
			room_state_plan_merge(&state, patch, &change);
		else
			room_state_plan_patch(&state, patch, &deep, &change);
		if (change.delta) {
			const live_value *merged = live_merge(before, change.delta);
			room_state_commit(&state, &change);
			ck_assert(live_equal(merged, state.value));
			live_value_unref(merged);
		}
		ck_assert_uint_eq(state.json_bytes, printed(state.value));
		room_change_drop(&change);
		live_value_unref(before);
		live_value_unref(patch);
		if (i % 100 == 99) {
			room_state_deinit(&state);
			room_state_init(&state, NULL);
		}
	}
	room_state_deinit(&state);
}
END_TEST

START_TEST(a_state_that_is_too_long_may_shrink)
{
	const live_value *seed = parse("{\"a\":\"0123456789\",\"b\":\"0123456789\"}");
	const live_value *less = parse("{\"a\":\"01234567\"}");
	const live_value *more = parse("{\"c\":0}");
	struct room_state state;
	struct room_change change;

	room_state_init(&state, seed);
	room_state_plan_patch(&state, less, &deep, &change);
	ck_assert(!room_change_is_too_large(&state, &change, 10));
	room_change_drop(&change);
	room_state_plan_patch(&state, more, &deep, &change);
	ck_assert(room_change_is_too_large(&state, &change, 10));
	ck_assert(!room_change_is_too_large(&state, &change, state.json_bytes + strlen(",\"c\":0")));
	ck_assert(room_change_is_too_large(&state, &change, state.json_bytes + strlen(",\"c\":0") - 1));
	room_change_drop(&change);
	room_state_deinit(&state);
	live_value_unref(seed);
	live_value_unref(less);
	live_value_unref(more);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, measures_as_the_printer_prints);
	tcase_add_test(tests, length_stays_exact);
	tcase_add_test(tests, a_state_that_is_too_long_may_shrink);
}

int main(void)
{
	return run_case("room_state", add_tests);
}
