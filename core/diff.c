#include "core/diff.h"

#include <stdlib.h>

#include "core/mem.h"
#include "core/value.h"

/* Deeper than this, objects are taken whole, as live_merge takes them: the stack must not run out. */
enum { DEEPEST = 512 };

/* ---- the members of an object to be ---- */

struct draft {
	struct value_pair *pairs;
	size_t count, cap;
	struct value_pair first[16];
};

static void draft_init(struct draft *draft)
{
	draft->pairs = draft->first;
	draft->count = 0;
	draft->cap = sizeof draft->first / sizeof *draft->first;
}

/* Takes value; key must outlive the draft. */
static void draft_add(struct draft *draft, struct str key, const live_value *value)
{
	if (draft->count == draft->cap) {
		struct value_pair *old = draft->pairs == draft->first ? NULL : draft->pairs;
		draft->cap *= 2;
		draft->pairs = mem_realloc(old, draft->cap * sizeof *draft->pairs);
		if (!old)
			memcpy(draft->pairs, draft->first, sizeof draft->first);
	}
	draft->pairs[draft->count++] = (struct value_pair){value, key};
}

static const live_value *draft_finish(struct draft *draft)
{
	const live_value *object = value_object(draft->pairs, draft->count);
	if (draft->pairs != draft->first)
		free(draft->pairs);
	return object;
}

static const live_value *object_or_empty(const live_value *value)
{
	return value_is(value, LIVE_OBJECT) ? value : value_empty(LIVE_OBJECT);
}

/* ---- tombstones ---- */

static const live_value *with_tombstones(const live_value *value, const live_value *other, bool is_delta,
					 unsigned depth);

/* Whether a member of other that value has not is one that value lost: any of an older state, of a delta its nulls. */
static bool was_removed(const struct value_member *member, bool is_delta)
{
	return !is_delta || member->value->type == LIVE_NULL;
}

static bool lacks_any(const live_value *value, const live_value *other, bool is_delta)
{
	const struct value_member *members = value_members(other);
	for (size_t i = 0; i < other->len; i++) {
		if (was_removed(&members[i], is_delta) && !value_find_near(value, value_key(other, &members[i]), i))
			return true;
	}
	return false;
}

/*
 * The members of value, each with the tombstones of its partner in other; *changed when any has some. A null that the
 * older state has, too, is left out: it would be merged as the word for what was removed.
 */
static void draft_members(struct draft *draft, const live_value *value, const live_value *other, bool is_delta,
			  unsigned depth, bool *changed)
{
	const struct value_member *members = value_members(value);
	for (size_t i = 0; i < value->len; i++) {
		struct str key = value_key(value, &members[i]);
		const struct value_member *partner = value_find_near(other, key, i);
		const live_value *child = members[i].value;
		if (child->type == LIVE_NULL && !is_delta && partner && partner->value == child) {
			*changed = true;
			continue;
		}
		const live_value *marked =
			partner ? with_tombstones(child, partner->value, is_delta, depth + 1) : live_value_ref(child);
		*changed |= marked != child;
		draft_add(draft, key, marked);
	}
}

/*
 * value with null for what it lost, at every level where both are objects: what the members of other are that it has
 * not, where other is an older state, or a delta (is_delta), whose nulls alone count.
 */
static const live_value *with_tombstones(const live_value *value, const live_value *other, bool is_delta,
					 unsigned depth)
{
	if (value == other || !value_is(value, LIVE_OBJECT) || !value_is(other, LIVE_OBJECT) || depth > DEEPEST)
		return live_value_ref(value);
	struct draft draft;
	bool changed = lacks_any(value, other, is_delta);

	draft_init(&draft);
	draft_members(&draft, value, other, is_delta, depth, &changed);
	const struct value_member *members = value_members(other);
	for (size_t i = 0; changed && i < other->len; i++) {
		struct str key = value_key(other, &members[i]);
		if (was_removed(&members[i], is_delta) && !value_find_near(value, key, i))
			draft_add(&draft, key, live_null());
	}
	const live_value *marked = draft_finish(&draft);
	if (changed)
		return marked;
	live_value_unref(marked);
	return live_value_ref(value);
}

