#include "server/embed/pools.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/component/client.h"

struct pool_entry {
	struct handle client;
	char *name; /* ours */
};

struct pools {
	struct shard *shard;
	struct pool_entry *entries;
	size_t count, cap;
};

struct pools *pools_new(struct shard *shard)
{
	struct pools *pools = mem_alloc(sizeof *pools);

	pools->shard = shard;
	return pools;
}

static void drop(struct pools *pools, size_t index)
{
	free(pools->entries[index].name);
	pools->entries[index] = pools->entries[--pools->count];
}

void pools_free(struct pools *pools)
{
	if (!pools)
		return;
	for (size_t i = 0; i < pools->count; i++)
		free(pools->entries[i].name);
	free(pools->entries);
	free(pools);
}

/* Forgets those that are gone. */
static void sweep(struct pools *pools)
{
	for (size_t i = pools->count; i > 0; i--)
		if (!shard_handle_find(pools->shard, pools->entries[i - 1].client))
			drop(pools, i - 1);
}

/* The entry of client, or count. */
static size_t find(const struct pools *pools, const struct client *client)
{
	size_t i = 0;

	while (i < pools->count && (pools->entries[i].client.index != client->handle.index ||
				    pools->entries[i].client.generation != client->handle.generation))
		i++;
	return i;
}

void pools_put(struct pools *pools, const struct client *client, const char *name)
{
	size_t at = find(pools, client);

	if (at < pools->count)
		drop(pools, at);
	if (!name || !*name)
		return;
	if (pools->count == pools->cap) {
		sweep(pools);
		pools->cap = 2 * pools->count + 8;
		pools->entries = mem_realloc(pools->entries, pools->cap * sizeof *pools->entries);
	}
	pools->entries[pools->count++] = (struct pool_entry){client->handle, mem_strndup(name, strlen(name))};
}

const char *pools_name_of(const struct pools *pools, const struct client *client)
{
	size_t at = find(pools, client);

	return at < pools->count ? pools->entries[at].name : NULL;
}

const live_value *pools_count(struct pools *pools)
{
	const live_value *counts = live_object(NULL, NULL);

	sweep(pools);
	for (size_t i = 0; i < pools->count; i++) {
		const char *name = pools->entries[i].name;
		const live_value *next = live_with(counts, name, live_int(live_as_int(live_get(counts, name), 0) + 1));
		live_value_unref(counts);
		counts = next;
	}
	return counts;
}
