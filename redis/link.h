/*
 * link - a shard's way to Redis: one connection for commands, one for channels, both on the shard's loop.
 *
 * Nothing here ever waits. While Redis is gone, slow or full, commands are refused at once or answered with an error
 * within the deadline; the connections come back by themselves, and whoever watches is told. What one may get wrong:
 * -ETIMEDOUT and -ECONNRESET do not mean that a command was not carried out; and what is published while a channel is
 * not live is lost, so look at the truth again whenever it becomes ready.
 *
 * Owner: the shard. Threads: [shard].
 */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "core/list.h"
#include "core/str.h"
#include "redis/answer.h"
#include "redis/node.h"
#include "redis/script.h"

struct pool;
struct redis_link;
struct redis_subscription;
struct shard;

/* The link of shard; it begins to connect in this tick. pool (may be NULL) looks names up. Never NULL. */
struct redis_link *redis_link_new(struct shard *shard, struct pool *pool, struct redis_node *node);
/* Ends it; answers that are due do not come any more. All channels and watches must be gone. NULL is fine. */
void redis_link_free(struct redis_link *link);

struct redis_node *redis_link_node(const struct redis_link *link);
struct shard *redis_link_shard(const struct redis_link *link);
/* Whether both connections are there. Commands may go through while only channels are lost. */
bool redis_link_is_up(const struct redis_link *link);
enum redis_state redis_link_state(const struct redis_link *link);

/* ---- commands ---- */

/* Sends the command args[0..count-1]. answer (may be NULL) is called later, exactly once, unless context is forgotten
 * or the link freed. 0; -ENOTCONN when there is no connection, -EAGAIN when too much waits for answers already: then
 * nothing was sent and answer is not called. Commands are carried out in the order of sending. */
int redis_link_send(struct redis_link *link, const struct str *args, unsigned count, redis_answer *answer,
		    void *context) __attribute__((warn_unused_result));
/* Runs script, which was added to the node, with these keys and arguments. As redis_link_send; but a script that Redis
 * has lost (SCRIPT FLUSH) is sent again, behind what was sent meanwhile. */
int redis_link_eval(struct redis_link *link, const struct redis_script *script, const struct str *keys,
		    unsigned key_count, const struct str *args, unsigned arg_count, redis_answer *answer, void *context)
	__attribute__((warn_unused_result));
/* Answers still due to context will not come any more. */
void redis_link_forget(struct redis_link *link, const void *context);
/* PUBLISH without an answer. As redis_link_send. */
int redis_link_publish(struct redis_link *link, struct str channel, struct str message)
	__attribute__((warn_unused_result));

/* ---- channels ---- */

struct redis_channel { /* zeroed before first use but for the two functions; embedded in what listens */
	/* We are subscribed: called for the first time and again after each reconnect. */
	void (*ready)(struct redis_channel *channel);
	/* A message came; a loan. May unsubscribe. */
	void (*message)(struct redis_channel *channel, struct str message);
	struct redis_subscription *subscription; /* the link's; NULL: not subscribed */
	bool is_live;                            /* the link's: what is published arrives here */
};

/* Subscribes, now or as soon as there is a connection. channel must not be subscribed, nor another one to that name on
 * this link. */
void redis_link_subscribe(struct redis_link *link, struct redis_channel *channel, struct str name);
/* Ends it: nothing is called any more. Fine when it is not subscribed. */
void redis_link_unsubscribe(struct redis_link *link, struct redis_channel *channel);

/* ---- up and down ---- */

struct redis_watch { /* embedded in who wants to know */
	struct list link;
	/* The link came up, or went down. Channels become ready after that, one by one. */
	void (*changed)(struct redis_watch *watch, bool is_up);
};

/* Tells of changes from now on. watch->changed must be set. */
void redis_link_watch(struct redis_link *link, struct redis_watch *watch);
/* No longer. */
void redis_link_unwatch(struct redis_watch *watch);

#endif