/* ---- diff ---- */

static const live_value *diff_objects(const live_value *old, const live_value *new, bool partial, unsigned depth,
				      const struct diff_options *options);

/* What a member's change says, NULL for nothing. old is NULL when it was not there; depth: 1 for members of the state.
 */
static const live_value *diff_member(const live_value *old, const live_value *new, unsigned depth,
				     const struct diff_options *options)
{
	if (old == new)
		return NULL;
	/* Below the top, null removes, and there is nothing to remove. */
	if (!old)
		return depth > 1 && new->type == LIVE_NULL ? NULL : live_value_ref(new);
	if (value_is(old, LIVE_OBJECT) && value_is(new, LIVE_OBJECT)) {
		if (options->deep && depth <= options->depth && depth <= DEEPEST)
			return diff_objects(old, new, false, depth, options);
		return live_equal(old, new) ? NULL : with_tombstones(new, old, false, depth);
	}
	/* Two arrays are two changes of author's mind, equal or not: the reference compares them by identity. */
	if (new->type != LIVE_ARRAY && live_equal(old, new))
		return NULL;
	return live_value_ref(new);
}

/* NULL when nothing changed. partial: what new lacks stays. */
static const live_value *diff_objects(const live_value *old, const live_value *new, bool partial, unsigned depth,
				      const struct diff_options *options)
{
	struct draft draft;
	const struct value_member *members = value_members(new);

	draft_init(&draft);
	for (size_t i = 0; i < new->len; i++) {
		struct str key = value_key(new, &members[i]);
		const struct value_member *before = value_find_near(old, key, i);
		const live_value *change =
			diff_member(before ? before->value : NULL, members[i].value, depth + 1, options);
		if (change)
			draft_add(&draft, key, change);
	}
	members = value_members(old);
	for (size_t i = 0; !partial && i < old->len; i++) {
		struct str key = value_key(old, &members[i]);
		if (!value_find_near(new, key, i))
			draft_add(&draft, key, live_null());
	}
	const live_value *delta = draft_finish(&draft);
	return delta->len ? delta : NULL;
}

void diff_patch(const live_value *state, const live_value *patch, const struct diff_options *options,
		const live_value **delta, const live_value **next)
{
	*delta = diff_objects(object_or_empty(state), object_or_empty(patch), true, 0, options);
	/* By the merge itself, so that what the server holds is what its clients come to hold. */
	*next = *delta ? live_merge(state, *delta) : live_value_ref(object_or_empty(state));
}

/* ---- states ---- */

/* Whether merging value into other loses a null of value: one in an object that meets an object. */
static bool loses_null(const live_value *value, const live_value *other, unsigned depth)
{
	if (!value_is(value, LIVE_OBJECT) || !value_is(other, LIVE_OBJECT) || depth > DEEPEST)
		return false;
	const struct value_member *members = value_members(value);
	for (size_t i = 0; i < value->len; i++) {
		if (members[i].value->type == LIVE_NULL)
			return true;
		const struct value_member *partner = value_find_near(other, value_key(value, &members[i]), i);
		if (partner && loses_null(members[i].value, partner->value, depth + 1))
			return true;
	}
	return false;
}

static bool step_objects(const live_value *old, const live_value *new, unsigned depth,
			 const struct diff_options *options, struct diff_steps *steps);

/* Two objects: the new one takes the old one's place where there are no words for what became of that. */
static void step_object(const live_value *old, const live_value *new, unsigned depth,
			const struct diff_options *options, struct diff_steps *steps)
{
	bool compares = options->deep && depth <= options->depth;

	if (!compares && live_equal(old, new))
		return;
	if (depth > DEEPEST || (!compares && !loses_null(new, old, depth)))
		steps->delta = with_tombstones(new, old, false, depth);
	else if (!step_objects(old, new, depth, options, steps))
		*steps = (struct diff_steps){live_null(), live_value_ref(new)};
}

