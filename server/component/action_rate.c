#include "server/component/action_rate.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "server/component/instance.h"

struct rate_key {
	uint32_t client, generation;
	uint32_t shard;
	uint32_t action; /* its number in the definition, or 0 for all */
};

struct rate_window {
	struct map_entry by_key; /* instance_extra->rates */
	struct rate_key key;
	int64_t began_ms;
	unsigned calls;
};

static struct rate_key key_of(const live_component *self, struct handle client, const live_action *action)
{
	const live_definition *api = self->definition->api;
	uint32_t number = api->rate_limit->per_action ? (uint32_t)(action - api->actions) : 0;

	return (struct rate_key){client.index, client.generation, client.shard, number};
}

static struct str text_of(const struct rate_key *key)
{
	return (struct str){(const char *)key, sizeof *key};
}

static struct rate_window *window_of(live_component *self, const struct rate_key *key)
{
	struct map *rates = &instance_extra(self)->rates;
	struct map_entry *entry = map_find(rates, text_of(key));

	if (entry)
		return MAP_OF(entry, struct rate_window, by_key);
	struct rate_window *window = mem_alloc(sizeof *window);
	window->key = *key;
	window->began_ms = shard_clock(self->home->shard)->mono_ms;
	int rc = map_add(rates, &window->by_key, text_of(&window->key));
	assert_always(rc == 0);
	return window;
}

bool action_rate_take(live_component *self, struct handle client, const live_action *action)
{
	const live_rate_limit *limit = self->definition->api->rate_limit;

	if (!limit)
		return true;
	struct rate_key key = key_of(self, client, action);
	struct rate_window *window = window_of(self, &key);
	int64_t now_ms = shard_clock(self->home->shard)->mono_ms;
	if (now_ms - window->began_ms >= limit->window_ms) {
		window->began_ms = now_ms;
		window->calls = 0;
	}
	return window->calls++ < limit->max_calls;
}

static void drop(struct map *rates, struct map_entry *entry)
{
	map_remove(rates, entry);
	free(MAP_OF(entry, struct rate_window, by_key));
}

void action_rate_forget(live_component *self, struct handle client)
{
	const live_definition *api = self->definition->api;

	for (const live_action *action = api->actions; api->rate_limit && self->extra && action && action->name;
	     action++) {
		struct rate_key key = key_of(self, client, action);
		struct map_entry *entry = map_find(&self->extra->rates, text_of(&key));
		if (entry)
			drop(&self->extra->rates, entry);
	}
}

void action_rate_sweep(live_component *self)
{
	const live_rate_limit *limit = self->definition->api->rate_limit;
	int64_t now_ms = shard_clock(self->home->shard)->mono_ms;
	struct map *rates = self->extra ? &self->extra->rates : NULL;

	for (struct map_entry *entry = limit && rates ? map_first(rates) : NULL, *next; entry; entry = next) {
		next = map_next(rates, entry);
		if (now_ms - MAP_OF(entry, struct rate_window, by_key)->began_ms >= limit->window_ms)
			drop(rates, entry);
	}
}

void action_rate_end(live_component *self)
{
	struct map *rates = &self->extra->rates;

	for (struct map_entry *entry = map_first(rates), *next; entry; entry = next) {
		next = map_next(rates, entry);
		drop(rates, entry);
	}
	map_deinit(rates);
}
