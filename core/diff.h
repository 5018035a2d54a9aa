/*
 * diff - what changed between two states, and how a change is applied, by the rules of the protocol (section 7.3).
 *
 * The rule that one may get wrong: a patch is partial at its top level and complete below it, so a nested key that the
 * patch lacks was removed and travels as null; and merging the delta that diff gave into the old state gives exactly
 * the new state that diff gave. Threads: [any].
 */
#ifndef CORE_DIFF_H
#define CORE_DIFF_H

#include <live/value.h>

struct diff_options {
	bool deep;      /* false: changed top-level keys whole */
	unsigned depth; /* nested object levels that are compared before a whole object is sent; the reference's is 3 */
};

/*
 * Compares state with patch (both objects). *delta gets the smallest delta (NULL when nothing changed) and *next the
 * new state (a reference to state itself when nothing changed). Arrays supplied in a patch count as changed unless they
 * are the very same value. The caller owns both.
 */
void diff_patch(const live_value *state, const live_value *patch, const struct diff_options *options,
		const live_value **delta, const live_value **next);

/* What leads from one state to another: deltas to merge one after the other. */
struct diff_steps {
	const live_value *clear; /* first; NULL nearly always: removes what delta then puts in its place */
	const live_value *delta; /* NULL when nothing changed */
};

/*
 * What to merge into before so that it becomes after, exactly; both are states, objects of which after has every key
 * that before has. diff_patch of the two is not enough: a delta cannot say that a key below the top is null, nor that
 * an object with such a key takes another one's place. Such an object is removed by clear, and whole in delta. The
 * caller owns both steps.
 */
void diff_states(const live_value *before, const live_value *after, const struct diff_options *options,
		 struct diff_steps *steps);

/*
 * delta made into one for clients that merge only the top level: each changed top-level key whole as in next, plus null
 * for nested keys that delta removed (protocol section 19, row 11). The caller owns the result.
 */
const live_value *diff_widen(const live_value *delta, const live_value *next);

/*
 * Two deltas in a row as one: later wins, plain objects recursively, and null stays (as the batcher merges them).
 * Borrows both; the caller owns the result. A delta has no words for "this became an object, whatever it was", so where
 * earlier removes or replaces a key and later puts an object there, the joined delta merges that object into what the
 * receiver had. Where that may happen, compare the states before and after instead (diff_states).
 */
const live_value *diff_join(const live_value *earlier, const live_value *later);

#endif
