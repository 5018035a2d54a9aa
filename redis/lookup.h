/*
 * lookup - from a place to the addresses it has, without holding up the loop: names are looked up by the pool.
 *
 * Owner: the lookup itself; who asked knows it by a handle and may be gone when the answer comes. Threads: [shard].
 */
#ifndef REDIS_LOOKUP_H
#define REDIS_LOOKUP_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "redis/target.h"
#include "shard/shard.h"

struct pool;

enum { REDIS_ADDRESSES_MAX = 8 };

union redis_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

struct redis_addresses {
	union redis_address list[REDIS_ADDRESSES_MAX];
	socklen_t sizes[REDIS_ADDRESSES_MAX];
	unsigned count;
};

/* What becomes of a lookup: addresses is a loan; error is text, or NULL. */
typedef void redis_lookup_done(void *asker, const struct redis_addresses *addresses, const char *error);

/* Looks place up; done is called once: at once when it needs no look-up, else later, unless asker's handle was closed
 * by then. */
void redis_lookup(struct shard *shard, struct pool *pool, const struct redis_place *place, struct handle asker,
		  redis_lookup_done *done);

#endif
