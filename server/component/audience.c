#include "server/component/audience.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/diff.h"
#include "core/mem.h"
#include "server/component/client.h"
#include "server/component/definition.h"
#include "server/component/singleton_mail.h"

/* ---- who listens ---- */

static struct str key_of(struct handle client, uint32_t key[3])
{
	key[0] = client.index;
	key[1] = client.generation;
	key[2] = client.shard;
	return (struct str){(const char *)key, 3 * sizeof *key};
}

struct listener *audience_listener(struct audience *audience, struct handle client)
{
	uint32_t key[3];
	struct map_entry *entry = map_find(&audience->listeners, key_of(client, key));

	return entry ? MAP_OF(entry, struct listener, by_client) : NULL;
}

void audience_add(struct audience *audience, struct handle client, bool is_legacy, struct str connection)
{
	struct listener *listener = mem_alloc(sizeof *listener + connection.len + 1);

	listener->client = client;
	listener->is_legacy = is_legacy;
	listener->connection_len = connection.len;
	memcpy(listener->connection, connection.ptr, connection.len);
	int rc = map_add(&audience->listeners, &listener->by_client, key_of(client, listener->key));
	assert_always(rc == 0); /* whoever calls has looked */
	audience->count++;
	audience->legacy_count += is_legacy;
	audience->on_shard[client.shard]++;

	struct singleton_notice *notice =
		singleton_notice_new(NEWS_ATTACHED, audience->definition, audience->sender.id);
	notice->client = client;
	shard_post(audience->here->shard, client.shard, &notice->mail);
}

void audience_drop(struct audience *audience, struct listener *listener)
{
	audience->count--;
	audience->legacy_count -= listener->is_legacy;
	audience->on_shard[listener->client.shard]--;
	map_remove(&audience->listeners, &listener->by_client);
	free(listener);
}

/* ---- its life ---- */

struct audience *audience_find(struct component_shard *here, struct str name)
{
	struct map_entry *entry = map_find(&here->singletons, name);

	return entry ? MAP_OF(entry, struct audience, by_name) : NULL;
}

struct audience *audience_new(struct component_shard *here, const struct definition *definition)
{
	unsigned shards = shard_group_count(shard_group_of(here->shard));
	struct audience *audience = mem_alloc(sizeof *audience + shards * sizeof audience->on_shard[0]);

	audience->here = here;
	audience->definition = definition;
	audience->shards = shards;
	map_init(&audience->listeners);
	int rc = map_add(&here->singletons, &audience->by_name, definition->name);
	assert_always(rc == 0); /* whoever calls has looked */
	return audience;
}

static void free_audience(struct grave *grave)
{
	struct audience *audience = LIST_OF(grave, struct audience, grave);

	free(audience->id);
	free(audience);
}

void audience_end(struct audience *audience)
{
	for (unsigned i = 0; i < audience->shards; i++) {
		if (audience->on_shard[i])
			shard_post(audience->here->shard, i,
				   &singleton_notice_new(NEWS_ENDED, audience->definition, audience->sender.id)->mail);
	}
	for (struct map_entry *entry = map_first(&audience->listeners), *next; entry; entry = next) {
		next = map_next(&audience->listeners, entry);
		audience_drop(audience, MAP_OF(entry, struct listener, by_client));
	}
	map_deinit(&audience->listeners);
	map_remove(&audience->here->singletons, &audience->by_name);
	audience->grave.free = free_audience;
	shard_bury(audience->here->shard, &audience->grave);
}

void audience_set_id(struct audience *audience, struct str id)
{
	char *copy = mem_strndup(id.ptr, id.len);

	free(audience->id);
	audience->id = copy;
	audience->sender = (struct sender){.id = {copy, id.len}};
}

/* ---- what they are told ---- */

static void publish(struct audience *audience, enum singleton_news news, struct str text, struct str legacy)
{
	struct frame *frame = frame_new(text);
	struct frame *wide = legacy.ptr ? frame_new(legacy) : NULL;

	for (unsigned i = 0; i < audience->shards; i++) {
		if (!audience->on_shard[i])
			continue;
		struct singleton_notice *notice = singleton_notice_new(news, audience->definition, audience->sender.id);
		notice->frame = frame_ref(frame);
		notice->legacy = wide ? frame_ref(wide) : NULL;
		shard_post(audience->here->shard, i, &notice->mail);
	}
	frame_unref(frame);
	frame_unref(wide);
}

void audience_publish(struct audience *audience, struct str text)
{
	publish(audience, NEWS_PUSH, text, (struct str){NULL, 0});
}

void audience_publish_steps(struct audience *audience, const struct diff_steps *steps, const live_value *next)
{
	if (steps->clear) {
		const live_value *cleared = live_merge(next, steps->clear);
		audience_publish_delta(audience, steps->clear, cleared);
		live_value_unref(cleared);
		live_value_unref(steps->clear);
	}
	audience_publish_delta(audience, steps->delta, next);
	live_value_unref(steps->delta);
}

void audience_publish_delta(struct audience *audience, const live_value *delta, const live_value *next)
{
	struct buf *out = &audience->here->out.scratch;
	struct str wide_text = {NULL, 0};

	if (audience->legacy_count) {
		const live_value *wide = diff_widen(delta, next);
		encode_state_delta(out, &audience->sender, wide);
		live_value_unref(wide);
		wide_text = scratch_take(audience->here);
	}
	encode_state_delta(out, &audience->sender, delta);
	publish(audience, NEWS_DELTA, scratch_take(audience->here), wide_text);
}

void audience_publish_state(struct audience *audience, struct handle client, struct str text)
{
	struct singleton_notice *notice = singleton_notice_new(NEWS_STATE, audience->definition, audience->sender.id);

	notice->client = client;
	notice->frame = frame_new(text);
	shard_post(audience->here->shard, client.shard, &notice->mail);
}
