/*
 * pending_delta - what changed in a component since its clients were told, until they are told again.
 *
 * The first change of a tick is kept as its delta, which is all there is to send most of the time. If more follow, only
 * the state before the first is remembered, and then and now are compared: two deltas in a row cannot always be written
 * as one (an object that replaces another would be merged into it). What comes out is one delta nearly always; where an
 * object with nulls has taken another one's place it is two, and who passes on only one loses the nulls.
 *
 * Embedded in the component, zeroed (and its link made ready) before first use. Threads: [shard].
 */
#ifndef SERVER_PROTOCOL_PENDING_DELTA_H
#define SERVER_PROTOCOL_PENDING_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/diff.h"
#include "core/list.h"

struct sender;

struct pending_delta {
	struct list link;         /* the outbox's, while something is pending */
	const live_value *before; /* ours; the state before the first change; NULL: nothing is pending */
	const live_value *delta;  /* ours; the one change there was; NULL: there were more */
	const struct sender *sender;
	const live_value *const *state; /* the component's, as it is now */
	uint32_t item;                  /* its place in the outbox */
	bool collapsed;                 /* changes were left out: the client needs a full state */
};

static inline bool pending_delta_is_set(const struct pending_delta *pending)
{
	return pending->before != NULL;
}

/* The state changed from before (borrowed) by delta (given away). */
void pending_delta_add(struct pending_delta *pending, const live_value *before, const live_value *delta);
/* What leads from the state before the first change to the one now; the caller owns the steps. Nothing is pending any
 * more. */
void pending_delta_take(struct pending_delta *pending, const struct diff_options *options, struct diff_steps *steps);
/* Forgets what is pending. */
void pending_delta_drop(struct pending_delta *pending);

#endif
