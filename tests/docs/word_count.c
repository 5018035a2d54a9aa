#include <stdio.h>

#include <live/live.h>

struct word_count {
	live_deferred *answer; /* of the one count that is under way; NULL: none is */
};

/* On a thread of the pool: it may block, and sees nothing but its argument. */
static const live_value *count_words(const live_value *path)
{
	FILE *file = fopen(live_as_string(path), "re");
	char word[256];
	int64_t count = 0;

	if (!file)
		return NULL;
	while (fscanf(file, "%255s", word) == 1)
		count++;
	fclose(file);
	return live_int(count);
}

/* Back on the shard. */
static void on_counted(live_component *self, const live_value *count)
{
	struct word_count *words = live_private(self);

	if (live_is_null(count))
		live_deferred_error(words->answer, "cannot read the file");
	else
		live_deferred_value(words->answer, live_value_ref(count));
	words->answer = NULL;
}

static int count(live_component *self, const live_value *payload, live_reply *reply)
{
	struct word_count *words = live_private(self);

	(void)payload;
	if (words->answer)
		return live_reply_error(reply, "a count is under way");
	if (live_offload(self, count_words, live_string("words.txt"), on_counted) < 0)
		return live_reply_error(reply, "too busy, try again later");
	words->answer = live_reply_defer(reply);
	return 0;
}

/* What was deferred must be ended, also when the client has gone. */
static void on_destroy(live_component *self)
{
	struct word_count *words = live_private(self);

	if (words->answer)
		live_deferred_error(words->answer, "the component ended");
}

LIVE_COMPONENT{
	.name = "WordCount",
	.actions = LIVE_ACTIONS({"count", count}),
	.private_size = sizeof(struct word_count),
	.on_destroy = on_destroy,
};
