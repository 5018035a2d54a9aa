#include "server/protocol/pending_delta.h"

void pending_delta_add(struct pending_delta *pending, const live_value *before, const live_value *delta)
{
	if (!pending->before) {
		pending->before = live_value_ref(before);
		pending->delta = delta;
		return;
	}
	live_value_unref(delta);
	live_value_unref(pending->delta);
	pending->delta = NULL;
}

const live_value *pending_delta_take(struct pending_delta *pending, const struct diff_options *options)
{
	const live_value *delta = live_value_ref(pending->delta);

	if (!delta) {
		const live_value *next;
		diff_patch(pending->before, *pending->state, options, &delta, &next);
		live_value_unref(next);
	}
	pending_delta_drop(pending);
	return delta;
}

void pending_delta_drop(struct pending_delta *pending)
{
	live_value_unref(pending->before);
	live_value_unref(pending->delta);
	pending->before = pending->delta = NULL;
	list_remove(&pending->link);
}
