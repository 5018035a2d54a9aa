#include "unit/server/component/test_model_rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"

static bool is_object(const live_value *value)
{
	return live_value_type(value) == LIVE_OBJECT;
}

/* object with one more member; object is given away. */
static const live_value *with(const live_value *object, const live_iter *member, const live_value *value)
{
	const live_value *more = live_with_len(object, member->key, member->key_len, value);

	live_value_unref(object);
	return more;
}

static const live_value *without(const live_value *object, const live_iter *member)
{
	char *key = mem_alloc(member->key_len + 1);

	memcpy(key, member->key, member->key_len);
	const live_value *less = live_without(object, key);

	free(key);
	live_value_unref(object);
	return less;
}

/* ---- the server ---- */

/* An object that is written where another one is: complete, but a null says nothing of what was not null before. */
static const live_value *replaced(const live_value *old, const live_value *new)
{
	const live_value *result = live_object(NULL, NULL);

	for (live_iter it = {0}; live_next(new, &it);) {
		const live_value *before = live_get_len(old, it.key, it.key_len);
		if (live_is_null(it.value) && !(before && live_is_null(before)))
			continue;
		bool both = is_object(before) && is_object(it.value);
		result = with(result, &it, both ? replaced(before, it.value) : live_value_ref(it.value));
	}
	return result;
}

const live_value *rule_patch(const live_value *state, const live_value *patch)
{
	const live_value *result = live_value_ref(state);

	for (live_iter it = {0}; live_next(patch, &it);) {
		const live_value *before = live_get_len(state, it.key, it.key_len);
		bool both = is_object(before) && is_object(it.value);
		result = with(result, &it, both ? replaced(before, it.value) : live_value_ref(it.value));
	}
	return result;
}

const live_value *rule_assign(const live_value *state, const live_value *over)
{
	const live_value *result = live_value_ref(state);

	for (live_iter it = {0}; live_next(over, &it);)
		result = with(result, &it, live_value_ref(it.value));
	return result;
}

/* ---- the clients ---- */

static const live_value *merged(const live_value *base, const live_value *delta, bool top)
{
	const live_value *result = live_value_ref(base);

	for (live_iter it = {0}; live_next(delta, &it);) {
		const live_value *before = live_get_len(base, it.key, it.key_len);
		if (live_is_null(it.value) && !top)
			result = without(result, &it);
		else if (is_object(before) && is_object(it.value))
			result = with(result, &it, merged(before, it.value, false));
		else
			result = with(result, &it, live_value_ref(it.value));
	}
	return result;
}

const live_value *rule_merge(enum generation generation, const live_value *state, const live_value *delta)
{
	return generation <= G2 ? rule_assign(state, delta) : merged(state, delta, true);
}

const live_value *rule_room_changes(enum generation generation, const live_value *data)
{
	const live_value *inner = live_get(data, "state");

	return live_value_ref(generation >= G3 && inner ? inner : data);
}

/* ---- comparing ---- */

static int compare_keys(const void *a, const void *b)
{
	const live_iter *x = a, *y = b;
	size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order = memcmp(x->key, y->key, len);

	return order ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static const live_value *sorted(const live_value *value, bool with_nulls, bool top);

static const live_value *sorted_object(const live_value *object, bool with_nulls, bool top)
{
	size_t count = 0;
	live_iter *members = calloc(live_len(object) + 1, sizeof *members);
	const live_value *result = live_object(NULL, NULL);

	assert_always(members);
	for (live_iter it = {0}; live_next(object, &it);)
		if (with_nulls || top || !live_is_null(it.value))
			members[count++] = it;
	qsort(members, count, sizeof *members, compare_keys);
	for (size_t i = 0; i < count; i++)
		result = with(result, &members[i], sorted(members[i].value, with_nulls, false));
	free(members);
	return result;
}

/* with_nulls concerns objects in objects only: an array is always sent whole. */
static const live_value *sorted(const live_value *value, bool with_nulls, bool top)
{
	if (is_object(value))
		return sorted_object(value, with_nulls, top);
	if (live_value_type(value) != LIVE_ARRAY)
		return live_value_ref(value);
	const live_value *result = live_array(0, NULL);
	for (live_iter it = {0}; live_next(value, &it);) {
		const live_value *more = live_append(result, sorted(it.value, true, false));
		live_value_unref(result);
		result = more;
	}
	return result;
}

char *rule_canonical(const live_value *value, bool with_nulls)
{
	const live_value *in_order = sorted(value, with_nulls, true);
	char *text = live_to_json(in_order, NULL);

	live_value_unref(in_order);
	return text;
}
