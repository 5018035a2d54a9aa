#include "core/map.h"

#include <errno.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/hash.h"
#include "core/mem.h"

enum { FIRST_BUCKETS = 8 };

void map_init(struct map *map)
{
	*map = (struct map){0};
}

void map_deinit(struct map *map)
{
	free(map->buckets);
	map_init(map);
}

uint32_t map_hash(struct str key)
{
	return (uint32_t)hash_bytes(key.ptr, key.len);
}

static struct map_entry **bucket_of(const struct map *map, uint32_t hash)
{
	return &map->buckets[hash & (map->bucket_count - 1)];
}

struct map_entry *map_find_hashed(const struct map *map, struct str key, uint32_t hash)
{
	if (!map->bucket_count)
		return NULL;
	struct map_entry *entry = *bucket_of(map, hash);
	while (entry && !(entry->hash == hash && str_equal(entry->key, key)))
		entry = entry->next;
	return entry;
}

struct map_entry *map_find(const struct map *map, struct str key)
{
	return map->count ? map_find_hashed(map, key, map_hash(key)) : NULL;
}

static void grow(struct map *map)
{
	struct map_entry **old = map->buckets;
	uint32_t old_count = map->bucket_count;

	map->bucket_count = old_count ? old_count * 2 : FIRST_BUCKETS;
	map->buckets = mem_alloc(map->bucket_count * sizeof(struct map_entry *));
	for (uint32_t i = 0; i < old_count; i++) {
		for (struct map_entry *entry = old[i], *next; entry; entry = next) {
			struct map_entry **bucket = bucket_of(map, entry->hash);
			next = entry->next;
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(old);
}

int map_add(struct map *map, struct map_entry *entry, struct str key)
{
	uint32_t hash = map_hash(key);
	if (map_find_hashed(map, key, hash))
		return -EEXIST;
	if (map->count == map->bucket_count && map->bucket_count < UINT32_C(1) << 31)
		grow(map);
	struct map_entry **bucket = bucket_of(map, hash);
	*entry = (struct map_entry){.next = *bucket, .key = key, .hash = hash};
	*bucket = entry;
	map->count++;
	return 0;
}

void map_remove(struct map *map, struct map_entry *entry)
{
	assert_always(map->count > 0);
	struct map_entry **link = bucket_of(map, entry->hash);
	while (*link != entry) {
		assert_always(*link);
		link = &(*link)->next;
	}
	*link = entry->next;
	entry->next = NULL;
	/* Never smaller in between: a walk that removes what it has passed must not see the buckets move. */
	if (--map->count == 0)
		map_deinit(map);
}

static struct map_entry *first_from(const struct map *map, uint32_t bucket)
{
	for (; bucket < map->bucket_count; bucket++) {
		if (map->buckets[bucket])
			return map->buckets[bucket];
	}
	return NULL;
}

struct map_entry *map_first(const struct map *map)
{
	return first_from(map, 0);
}

struct map_entry *map_next(const struct map *map, const struct map_entry *entry)
{
	return entry->next ? entry->next : first_from(map, (entry->hash & (map->bucket_count - 1)) + 1);
}
