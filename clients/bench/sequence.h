/*
 * sequence - did one receiver get everything, once, in order?
 *
 * Each sender numbers its events from 0; a receiver holds, for each sender, the number it expects next. One comparison
 * when all is well. When it is not, the gap is remembered, so that an event which comes late is told apart
 * ("reordered") from one that comes twice ("doubled") or never ("missing"). The receiver's thread owns it; the counts
 * are read when that thread has ended.
 */
#ifndef BENCH_SEQUENCE_H
#define BENCH_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sequence_gap;

struct sequence {
	uint32_t *next; /* by sender: the number expected next */
	uint32_t senders;
	uint32_t gap_count;
	struct sequence_gap *gaps; /* numbers skipped so far, not yet seen; NULL while all is well */
	uint64_t doubled;
	uint64_t reordered;
};

/* Expects events from `senders` senders, each starting at 0. */
void sequence_init(struct sequence *sequence, uint32_t senders);
void sequence_deinit(struct sequence *sequence);

/* What to do when `number` of `sender` is not the expected one: call sequence_see. */
void sequence_disorder(struct sequence *sequence, uint32_t sender, uint32_t number);

/* Takes note of event `number` of `sender`. False if there is no such sender; disorder only shows in the counts. */
static inline bool sequence_see(struct sequence *sequence, uint32_t sender, uint32_t number)
{
	if (sender >= sequence->senders)
		return false;
	if (number == sequence->next[sender])
		sequence->next[sender]++;
	else
		sequence_disorder(sequence, sender, number);
	return true;
}

/* How many of `sender`'s events 0..sent-1 have not come. */
uint64_t sequence_missing(const struct sequence *sequence, uint32_t sender, uint32_t sent);

#endif
