#include "server/component/persistent.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "server/component/call.h"
#include "server/component/instance.h"

struct persistent {
	struct map_entry by_name; /* component_shard->persistents */
	struct component_shard *here;
	const live_value *value; /* ours */
	struct tick_task task;   /* at home: to tell what changed */
	struct list answers;     /* at home: of struct ask, done */
	bool changed;
	struct grave grave;
	char name[];
};

/* From the shard of an instance to the home. */
struct ask {
	struct mail mail;
	struct list link;
	live_persistent_fn *update;
	const live_value *argument; /* ours */
	const live_value *initial;  /* ours: what it is when nobody has asked before */
	const live_value *result;   /* ours */
	live_deferred *deferred;    /* ours, or NULL */
	struct str name;            /* in text */
	char text[];
};

/* From the home to the other shards. */
struct news {
	struct mail mail;
	const live_value *value; /* ours */
	struct str name;         /* in text */
	char text[];
};

static struct persistent *find(const struct component_shard *here, struct str name)
{
	struct map_entry *entry = map_find(&here->persistents, name);

	return entry ? MAP_OF(entry, struct persistent, by_name) : NULL;
}

static void tell(struct tick_task *task, struct shard *shard);

static struct persistent *find_or_add(struct component_shard *here, struct str name, const live_value *initial)
{
	struct persistent *persistent = find(here, name);

	if (persistent)
		return persistent;
	persistent = mem_alloc(sizeof *persistent + name.len + 1);
	persistent->here = here;
	persistent->value = live_value_ref(initial);
	persistent->task.run = tell;
	list_init(&persistent->answers);
	memcpy(persistent->name, name.ptr, name.len);
	int rc = map_add(&here->persistents, &persistent->by_name, (struct str){persistent->name, name.len});
	assert_always(rc == 0); /* it was not there */
	return persistent;
}

/* ---- snapshots ---- */

static void free_news(struct news *news)
{
	live_value_unref(news->value);
	free(news);
}

static void deliver_news(struct mail *mail, struct shard *shard)
{
	struct news *news = LIST_OF(mail, struct news, mail);
	struct component_shard *here = component_shard_of(shard);

	if (here) {
		struct persistent *persistent = find_or_add(here, news->name, news->value);
		const live_value *before = persistent->value;
		persistent->value = live_value_ref(news->value);
		live_value_unref(before);
	}
	free_news(news);
}

static void discard_news(struct mail *mail)
{
	free_news(LIST_OF(mail, struct news, mail));
}

static void send_news(struct persistent *persistent, unsigned to)
{
	struct str name = persistent->by_name.key;
	struct news *news = mem_alloc(sizeof *news + name.len + 1);

	news->mail.deliver = deliver_news;
	news->mail.discard = discard_news;
	news->value = live_value_ref(persistent->value);
	memcpy(news->text, name.ptr, name.len);
	news->name = (struct str){news->text, name.len};
	shard_post(persistent->here->shard, to, &news->mail);
}

/* ---- updates ---- */

static void free_ask(struct ask *ask)
{
	live_value_unref(ask->argument);
	live_value_unref(ask->initial);
	live_value_unref(ask->result);
	free(ask);
}

static void answer(struct ask *ask)
{
	if (ask->deferred)
		live_deferred_value(ask->deferred, ask->result);
	else
		live_value_unref(ask->result);
	ask->deferred = NULL;
	ask->result = NULL;
	list_remove(&ask->link);
	free_ask(ask);
}

/* The end of a tick: first what is new, then to whom it is an answer, in the same order to each shard. */
static void tell(struct tick_task *task, struct shard *shard)
{
	struct persistent *persistent = LIST_OF(task, struct persistent, task);
	unsigned count = shard_group_count(shard_group_of(shard));

	for (unsigned i = 0; persistent->changed && i < count; i++)
		if (i != shard_index(shard))
			send_news(persistent, i);
	persistent->changed = false;
	list_for_each_safe (link, &persistent->answers)
		answer(LIST_OF(link, struct ask, link));
}

static void serve(struct component_shard *here, struct ask *ask)
{
	struct persistent *persistent = find_or_add(here, ask->name, ask->initial);
	const live_value *next = ask->update(persistent->value, ask->argument, &ask->result);

	if (live_value_type(next) == LIVE_OBJECT && next != persistent->value) {
		const live_value *before = persistent->value;
		persistent->value = next;
		persistent->changed = true;
		next = before;
	}
	live_value_unref(next);
	list_append(&persistent->answers, &ask->link);
	shard_at_tick_end(here->shard, TICK_CLOSE, &persistent->task);
}

static void deliver_ask(struct mail *mail, struct shard *shard)
{
	struct ask *ask = LIST_OF(mail, struct ask, mail);
	struct component_shard *here = component_shard_of(shard);

	if (here)
		serve(here, ask);
	else
		free_ask(ask);
}

static void discard_ask(struct mail *mail)
{
	free_ask(LIST_OF(mail, struct ask, mail));
}

/* ---- what the author calls ---- */

const live_value *live_persistent(const live_component *self)
{
	const struct persistent *persistent = find(self->home, self->definition->name);

	return persistent ? persistent->value : self->definition->persistent;
}

void live_persistent_update(live_component *self, live_persistent_fn *update, const live_value *argument,
			    live_reply *reply)
{
	struct shard *shard = self->home->shard;
	struct str name = self->definition->name;
	struct ask *ask = mem_alloc(sizeof *ask + name.len + 1);

	ask->mail.deliver = deliver_ask;
	ask->mail.discard = discard_ask;
	list_init(&ask->link);
	ask->update = update;
	ask->argument = argument;
	ask->initial = live_value_ref(self->definition->persistent);
	ask->deferred = reply ? live_reply_defer(reply) : NULL;
	memcpy(ask->text, name.ptr, name.len);
	ask->name = (struct str){ask->text, name.len};
	shard_post(shard, map_hash(name) % shard_group_count(shard_group_of(shard)), &ask->mail);
}

static const live_value *merge(const live_value *data, const live_value *updates, const live_value **result)
{
	(void)result;
	return live_merge(data, updates);
}

void live_persistent_merge(live_component *self, const live_value *updates)
{
	live_persistent_update(self, merge, updates, NULL);
}

static void free_persistent(struct grave *grave)
{
	struct persistent *persistent = LIST_OF(grave, struct persistent, grave);

	live_value_unref(persistent->value);
	free(persistent);
}

void persistent_forget_all(struct component_shard *here)
{
	struct map_entry *entry;

	while ((entry = map_first(&here->persistents))) {
		struct persistent *persistent = MAP_OF(entry, struct persistent, by_name);
		list_for_each_safe (link, &persistent->answers)
			answer(LIST_OF(link, struct ask, link));
		persistent->changed = false;
		map_remove(&here->persistents, entry);
		persistent->grave.free = free_persistent; /* its task may be queued */
		shard_bury(here->shard, &persistent->grave);
	}
	map_deinit(&here->persistents);
}
