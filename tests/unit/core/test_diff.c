#include "core/diff.h"

#include "core/buf.h"
#include "unit/core/core_test.h"

static const struct diff_options deep = {.deep = true, .depth = 3};
static const struct diff_options shallow = {.deep = false, .depth = 3};

/* state and patch give delta (NULL: none) and next (NULL: the state, the very same value). */
static void assert_diff(const struct diff_options *options, const char *state, const char *patch, const char *delta,
			const char *next)
{
	const live_value *old = parsed(state), *new = parsed(patch), *change, *after;
	diff_patch(old, new, options, &change, &after);
	if (delta) {
		ck_assert_ptr_nonnull(change);
		assert_prints(change, delta);
		assert_prints(after, next);
	} else {
		ck_assert_ptr_null(change);
		ck_assert_ptr_eq(after, old);
		live_value_unref(after);
	}
	live_value_unref(old);
	live_value_unref(new);
}

START_TEST(top_level)
{
	assert_diff(&deep, "{\"a\":1,\"b\":2}", "{\"a\":2}", "{\"a\":2}", "{\"a\":2,\"b\":2}");
	assert_diff(&deep, "{\"a\":1}", "{\"a\":1}", NULL, NULL);
	assert_diff(&deep, "{\"a\":1}", "{}", NULL, NULL);
	assert_diff(&deep, "{\"a\":1}", "{\"b\":[]}", "{\"b\":[]}", "{\"a\":1,\"b\":[]}");
	assert_diff(&deep, "{\"a\":1}", "{\"a\":null}", "{\"a\":null}", "{\"a\":null}");
	assert_diff(&deep, "{}", "{\"a\":null}", "{\"a\":null}", "{\"a\":null}");
	assert_diff(&deep, "{\"a\":null}", "{\"a\":null}", NULL, NULL);
	assert_diff(&deep, "{\"a\":\"x\"}", "{\"a\":\"x\"}", NULL, NULL);
	assert_diff(&deep, "{\"a\":1}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}");
	assert_diff(&deep, "{\"a\":{\"x\":1}}", "{\"a\":1}", "{\"a\":1}", "{\"a\":1}");
	assert_diff(&deep, "{\"a\":1}", "5", NULL, NULL);
}
END_TEST

START_TEST(nested)
{
	assert_diff(&deep, "{\"p\":{\"p1\":{\"x\":1,\"y\":2},\"p2\":{\"x\":3}}}", "{\"p\":{\"p1\":{\"x\":9,\"y\":2}}}",
		    "{\"p\":{\"p1\":{\"x\":9},\"p2\":null}}", "{\"p\":{\"p1\":{\"x\":9,\"y\":2}}}");
	assert_diff(&deep, "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}", NULL, NULL);
	assert_diff(&deep, "{\"a\":{\"x\":1}}", "{\"a\":{}}", "{\"a\":{\"x\":null}}", "{\"a\":{}}");
	assert_diff(&deep, "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":null}}", "{\"a\":{\"x\":null}}", "{\"a\":{}}");
	/* Null where nothing is says nothing. */
	assert_diff(&deep, "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1,\"y\":null}}", NULL, NULL);
	/* Onto what is no object a whole object goes, with the nulls in it. */
	assert_diff(&deep, "{}", "{\"a\":{\"x\":null}}", "{\"a\":{\"x\":null}}", "{\"a\":{\"x\":null}}");
	assert_diff(&deep, "{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":1}}}",
		    "{\"a\":{\"b\":{\"c\":1}}}");
}
END_TEST

START_TEST(arrays_by_identity)
{
	assert_diff(&deep, "{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":[1]}");
	assert_diff(&deep, "{\"o\":{\"a\":[1],\"b\":2}}", "{\"o\":{\"a\":[1],\"b\":2}}", "{\"o\":{\"a\":[1]}}",
		    "{\"o\":{\"a\":[1],\"b\":2}}");
	const live_value *state = parsed("{\"a\":[1]}"), *delta, *next;
	const live_value *patch = live_object("a", live_value_ref(live_get(state, "a")), NULL);
	diff_patch(state, patch, &deep, &delta, &next);
	ck_assert_ptr_null(delta);
	ck_assert_ptr_eq(next, state);
	live_value_unref(next);
	live_value_unref(patch);
	live_value_unref(state);
}
END_TEST

