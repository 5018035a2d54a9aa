/*
 * pools - names that the program gives to groups of its clients, on one shard.
 *
 * Kept beside the clients, since few have one: a list of handles, from which those that are gone are swept when it is
 * used. Threads: [shard].
 */
#ifndef SERVER_EMBED_POOLS_H
#define SERVER_EMBED_POOLS_H

#include <live/value.h>

#include "shard/shard.h"

struct client;

struct pools;

/* Those of shard; none yet. Never NULL. */
struct pools *pools_new(struct shard *shard);
/* NULL is fine. */
void pools_free(struct pools *pools);
/* Puts client into the pool of that name (copied); NULL or "": out of its pool. */
void pools_put(struct pools *pools, const struct client *client, const char *name);
/* The name of client's pool, a loan until the next change; NULL: it is in none. */
const char *pools_name_of(const struct pools *pools, const struct client *client);
/* {<name>: <clients>}; the caller owns it. */
const live_value *pools_count(struct pools *pools);

#endif