/* What a member's change says, zeroed at first. false: there are no words for it, as long as its object stays. */
static bool step_member(const live_value *old, const live_value *new, unsigned depth,
			const struct diff_options *options, struct diff_steps *steps)
{
	if (old == new)
		return true;
	if (new->type == LIVE_NULL && depth > 1)
		return false; /* immortal, so old is something else, or not there */
	if (value_is(old, LIVE_OBJECT) && value_is(new, LIVE_OBJECT))
		step_object(old, new, depth, options, steps);
	else if (!old || new->type == LIVE_ARRAY || !live_equal(old, new))
		steps->delta = live_value_ref(new);
	return true;
}

static void add_clear(struct diff_steps *steps, struct str key, const live_value *value)
{
	const live_value *wider = live_with_len(steps->clear, key.ptr, key.len, value);

	live_value_unref(steps->clear);
	steps->clear = wider;
}

/* false: there are no words for it, as long as the object stays; steps are then as they were, empty. */
static bool step_objects(const live_value *old, const live_value *new, unsigned depth,
			 const struct diff_options *options, struct diff_steps *steps)
{
	struct draft draft;
	const struct value_member *members = value_members(new);
	bool said = true;

	draft_init(&draft);
	for (size_t i = 0; said && i < new->len; i++) {
		struct str key = value_key(new, &members[i]);
		const struct value_member *before = value_find_near(old, key, i);
		struct diff_steps steps_of = {NULL, NULL};
		said = step_member(before ? before->value : NULL, members[i].value, depth + 1, options, &steps_of);
		if (steps_of.clear)
			add_clear(steps, key, steps_of.clear);
		if (steps_of.delta)
			draft_add(&draft, key, steps_of.delta);
	}
	members = value_members(old);
	for (size_t i = 0; said && depth > 0 && i < old->len; i++) {
		struct str key = value_key(old, &members[i]);
		if (!value_find_near(new, key, i))
			draft_add(&draft, key, live_null());
	}
	const live_value *delta = draft_finish(&draft);
	if (said) {
		steps->delta = delta->len ? delta : NULL;
		return true;
	}
	live_value_unref(delta);
	live_value_unref(steps->clear);
	steps->clear = NULL;
	return false;
}

void diff_states(const live_value *before, const live_value *after, const struct diff_options *options,
		 struct diff_steps *steps)
{
	*steps = (struct diff_steps){NULL, NULL};
	/* At the top null is a value: there are words for everything. */
	(void)step_objects(object_or_empty(before), object_or_empty(after), 0, options, steps);
}

const live_value *diff_widen(const live_value *delta, const live_value *next)
{
	struct draft draft;
	live_iter iter = {0};

	draft_init(&draft);
	delta = object_or_empty(delta);
	while (live_next(delta, &iter)) {
		struct str key = {iter.key, iter.key_len};
		const live_value *whole = live_get_len(next, key.ptr, key.len);
		draft_add(&draft, key, with_tombstones(whole ? whole : iter.value, iter.value, true, 1));
	}
	return draft_finish(&draft);
}

static const live_value *join(const live_value *earlier, const live_value *later, unsigned depth)
{
	if (!value_is(earlier, LIVE_OBJECT) || !value_is(later, LIVE_OBJECT) || depth > DEEPEST)
		return live_value_ref(later);
	struct draft draft;
	live_iter iter = {0};

	draft_init(&draft);
	while (live_next(earlier, &iter))
		draft_add(&draft, (struct str){iter.key, iter.key_len}, live_value_ref(iter.value));
	for (iter = (live_iter){0}; live_next(later, &iter);) {
		const live_value *before = live_get_len(earlier, iter.key, iter.key_len);
		/* Of equal keys the last wins, at the first one's place. */
		draft_add(&draft, (struct str){iter.key, iter.key_len}, join(before, iter.value, depth + 1));
	}
	return draft_finish(&draft);
}

const live_value *diff_join(const live_value *earlier, const live_value *later)
{
	return join(object_or_empty(earlier), object_or_empty(later), 0);
}
