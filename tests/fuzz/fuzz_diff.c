/*
 * For any state and patch, a line of JSON each: merging the delta into the state gives what diff_patch calls the next
 * state, and so does merging the widened delta, but for nested nulls. The steps between any two states lead from one to
 * the other exactly.
 */
#include "core/diff.h"

#include <string.h>

#include "core/assert.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Whether all that b says a says too: its scalars and arrays, and its objects in turn; nulls may be missing. */
static bool says_all_of(const live_value *a, const live_value *b)
{
	if (live_is_null(b))
		return live_is_null(a);
	if (live_value_type(b) != LIVE_OBJECT)
		return live_equal(a, b);
	if (live_value_type(a) != LIVE_OBJECT)
		return false;
	live_iter iter = {0};
	while (live_next(b, &iter)) {
		if (!says_all_of(live_get_len(a, iter.key, iter.key_len), iter.value))
			return false;
	}
	return true;
}

static void check(const live_value *state, const live_value *patch, const struct diff_options *options)
{
	const live_value *delta, *next, *nothing, *same;

	diff_patch(state, patch, options, &delta, &next);
	if (delta) {
		const live_value *merged = live_merge(state, delta);
		assert_always(live_equal(merged, next));
		live_value_unref(merged);
		const live_value *wide = diff_widen(delta, next);
		merged = live_merge(state, wide);
		assert_always(says_all_of(merged, next) && says_all_of(next, merged));
		live_value_unref(merged);
		live_value_unref(wide);
		live_value_unref(diff_join(delta, patch));
	} else if (live_value_type(state) == LIVE_OBJECT) {
		assert_always(next == state);
	}
	/* A state is no change to itself. */
	diff_patch(next, next, options, &nothing, &same);
	assert_always(!nothing && same == next);
	live_value_unref(same);
	live_value_unref(delta);
	live_value_unref(next);
}

/* The keys of patch put into state, as they are. */
static const live_value *assigned(const live_value *state, const live_value *patch)
{
	const live_value *result = live_merge(state, NULL);
	live_iter iter = {0};

	while (live_value_type(patch) == LIVE_OBJECT && live_next(patch, &iter)) {
		const live_value *more = live_with_len(result, iter.key, iter.key_len, live_value_ref(iter.value));
		live_value_unref(result);
		result = more;
	}
	return result;
}

static void check_states(const live_value *state, const live_value *patch, const struct diff_options *options)
{
	const live_value *after = assigned(state, patch);
	struct diff_steps steps;

	diff_states(state, after, options, &steps);
	const live_value *cleared = live_merge(state, steps.clear);
	const live_value *merged = live_merge(cleared, steps.delta);
	assert_always(live_equal(merged, after));
	live_value_unref(merged);
	live_value_unref(cleared);
	live_value_unref(steps.clear);
	live_value_unref(steps.delta);
	live_value_unref(after);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data;
	const char *newline = size ? memchr(text, '\n', size) : NULL;
	if (!newline)
		return 0;
	size_t first = (size_t)(newline - text);
	const live_value *state = live_from_json(text, first, NULL, 0);
	const live_value *patch = live_from_json(newline + 1, size - first - 1, NULL, 0);
	if (state && patch) {
		for (unsigned depth = 0; depth < 5; depth++) {
			const struct diff_options options = {.deep = depth > 0, .depth = depth};
			check(state, patch, &options);
			check_states(state, patch, &options);
		}
	}
	live_value_unref(state);
	live_value_unref(patch);
	return 0;
}
