#include "core/value.h"

#include <stdlib.h>

#include "core/mem.h"

/*
 * live_merge: how a delta is applied, by the server and by its clients alike (protocol section 7.3).
 */

enum { ON_STACK = 16 };

/* Deeper than this, an object replaces what was there: no client's message and no state it can show nests so deep, and
 * the stack must not run out. */
enum { DEEPEST = 512 };

static const live_value *merge_object(const live_value *base, const live_value *delta, unsigned depth);

/* What a key becomes that was old (NULL when it was not there) under source; NULL when it goes. The caller owns it. */
static const live_value *merge_member(const live_value *old, const live_value *source, unsigned depth)
{
	if (source->type == LIVE_NULL && depth > 0)
		return NULL;
	if (source->type == LIVE_OBJECT && value_is(old, LIVE_OBJECT) && depth < DEEPEST)
		return merge_object(old, source, depth + 1);
	return live_value_ref(source);
}

/*
 * The members of base, then those that delta adds. Members of base that delta does not name keep their value; base's
 * order stays.
 */
struct merge {
	const live_value *base, *delta;
	const struct value_member **changes; /* base->len of them: the member of delta that names it */
	size_t added;                        /* members of delta that base has not, those that vanish not counted */
};

static void match_members(struct merge *merge, unsigned depth)
{
	const struct value_member *members = value_members(merge->delta);
	for (size_t i = 0; i < merge->delta->len; i++) {
		struct str key = value_key(merge->delta, &members[i]);
		const struct value_member *old = value_find_near(merge->base, key, i);
		if (old)
			merge->changes[old - value_members(merge->base)] = &members[i];
		else if (depth == 0 || members[i].value->type != LIVE_NULL)
			merge->added++;
	}
}

/* Fills pairs with the result's members, and says how many. *same: nothing differs from base. */
static size_t merge_pairs(const struct merge *merge, struct value_pair *pairs, unsigned depth, bool *same)
{
	size_t count = 0;
	const struct value_member *old = value_members(merge->base);

	*same = merge->added == 0;
	for (size_t i = 0; i < merge->base->len; i++) {
		const struct value_member *change = merge->changes[i];
		const live_value *value =
			change ? merge_member(old[i].value, change->value, depth) : live_value_ref(old[i].value);
		*same &= value == old[i].value;
		if (value)
			pairs[count++] = (struct value_pair){value, value_key(merge->base, &old[i])};
	}
	if (!merge->added)
		return count;
	const struct value_member *members = value_members(merge->delta);
	for (size_t i = 0; i < merge->delta->len; i++) {
		struct str key = value_key(merge->delta, &members[i]);
		if (value_find_near(merge->base, key, i))
			continue;
		const live_value *value = merge_member(NULL, members[i].value, depth);
		if (value)
			pairs[count++] = (struct value_pair){value, key};
	}
	return count;
}

static const live_value *merge_object(const live_value *base, const live_value *delta, unsigned depth)
{
	const struct value_member *changes_on_stack[ON_STACK] = {0};
	struct value_pair pairs_on_stack[ON_STACK];
	struct merge merge = {base, delta, changes_on_stack, 0};
	struct value_pair *pairs = pairs_on_stack;
	bool same;

	if (base->len > ON_STACK)
		merge.changes = mem_alloc(base->len * sizeof(const struct value_member *));
	match_members(&merge, depth);
	if (base->len + merge.added > ON_STACK)
		pairs = mem_alloc_raw((base->len + merge.added) * sizeof *pairs);
	size_t count = merge_pairs(&merge, pairs, depth, &same);
	const live_value *merged;
	if (same) {
		for (size_t i = 0; i < count; i++)
			live_value_unref(pairs[i].value);
		merged = live_value_ref(base);
	} else {
		merged = value_object(pairs, count);
	}
	if (pairs != pairs_on_stack)
		free(pairs);
	if (merge.changes != changes_on_stack)
		free((void *)merge.changes);
	return merged;
}

const live_value *live_merge(const live_value *base, const live_value *delta)
{
	if (!value_is(delta, LIVE_OBJECT))
		return live_value_ref(value_is(base, LIVE_OBJECT) ? base : value_empty(LIVE_OBJECT));
	return merge_object(value_is(base, LIVE_OBJECT) ? base : value_empty(LIVE_OBJECT), delta, 0);
}
