#include "pubsub/room_state.h"

#include "core/buf.h"
#include "core/diff.h"
#include "core/json.h"

/* Strings and numbers are measured by printing them: then the length is that of the printer by construction. */
static size_t measure_leaf(const live_value *value)
{
	struct buf text;

	switch (live_value_type(value)) {
	case LIVE_NULL: return sizeof "null" - 1;
	case LIVE_BOOL: return live_as_bool(value) ? sizeof "true" - 1 : sizeof "false" - 1;
	case LIVE_BINARY: return 2 + (live_len(value) + 2) / 3 * 4;
	default: break;
	}
	buf_init(&text, SIZE_MAX);
	json_write(&text, value);
	size_t len = buf_failed(&text) ? SIZE_MAX / 4 : text.len; /* no memory to print it: too large, then */
	buf_deinit(&text);
	return len;
}

static size_t measure_key(const char *key, size_t len)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	json_write_string(&text, (struct str){key, len});
	size_t bytes = text.len + 1; /* the colon */
	buf_deinit(&text);
	return bytes;
}

/* The brackets and commas of a container. */
static size_t measure_frame(const live_value *container)
{
	size_t count = live_len(container);

	return 2 + (count ? count - 1 : 0);
}

size_t room_state_measure(const live_value *value)
{
	live_type type = live_value_type(value);
	live_iter iter = {0};

	if (type != LIVE_OBJECT && type != LIVE_ARRAY)
		return measure_leaf(value);
	size_t bytes = measure_frame(value);
	while (live_next(value, &iter)) {
		bytes += room_state_measure(iter.value);
		if (type == LIVE_OBJECT)
			bytes += measure_key(iter.key, iter.key_len);
	}
	return bytes;
}

static bool is_object(const live_value *value)
{
	return live_value_type(value) == LIVE_OBJECT;
}

/*
 * The length of next, given that of old and the delta that leads from one to the other: only keys that delta names
 * differ. All three are objects.
 */
static size_t measure_change(const live_value *old, size_t old_bytes, const live_value *next, const live_value *delta)
{
	size_t bytes = old_bytes - measure_frame(old) + measure_frame(next);
	live_iter iter = {0};

	while (live_next(delta, &iter)) {
		const live_value *was = live_get_len(old, iter.key, iter.key_len);
		const live_value *now = live_get_len(next, iter.key, iter.key_len);

		if (was == now)
			continue;
		if (is_object(was) && is_object(now) && is_object(iter.value)) {
			/* Without the length of the part, go by differences: unsigned wrap-around cancels out. */
			bytes += measure_change(was, 0, now, iter.value);
			continue;
		}
		if (was)
			bytes -= room_state_measure(was) + (now ? 0 : measure_key(iter.key, iter.key_len));
		if (now)
			bytes += room_state_measure(now) + (was ? 0 : measure_key(iter.key, iter.key_len));
	}
	return bytes;
}

void room_state_init(struct room_state *state, const live_value *value)
{
	state->value = is_object(value) ? live_value_ref(value) : live_object(NULL, NULL);
	state->version = 0;
	state->json_bytes = room_state_measure(state->value);
}

void room_state_deinit(struct room_state *state)
{
	live_value_unref(state->value);
	state->value = NULL;
}

void room_state_plan_patch(const struct room_state *state, const live_value *patch, const struct diff_options *options,
			   struct room_change *change)
{
	*change = (struct room_change){.json_bytes = state->json_bytes};
	if (!is_object(patch))
		return;
	diff_patch(state->value, patch, options, &change->delta, &change->next);
	if (change->delta)
		change->json_bytes = measure_change(state->value, state->json_bytes, change->next, change->delta);
}

void room_state_plan_merge(const struct room_state *state, const live_value *delta, struct room_change *change)
{
	*change = (struct room_change){.json_bytes = state->json_bytes};
	if (!is_object(delta) || live_len(delta) == 0)
		return;
	change->delta = live_value_ref(delta);
	change->next = live_merge(state->value, delta);
	change->json_bytes = measure_change(state->value, state->json_bytes, change->next, delta);
}

void room_state_plan_replace(const struct room_state *state, const live_value *delta, const live_value *next,
			     struct room_change *change)
{
	*change = (struct room_change){
		.delta = live_value_ref(delta),
		.next = live_value_ref(next),
		.json_bytes = measure_change(state->value, state->json_bytes, next, delta),
	};
}

bool room_change_is_too_large(const struct room_state *state, const struct room_change *change, size_t max_bytes)
{
	return change->json_bytes > max_bytes && change->json_bytes > state->json_bytes;
}

void room_state_commit(struct room_state *state, struct room_change *change)
{
	live_value_unref(state->value);
	state->value = change->next;
	state->json_bytes = change->json_bytes;
	state->version++;
	change->next = NULL;
}

void room_change_drop(struct room_change *change)
{
	live_value_unref(change->delta);
	live_value_unref(change->next);
	*change = (struct room_change){0};
}
