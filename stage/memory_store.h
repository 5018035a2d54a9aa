/*
 * memory_store - what a memory_cluster knows of each singleton: its owner, for how long, and its state; and the rules
 * by which that changes, which are those of the scripts in redis/cluster_scripts.c. Private to memory_cluster.c.
 *
 * Threads: the test's alone.
 */
#ifndef STAGE_MEMORY_STORE_H
#define STAGE_MEMORY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/map.h"
#include "pubsub/cluster.h"

enum { HANDLED_MAX = 512 };

struct record { /* a singleton in the store */
	struct map_entry by_name;
	char *owner; /* the port; NULL: nobody */
	char *component_id;
	char *state; /* NULL: none */
	char *handled[HANDLED_MAX];
	size_t handled_count;
	uint64_t fence, seq;
	int64_t until_ms;
	char name[];
};

struct memory_store {
	struct map records;
	int64_t now_ms, lease_ms;
	uint64_t fences; /* given so far */
	/* What an owner tells to all. */
	void (*tell_all)(struct memory_store *store, struct str message);
};

/* Does what the port id asks. *record is what is known then. */
enum cluster_verdict memory_store_ask(struct memory_store *store, const char *port, const struct cluster_ask *ask,
				      struct record **record);
/* What is known of name, or NULL. */
struct record *memory_store_find(const struct memory_store *store, struct str name);
/* The same, made when there is nothing. */
struct record *memory_store_get(struct memory_store *store, struct str name);
bool memory_store_is_claimed(const struct memory_store *store, const struct record *record);
void memory_store_forget(struct memory_store *store);
/* Sets a string of a record; text (NULL, or on the heap) is given away. */
void record_set(char **to, char *text);

#endif
