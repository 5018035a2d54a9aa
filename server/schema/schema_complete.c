/*
 * Defaults: what a property that is missing is set to. A value that lacks none stays what it is, so nothing is built
 * before the first one is missed.
 */
#include <stdlib.h>

#include "core/mem.h"
#include "core/value.h"
#include "server/schema/schema_check.h"

/* Replaces *value, which is ours, by itself with the defaults of node. */
static bool complete_in_place(struct check *check, const struct schema_node *node, void *argument)
{
	const live_value **value = argument;
	const live_value *whole = check_complete(check, node, *value);

	live_value_unref(*value);
	*value = whole;
	return true;
}

/* A new container in the making: NULL until it differs from the old one. */
struct draft {
	struct check *check;
	const live_value *old;
	struct value_pair *pairs;
	size_t count;
};

/* From now on there is one, with the first count members or items of the old one. */
static void draft_begin(struct draft *draft, size_t count, size_t extra)
{
	if (draft->pairs)
		return;
	draft->pairs = mem_try_alloc((live_len(draft->old) + extra + 1) * sizeof *draft->pairs);
	if (!draft->pairs) {
		draft->check->is_over = true;
		return;
	}
	for (live_iter it = {0}; draft->count < count && live_next(draft->old, &it);)
		draft->pairs[draft->count++] = (struct value_pair){live_value_ref(it.value), {it.key, it.key_len}};
}

/* Goes on with the next member or item: value, which is given away. */
static void draft_add(struct draft *draft, const live_iter *it, size_t done, size_t extra, const live_value *value)
{
	if (value != it->value)
		draft_begin(draft, done, extra);
	if (draft->pairs)
		draft->pairs[draft->count++] = (struct value_pair){value, {it->key, it->key_len}};
	else
		live_value_unref(value);
}

static const live_value *complete_member(struct check *check, const struct schema_node *node, struct str key,
					 const live_value *value)
{
	const live_value *whole = live_value_ref(value);

	bool is_named = node->property_source && live_get_len(node->property_source, key.ptr, key.len);
	for (size_t i = 0; is_named && i < node->properties.count; i++)
		if (str_equal(node->properties.all[i].key, key))
			complete_in_place(check, node->properties.all[i].node, &whole);
	check_visit_member(check, node, key, complete_in_place, &whole);
	return whole;
}

static const live_value *complete_object(struct check *check, const struct schema_node *node, const live_value *object)
{
	struct draft draft = {.check = check, .old = object};
	size_t extra = node->properties.count;
	size_t done = 0;

	for (live_iter it = {0}; live_next(object, &it); done++) {
		if (!check_spend(check, 1))
			break;
		struct str key = {it.key, it.key_len};
		draft_add(&draft, &it, done, extra, complete_member(check, node, key, it.value));
	}
	for (size_t i = 0; i < extra && !check->is_over; i++) {
		struct str key = node->properties.all[i].key;
		const live_value *fallback = schema_default(node->properties.all[i].node);
		if (!fallback || live_get_len(object, key.ptr, key.len))
			continue;
		draft_begin(&draft, done, extra);
		if (draft.pairs)
			draft.pairs[draft.count++] = (struct value_pair){live_value_ref(fallback), key};
	}
	const live_value *whole = draft.pairs ? value_object(draft.pairs, draft.count) : live_value_ref(object);
	free(draft.pairs);
	return whole;
}

static const live_value *complete_array(struct check *check, const struct schema_node *node, const live_value *array)
{
	struct draft draft = {.check = check, .old = array};
	size_t done = 0;

	for (live_iter it = {0}; live_next(array, &it); done++) {
		const struct schema_node *rule = done < node->prefix.count ? node->prefix.nodes[done] : node->rest;
		const live_value *item = rule ? check_complete(check, rule, it.value) : live_value_ref(it.value);
		draft_add(&draft, &it, done, 0, item);
	}
	const live_value *whole = draft.pairs ? value_array_of_pairs(draft.pairs, draft.count) : live_value_ref(array);
	free(draft.pairs);
	return whole;
}

const live_value *check_complete(struct check *check, const struct schema_node *node, const live_value *value)
{
	const live_value *whole = live_value_ref(value);

	if (check->depth == SCHEMA_CHECK_DEPTH)
		check->is_over = true;
	if (!check_spend(check, 1))
		return whole;
	check->depth++;
	if (node->ref)
		complete_in_place(check, node->ref, &whole);
	for (size_t i = 0; i < node->all.count; i++)
		complete_in_place(check, node->all.nodes[i], &whole);
	const live_value *before = whole;
	if (live_value_type(before) == LIVE_OBJECT)
		whole = complete_object(check, node, before);
	else if (live_value_type(before) == LIVE_ARRAY)
		whole = complete_array(check, node, before);
	else
		before = NULL;
	live_value_unref(before);
	check->depth--;
	return whole;
}
