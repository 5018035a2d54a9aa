/*
 * room_state - a room's state: a value, its version, and how long it is as JSON text.
 *
 * The length is kept exact from change to change by measuring only what changed, so that the limit can be checked
 * before a change is applied, and a small change to a large state costs little. A change is planned, then committed or
 * dropped: in between, its event can be made. Owner: the room. Threads: [shard] the home.
 */
#ifndef PUBSUB_ROOM_STATE_H
#define PUBSUB_ROOM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <live/value.h>

struct diff_options;

struct room_state {
	const live_value *value; /* an object */
	uint64_t version;        /* how many changes were committed */
	size_t json_bytes;
};

struct room_change {
	const live_value *delta; /* NULL: nothing changes */
	const live_value *next;
	size_t json_bytes; /* of next */
};

/* Bytes of value as JSON text. */
size_t room_state_measure(const live_value *value);

/* Starts with value (borrowed; anything but an object counts as {}). */
void room_state_init(struct room_state *state, const live_value *value);
void room_state_deinit(struct room_state *state);

/* What patch (borrowed) would change by the rules of protocol 7.3: partial at the top level, complete below. */
void room_state_plan_patch(const struct room_state *state, const live_value *patch, const struct diff_options *options,
			   struct room_change *change);
/* What merging delta (borrowed) would change: it comes from another node that made it by the same rules. */
void room_state_plan_merge(const struct room_state *state, const live_value *delta, struct room_change *change);
/* The change to next (borrowed), to which delta (borrowed) leads: all keys in which they differ are named there. */
void room_state_plan_replace(const struct room_state *state, const live_value *delta, const live_value *next,
			     struct room_change *change);
/* Whether change makes the state longer than max_bytes. One that shortens a state that is too long already does not. */
bool room_change_is_too_large(const struct room_state *state, const struct room_change *change, size_t max_bytes);
/* Applies change, which is empty afterwards but for its delta; the caller drops it. */
void room_state_commit(struct room_state *state, struct room_change *change);
void room_change_drop(struct room_change *change);

#endif