/* From the fourth nested object on, objects go whole, with nulls for what they lost. */
START_TEST(below_the_depth_limit)
{
	assert_diff(&deep, "{\"a\":{\"b\":{\"c\":{\"x\":1,\"y\":2}}}}", "{\"a\":{\"b\":{\"c\":{\"x\":1,\"y\":3}}}}",
		    "{\"a\":{\"b\":{\"c\":{\"y\":3}}}}", "{\"a\":{\"b\":{\"c\":{\"x\":1,\"y\":3}}}}");
	assert_diff(&deep, "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":1,\"y\":2,\"z\":{\"u\":1,\"v\":2}}}}}}",
		    "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":1,\"z\":{\"u\":5}}}}}}",
		    "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":1,\"z\":{\"u\":5,\"v\":null},\"y\":null}}}}}",
		    "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":1,\"z\":{\"u\":5}}}}}}");
	/* A null that was there stays, as it does above the limit. */
	assert_diff(&shallow, "{\"a\":{\"x\":null,\"y\":1}}", "{\"a\":{\"x\":null,\"y\":2}}", "{\"a\":{\"y\":2}}",
		    "{\"a\":{\"x\":null,\"y\":2}}");
	assert_diff(&deep, "{\"a\":{\"x\":null,\"y\":1}}", "{\"a\":{\"x\":null,\"y\":2}}", "{\"a\":{\"y\":2}}",
		    "{\"a\":{\"x\":null,\"y\":2}}");
	assert_diff(&deep, "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":[1]}}}}}", "{\"a\":{\"b\":{\"c\":{\"d\":{\"x\":[1]}}}}}",
		    NULL, NULL);
}
END_TEST

START_TEST(shallow_diff)
{
	assert_diff(&shallow, "{\"a\":{\"x\":1,\"y\":2},\"b\":1}", "{\"a\":{\"x\":5}}", "{\"a\":{\"x\":5,\"y\":null}}",
		    "{\"a\":{\"x\":5},\"b\":1}");
	assert_diff(&shallow, "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":5,\"y\":2}}", "{\"a\":{\"x\":5,\"y\":2}}",
		    "{\"a\":{\"x\":5,\"y\":2}}");
	assert_diff(&shallow, "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}", NULL, NULL);
}
END_TEST

static void assert_widens(const char *delta, const char *next, const char *expected)
{
	const live_value *change = parsed(delta), *after = parsed(next);
	assert_prints(diff_widen(change, after), expected);
	live_value_unref(change);
	live_value_unref(after);
}

START_TEST(widens)
{
	assert_widens("{\"p\":{\"p1\":{\"x\":9},\"p2\":null}}", "{\"p\":{\"p1\":{\"x\":9,\"y\":2}},\"q\":1}",
		      "{\"p\":{\"p1\":{\"x\":9,\"y\":2},\"p2\":null}}");
	assert_widens("{\"a\":null,\"b\":[1]}", "{\"a\":null,\"b\":[1],\"c\":{}}", "{\"a\":null,\"b\":[1]}");
	assert_widens("{\"a\":{\"x\":{\"y\":null}}}", "{\"a\":{\"w\":1,\"x\":{\"z\":1}}}",
		      "{\"a\":{\"w\":1,\"x\":{\"z\":1,\"y\":null}}}");
	assert_widens("{}", "{\"a\":1}", "{}");
}
END_TEST

