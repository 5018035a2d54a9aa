/*
 * actor - a thing that can be mailed, queued, timed, relieved and buried, and writes a letter in a diary each time.
 */
#ifndef TESTS_UNIT_SHARD_ACTOR_H
#define TESTS_UNIT_SHARD_ACTOR_H

#include "shard/shard.h"

struct actor {
	struct mail mail;
	struct tick_task task;
	struct grave grave;
	struct timer timer;
	struct relief relief;
	char letter;
	void (*then)(struct shard *here); /* what it does besides; not when it is freed */
};

/* The letter stands for whatever happens to the actor; in upper case for "its mail was discarded". */
void actor_init(struct actor *actor, char letter, void (*then)(struct shard *here));
/* What actor_init sets as grave.free. */
void actor_free(struct grave *grave);

/* Writes a letter. */
void diary_note(char letter);
/* Fails unless just this has been written since the last call. */
void diary_assert(const char *expected);

/* A group of two shards to step by hand, of a mailbox_depth of 4. */
struct shard_group *actor_group_new(unsigned mail_budget);

#endif
