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

void pending_delta_take(struct pending_delta *pending, const struct diff_options *options, struct diff_steps *steps)
{
	if (pending->delta)
		*steps = (struct diff_steps){.delta = live_value_ref(pending->delta)};
	else
		diff_states(pending->before, *pending->state, options, steps);
	pending_delta_drop(pending);
}

void pending_delta_drop(struct pending_delta *pending)
{
	live_value_unref(pending->before);
	live_value_unref(pending->delta);
	pending->before = pending->delta = NULL;
	list_remove(&pending->link);
}
