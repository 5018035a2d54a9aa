/*
 * test_model_rules - what each generation of clients makes of what it gets, and what a server makes of what it is told:
 * the rules of protocol.md 7.3 and 19, written down a second time, without core/diff and core/merge.
 *
 * The caller owns what is returned; arguments are loans. Threads: the test's alone.
 */
#ifndef UNIT_TEST_MODEL_RULES_H
#define UNIT_TEST_MODEL_RULES_H

#include <stdbool.h>

#include <live/value.h>

enum generation { G1 = 1, G2, G3, G4, G5 };

/* Its envelope is the older one: a timestamp on every frame, request ids that start with "req-". */
static inline bool is_legacy(enum generation generation)
{
	return generation <= G3;
}

/* A state under a patch: partial at the top, complete below. */
const live_value *rule_patch(const live_value *state, const live_value *patch);
/* The members of over put into state, as they are. */
const live_value *rule_assign(const live_value *state, const live_value *over);
/* A STATE_DELTA, or the changes of a room's state, as such a client takes it in. */
const live_value *rule_merge(enum generation generation, const live_value *state, const live_value *delta);
/* What such a client makes of the data of a ROOM_STATE push (protocol section 1). */
const live_value *rule_room_changes(enum generation generation, const live_value *data);
/* JSON with sorted keys, for free(). with_nulls: false leaves out the nulls below the top: older clients hold those of
 * keys that were removed (G1, G2), or lose those that were not (G3): section 19, row 11. */
char *rule_canonical(const live_value *value, bool with_nulls);

#endif
