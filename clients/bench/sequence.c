#include "clients/bench/sequence.h"

#include <stdlib.h>

#include "clients/bench/buffer.h"

/* Beyond this many gaps in one receiver nobody reads the details any more; a late event then counts as doubled. */
#define GAPS_MAX 1024

struct sequence_gap {
	uint32_t sender;
	uint32_t from; /* first number missing */
	uint32_t to;   /* first number after it that was seen */
};

void sequence_init(struct sequence *sequence, uint32_t senders)
{
	*sequence = (struct sequence){.senders = senders, .next = bench_alloc(senders, sizeof *sequence->next)};
}

void sequence_deinit(struct sequence *sequence)
{
	free(sequence->next);
	free(sequence->gaps);
	*sequence = (struct sequence){0};
}

static void gap_add(struct sequence *sequence, uint32_t sender, uint32_t from, uint32_t to)
{
	if (!sequence->gaps)
		sequence->gaps = bench_alloc(GAPS_MAX, sizeof *sequence->gaps);
	if (sequence->gap_count < GAPS_MAX)
		sequence->gaps[sequence->gap_count++] = (struct sequence_gap){sender, from, to};
}

static void gap_drop(struct sequence *sequence, struct sequence_gap *gap)
{
	*gap = sequence->gaps[--sequence->gap_count];
}

/* Takes `number` out of the gap it is missing from. False if it is in none: it was seen before. */
static bool gap_fill(struct sequence *sequence, uint32_t sender, uint32_t number)
{
	for (uint32_t i = 0; i < sequence->gap_count; i++) {
		struct sequence_gap *gap = &sequence->gaps[i];
		uint32_t after = number + 1;
		uint32_t to = gap->to;

		if (gap->sender != sender || number < gap->from || number >= to)
			continue;
		gap->to = number;
		if (gap->from == gap->to)
			gap_drop(sequence, gap);
		if (after < to)
			gap_add(sequence, sender, after, to);
		return true;
	}
	return false;
}

void sequence_disorder(struct sequence *sequence, uint32_t sender, uint32_t number)
{
	uint32_t next = sequence->next[sender];

	if (number > next) {
		gap_add(sequence, sender, next, number);
		sequence->next[sender] = number + 1;
	} else if (gap_fill(sequence, sender, number)) {
		sequence->reordered++;
	} else {
		sequence->doubled++;
	}
}

uint64_t sequence_missing(const struct sequence *sequence, uint32_t sender, uint32_t sent)
{
	uint32_t next = sequence->next[sender];
	uint64_t missing = sent > next ? sent - next : 0;

	for (uint32_t i = 0; i < sequence->gap_count; i++)
		if (sequence->gaps[i].sender == sender)
			missing += sequence->gaps[i].to - sequence->gaps[i].from;
	return missing;
}
