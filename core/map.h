/*
 * map - a seeded hash map from text to pointers, intrusive: the entry is embedded in what is stored.
 *
 * The map owns neither the things nor their keys; a key must stay put while its entry is in the map. The seed is drawn
 * at start-up, so that a peer who chooses keys cannot choose collisions. An empty map holds no memory. Threads: the
 * owner's alone.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct map_entry {
	struct map_entry *next;
	struct str key;
	uint32_t hash;
};

struct map {
	struct map_entry **buckets;
	uint32_t bucket_count; /* a power of two, or 0 */
	uint32_t count;
};

/* The thing that holds entry: MAP_OF(entry, struct room, by_id) */
#define MAP_OF(entry, type, member) ((type *)((char *)(entry)-offsetof(type, member)))

void map_init(struct map *map);
/* Frees the buckets; the entries are the owner's. */
void map_deinit(struct map *map);
/* The entry named key, or NULL. */
struct map_entry *map_find(const struct map *map, struct str key);
/* The same for a key whose map_hash is known: for one that is looked up in many maps. */
struct map_entry *map_find_hashed(const struct map *map, struct str key, uint32_t hash);
/* Adds entry under key. 0, or -EEXIST when the key is there (then nothing changed). Gives nothing away. */
int map_add(struct map *map, struct map_entry *entry, struct str key) __attribute__((warn_unused_result));
/* Takes entry out; it must be in the map. */
void map_remove(struct map *map, struct map_entry *entry);
/* The first entry in no particular order, or NULL, and the one after entry. The map must not change meanwhile, but for
 * the removal of entries already passed. */
struct map_entry *map_first(const struct map *map);
struct map_entry *map_next(const struct map *map, const struct map_entry *entry);
/* A 32-bit hash of bytes with the process's seed. */
uint32_t map_hash(struct str key);

#endif
