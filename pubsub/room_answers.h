/*
 * room_answers - who waits for an answer from a home: each request has a number, and only the number travels.
 *
 * So nothing that may die crosses a shard; an answer to a number that was forgotten is dropped. Threads: [shard].
 */
#ifndef PUBSUB_ROOM_ANSWERS_H
#define PUBSUB_ROOM_ANSWERS_H

#include <stdint.h>

#include "core/list.h"
#include "core/map.h"
#include "pubsub/rooms.h"

enum { ROOM_ANSWER_BUCKETS = 64 }; /* lists by context, so that forgetting need not look at all */

struct room_answers {
	struct map by_number;
	struct list by_context[ROOM_ANSWER_BUCKETS];
	uint64_t last_number;
};

void room_answers_init(struct room_answers *answers);
/* Forgets all. */
void room_answers_deinit(struct room_answers *answers);
/* A number for an answer that goes to answer(context, ...); 0 when answer is NULL. */
uint64_t room_answers_await(struct room_answers *answers, room_answer *answer, void *context);
/* The answer came; value is a loan. Does nothing when nobody waits for it. */
void room_answers_give(struct room_answers *answers, uint64_t number, const char *error, const live_value *value);
/* Drops all that context waits for. */
void room_answers_forget(struct room_answers *answers, void *context);

#endif
