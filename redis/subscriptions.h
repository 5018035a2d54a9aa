/*
 * subscriptions - the channels of one link, and what Redis has confirmed of them.
 *
 * A name stays known until Redis has confirmed all that was asked about it, so that a confirmation of an earlier
 * subscription is never taken for one of a later. After a reconnect channels are asked for again a few at a time, since
 * each that becomes ready makes its owner read something. For the files of redis alone. Threads: [shard].
 */
#ifndef REDIS_SUBSCRIPTIONS_H
#define REDIS_SUBSCRIPTIONS_H

#include "core/map.h"
#include "redis/link.h"
#include "redis/wire.h"

struct redis_subscriptions {
	struct redis_wire *wire;
	struct redis_figures *figures;
	struct map by_name;  /* struct redis_subscription */
	struct list waiting; /* those to be asked for, oldest first */
	struct timer pace;
};

void redis_subscriptions_init(struct redis_subscriptions *all, struct redis_wire *wire, struct redis_figures *figures);
void redis_subscriptions_deinit(struct redis_subscriptions *all);
/* The connection is up: asks for all, in pieces. */
void redis_subscriptions_begin(struct redis_subscriptions *all);
/* The connection is gone: none is live. */
void redis_subscriptions_end(struct redis_subscriptions *all);
/* What came on the connection. */
void redis_subscriptions_take(struct redis_subscriptions *all, const struct redisReply *reply);
void redis_subscriptions_add(struct redis_subscriptions *all, struct redis_channel *channel, struct str name);
void redis_subscriptions_remove(struct redis_subscriptions *all, struct redis_channel *channel);

#endif