START_TEST(joins)
{
	static const char *const rows[][3] = {
		{"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
		{"{\"a\":1,\"c\":3}", "{\"a\":2}", "{\"a\":2,\"c\":3}"},
		{"{\"a\":{\"x\":1}}", "{\"a\":{\"y\":null}}", "{\"a\":{\"x\":1,\"y\":null}}"},
		{"{\"a\":{\"x\":null}}", "{\"a\":{\"x\":2}}", "{\"a\":{\"x\":2}}"},
		{"{\"a\":[1]}", "{\"a\":[2]}", "{\"a\":[2]}"},
		{"{\"a\":{\"x\":1}}", "{\"a\":null}", "{\"a\":null}"},
		{"{}", "{}", "{}"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const live_value *earlier = parsed(rows[i][0]), *later = parsed(rows[i][1]);
		assert_prints(diff_join(earlier, later), rows[i][2]);
		live_value_unref(earlier);
		live_value_unref(later);
	}
	ck_assert_uint_eq(live_len(diff_join(NULL, NULL)), 0);
}
END_TEST

/* ---- what must hold for any states ---- */

static const live_value *random_object(uint64_t *seed, unsigned depth)
{
	for (;;) {
		const live_value *value = chance_value(seed, depth, 4);
		if (live_value_type(value) == LIVE_OBJECT)
			return value;
		live_value_unref(value);
	}
}

/* value without the nulls of objects, at any level but the top's own: what clients that see null as nothing see. */
static const live_value *without_nulls(const live_value *value, bool top)
{
	if (live_value_type(value) != LIVE_OBJECT)
		return live_value_ref(value);
	const live_value *kept = live_object(NULL, NULL);
	live_iter iter = {0};
	while (live_next(value, &iter)) {
		if (live_is_null(iter.value) && !top)
			continue;
		const live_value *more = live_with_len(kept, iter.key, iter.key_len, without_nulls(iter.value, false));
		live_value_unref(kept);
		kept = more;
	}
	return kept;
}

static bool equal_but_nulls(const live_value *a, const live_value *b)
{
	const live_value *left = without_nulls(a, true), *right = without_nulls(b, true);
	bool equal = live_equal(left, right);
	live_value_unref(left);
	live_value_unref(right);
	return equal;
}

/* delta put over state key by key, as clients do that merge only the top level. */
static const live_value *assigned(const live_value *state, const live_value *delta)
{
	const live_value *result = live_value_ref(state);
	live_iter iter = {0};
	while (live_next(delta, &iter)) {
		const live_value *more = live_with_len(result, iter.key, iter.key_len, live_value_ref(iter.value));
		live_value_unref(result);
		result = more;
	}
	return result;
}

static void check_diff(const live_value *state, const live_value *patch, const struct diff_options *options)
{
	const live_value *delta, *next;
	diff_patch(state, patch, options, &delta, &next);
	/* The patch's keys are what it says, but for nested nulls, which mean "not there". */
	const live_value *wanted = assigned(state, patch);
	ck_assert(equal_but_nulls(wanted, next));
	live_value_unref(wanted);
	if (delta) {
		const live_value *merged = live_merge(state, delta);
		ck_assert(live_equal(merged, next));
		live_value_unref(merged);

		const live_value *wide = diff_widen(delta, next);
		const live_value *by_old_client = assigned(state, wide), *by_merge = live_merge(state, wide);
		ck_assert(equal_but_nulls(by_old_client, next));
		ck_assert(equal_but_nulls(by_merge, next));
		live_value_unref(by_old_client);
		live_value_unref(by_merge);
		live_value_unref(wide);
	} else {
		ck_assert_ptr_eq(next, state);
	}
	live_value_unref(delta);
	live_value_unref(next);
}

START_TEST(merging_the_delta_gives_the_next_state)
{
	uint64_t seed = test_seed();
	for (int round = 0; round < 20000; round++) {
		const live_value *state = random_object(&seed, 6), *patch = random_object(&seed, 6);
		/* Half of the patches keep most of the state. */
		const live_value *near = live_merge(state, patch);
		struct diff_options options = {.deep = chance_below(&seed, 4),
					       .depth = (unsigned)chance_below(&seed, 5)};
		check_diff(state, patch, &options);
		check_diff(state, near, &options);
		live_value_unref(state);
		live_value_unref(patch);
		live_value_unref(near);
	}
}
END_TEST

/* ---- two states ---- */

/* What a client holds that merged the steps. */
static const live_value *stepped(const live_value *state, const struct diff_steps *steps)
{
	const live_value *cleared = steps->clear ? live_merge(state, steps->clear) : live_value_ref(state);
	const live_value *merged = steps->delta ? live_merge(cleared, steps->delta) : live_value_ref(cleared);
	live_value_unref(cleared);
	return merged;
}

/* clear and delta: NULL for none. */
static void assert_steps(const struct diff_options *options, const char *before, const char *after, const char *clear,
			 const char *delta)
{
	const live_value *old = parsed(before), *new = parsed(after);
	struct diff_steps steps;
	diff_states(old, new, options, &steps);
	const live_value *merged = stepped(old, &steps);
	ck_assert(live_equal(merged, new));
	live_value_unref(merged);
	live_value_unref(old);
	live_value_unref(new);
	ck_assert_msg(!clear == !steps.clear && !delta == !steps.delta, "%s", after);
	if (clear)
		assert_prints(steps.clear, clear);
	if (delta)
		assert_prints(steps.delta, delta);
}

START_TEST(states_in_one_step)
{
	assert_steps(&deep, "{\"a\":1}", "{\"a\":1}", NULL, NULL);
	assert_steps(&deep, "{\"a\":1}", "{\"a\":null,\"b\":{\"c\":null}}", NULL, "{\"a\":null,\"b\":{\"c\":null}}");
	assert_steps(&deep, "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":3}}", NULL, "{\"a\":{\"c\":3,\"b\":null}}");
	/* Nulls that stay where they are, and nulls in what is no object yet. */
	assert_steps(&deep, "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"b\":null,\"c\":2}}", NULL, "{\"a\":{\"c\":2}}");
	assert_steps(&deep, "{\"a\":{\"b\":5}}", "{\"a\":{\"b\":{\"c\":null}}}", NULL, "{\"a\":{\"b\":{\"c\":null}}}");
	/* Below the depth limit, too, where objects otherwise go whole. */
	assert_steps(&shallow, "{\"a\":{\"b\":null,\"c\":1,\"d\":2}}", "{\"a\":{\"b\":null,\"c\":2,\"d\":2}}", NULL,
		     "{\"a\":{\"c\":2}}");
	assert_steps(&shallow, "{\"a\":{\"b\":0,\"c\":1,\"d\":2}}", "{\"a\":{\"c\":2,\"d\":2}}", NULL,
		     "{\"a\":{\"c\":2,\"d\":2,\"b\":null}}");
	assert_steps(&shallow, "{\"a\":{\"b\":0}}", "{\"a\":{\"b\":0}}", NULL, NULL);
}
END_TEST

/* An object whose new nulls no delta can bring goes first, and comes back whole: no object around it does. */
START_TEST(states_in_two_steps)
{
	assert_steps(&deep, "{\"a\":{\"c\":1}}", "{\"a\":{\"b\":null}}", "{\"a\":null}", "{\"a\":{\"b\":null}}");
	assert_steps(&deep, "{\"a\":{\"c\":1}}", "{\"a\":{\"c\":null}}", "{\"a\":null}", "{\"a\":{\"c\":null}}");
	assert_steps(&deep, "{\"a\":{\"x\":{\"c\":1},\"y\":{\"d\":[1]},\"z\":1},\"k\":1}",
		     "{\"a\":{\"x\":{\"c\":1,\"b\":null},\"y\":{\"d\":null},\"w\":2},\"k\":2}",
		     "{\"a\":{\"x\":null,\"y\":null}}",
		     "{\"a\":{\"x\":{\"c\":1,\"b\":null},\"y\":{\"d\":null},\"w\":2,\"z\":null},\"k\":2}");
	assert_steps(&shallow, "{\"a\":{\"x\":{\"c\":1},\"y\":1}}", "{\"a\":{\"x\":{\"c\":null},\"y\":1}}",
		     "{\"a\":{\"x\":null}}", "{\"a\":{\"x\":{\"c\":null}}}");
}
END_TEST

/* One look at the states before and after is as good as all deltas in between, whatever was written. */
START_TEST(steps_for_many_patches)
{
	uint64_t seed = test_seed();
	unsigned twice = 0;
	for (int round = 0; round < 20000; round++) {
		const live_value *before = random_object(&seed, 5), *state = live_value_ref(before);
		struct diff_options options = {.deep = chance_below(&seed, 4),
					       .depth = (unsigned)chance_below(&seed, 5)};
		struct diff_steps steps;
		for (uint64_t left = chance_below(&seed, 4); left; left--) {
			const live_value *patch = random_object(&seed, 5), *delta, *next;
			diff_patch(state, patch, &options, &delta, &next);
			live_value_unref(patch);
			live_value_unref(delta);
			live_value_unref(state);
			state = next;
		}
		diff_states(before, state, &options, &steps);
		const live_value *merged = stepped(before, &steps);
		ck_assert(live_equal(merged, state));
		ck_assert(!steps.clear || steps.delta);
		twice += steps.clear != NULL;
		live_value_unref(merged);
		live_value_unref(steps.clear);
		live_value_unref(steps.delta);
		live_value_unref(before);
		live_value_unref(state);
	}
	ck_assert_uint_gt(twice, 0);
}
END_TEST

/* One delta of the states before and after is as good as all deltas in between, but for nested nulls. */
START_TEST(one_delta_for_many_patches)
{
	uint64_t seed = test_seed();
	for (int round = 0; round < 3000; round++) {
		const live_value *before = random_object(&seed, 5), *state = live_value_ref(before);
		for (int step = 0; step < 4; step++) {
			const live_value *patch = random_object(&seed, 5), *delta, *next;
			diff_patch(state, patch, &deep, &delta, &next);
			live_value_unref(patch);
			live_value_unref(delta);
			live_value_unref(state);
			state = next;
		}
		check_diff(before, state, &deep);
		live_value_unref(before);
		live_value_unref(state);
	}
}
END_TEST

/* A hundred thousand members at two levels: near linear, or this runs into the test's deadline. */
START_TEST(large_states)
{
	enum { COUNT = 100000 };
	struct buf text;
	buf_init(&text, 1 << 24);
	for (int i = 0; i < COUNT; i++)
		buf_printf(&text, "%s\"name%d\":%d", i ? "," : "{", i, i);
	buf_append_char(&text, '}');
	const live_value *inner = live_from_json(text.ptr, text.len, NULL, 0);
	const live_value *fewer = live_without(inner, "name7");
	const live_value *changed = live_with(fewer, "name9", live_string("other"));
	const live_value *state = live_object("in", inner, NULL), *patch = live_object("in", changed, NULL);
	const live_value *delta, *next;
	diff_patch(state, patch, &deep, &delta, &next);
	assert_prints(delta, "{\"in\":{\"name9\":\"other\",\"name7\":null}}");
	ck_assert(live_equal(next, patch));
	live_value_unref(next);
	diff_patch(state, patch, &shallow, &delta, &next);
	ck_assert(live_equal(next, patch));
	ck_assert_uint_eq(live_len(live_get(delta, "in")), COUNT);
	live_value_unref(next);
	live_value_unref(delta);
	live_value_unref(state);
	live_value_unref(patch);
	live_value_unref(fewer);
	buf_deinit(&text);
}
END_TEST

CORE_TESTS("diff", large_states, top_level, nested, arrays_by_identity, below_the_depth_limit, shallow_diff, widens,
	   joins, states_in_one_step, states_in_two_steps, steps_for_many_patches,
	   merging_the_delta_gives_the_next_state, one_delta_for_many_patches)
