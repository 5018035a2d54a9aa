/*
 * dialer - keeps one connection to Redis: looks it up, asks the sentinels, connects, signs on, and after a loss tries
 * again, with pauses that grow and are not the same on all nodes.
 *
 * It is up while the connection is signed on and may be used; what is sent on its wire meanwhile is the owner's
 * business. Embedded in the link. For the files of redis alone. Threads: [shard].
 */
#ifndef REDIS_DIALER_H
#define REDIS_DIALER_H

#include "redis/lookup.h"
#include "redis/wire.h"

struct redis_dialer;

struct redis_dialer_ops {
	void (*up)(struct redis_dialer *dialer);
	/* It was up, or an attempt failed; why is one line. */
	void (*down)(struct redis_dialer *dialer, const char *why);
	/* Something came on a subscriber's wire; a loan. */
	void (*pushed)(struct redis_dialer *dialer, const struct redisReply *reply);
	/* While it was up, an answer was an error. */
	void (*refused)(struct redis_dialer *dialer, const char *text);
};

enum redis_dialer_state {
	DIALER_IDLE,      /* not started, or stopped */
	DIALER_WAITING,   /* for the timer: the pause before the next attempt */
	DIALER_LOOKING,   /* a name is being looked up */
	DIALER_ASKING,    /* a sentinel is asked */
	DIALER_SIGNING,   /* connecting to the server and signing on */
	DIALER_CONNECTED, /* up */
};

struct redis_dialer {
	const struct redis_node *node;
	struct pool *pool;
	const struct redis_dialer_ops *ops;
	struct redis_wire wire;
	enum redis_dialer_state state;
	bool is_subscriber;
	bool asks_sentinel; /* the place that is being looked up or spoken to is a sentinel */
	unsigned sentinel;  /* which is next */
	unsigned address;   /* of those a name has, which is next */
	unsigned sign_left; /* answers of signing on that are due */
	int64_t pause_ms;
	struct timer timer;       /* the pause, or the deadline of an attempt */
	struct redis_place place; /* the server, as known last */
	struct handle handle;
};

void redis_dialer_init(struct redis_dialer *dialer, struct shard *shard, struct pool *pool,
		       const struct redis_node *node, struct redis_figures *figures, bool is_subscriber,
		       const struct redis_dialer_ops *ops);
void redis_dialer_deinit(struct redis_dialer *dialer);
void redis_dialer_start(struct redis_dialer *dialer);
/* Gives the connection up and makes another one: what it leads to is not what we want (any more). */
void redis_dialer_renew(struct redis_dialer *dialer, const char *why);
static inline bool redis_dialer_is_up(const struct redis_dialer *dialer)
{
	return dialer->state == DIALER_CONNECTED;
}

#endif
