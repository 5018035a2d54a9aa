#include "pubsub/room_answers.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

struct awaited {
	struct map_entry by_number;
	struct list by_context;
	uint64_t number; /* its bytes are the key */
	room_answer *answer;
	void *context;
};

static struct list *bucket_of(struct room_answers *answers, const void *context)
{
	/* The low bits of a pointer say nothing; the product's high bits depend on all of it. */
	uint64_t mixed = (uint64_t)(uintptr_t)context * 0x9e3779b97f4a7c15ULL;

	return &answers->by_context[mixed >> 58];
}

static struct str key_of(const uint64_t *number)
{
	return (struct str){(const char *)number, sizeof *number};
}

static void drop(struct room_answers *answers, struct awaited *awaited)
{
	map_remove(&answers->by_number, &awaited->by_number);
	list_remove(&awaited->by_context);
	free(awaited);
}

void room_answers_init(struct room_answers *answers)
{
	map_init(&answers->by_number);
	for (unsigned i = 0; i < ROOM_ANSWER_BUCKETS; i++)
		list_init(&answers->by_context[i]);
	answers->last_number = 0;
}

void room_answers_deinit(struct room_answers *answers)
{
	for (unsigned i = 0; i < ROOM_ANSWER_BUCKETS; i++) {
		list_for_each_safe (link, &answers->by_context[i])
			drop(answers, LIST_OF(link, struct awaited, by_context));
	}
	map_deinit(&answers->by_number);
}

uint64_t room_answers_await(struct room_answers *answers, room_answer *answer, void *context)
{
	if (!answer)
		return 0;
	struct awaited *awaited = mem_alloc(sizeof *awaited);

	awaited->number = ++answers->last_number;
	awaited->answer = answer;
	awaited->context = context;
	int rc = map_add(&answers->by_number, &awaited->by_number, key_of(&awaited->number));
	assert_always(rc == 0);
	list_append(bucket_of(answers, context), &awaited->by_context);
	return awaited->number;
}

void room_answers_give(struct room_answers *answers, uint64_t number, const char *error, const live_value *value)
{
	struct map_entry *entry = map_find(&answers->by_number, key_of(&number));

	if (!entry)
		return;
	struct awaited *awaited = MAP_OF(entry, struct awaited, by_number);
	room_answer *answer = awaited->answer;
	void *context = awaited->context;

	drop(answers, awaited); /* first: the answer may ask again, or forget */
	answer(context, error, value);
}

void room_answers_forget(struct room_answers *answers, void *context)
{
	list_for_each_safe (link, bucket_of(answers, context)) {
		struct awaited *awaited = LIST_OF(link, struct awaited, by_context);

		if (awaited->context == context)
			drop(answers, awaited);
	}
}
