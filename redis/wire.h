/*
 * wire - one connection to Redis: bytes out, answers in, in the order of asking.
 *
 * It connects without blocking, writes once per tick, gives each answer to who asked, and closes itself when the peer
 * is silent: when the oldest command is not answered in time, or nothing came although we pinged. It is embedded in
 * what owns it, and may be opened again after it closed. Answers never come from inside redis_wire_send; when a wire
 * closes, all that wait get -ETIMEDOUT or -ECONNRESET: what they asked for may have been done or not.
 *
 * Of hiredis it uses the parser of answers: its asynchronous contexts (as of 0.14) know neither deadlines nor a bound
 * for what is queued, and look up names while the loop stands still.
 *
 * For the files of redis alone. Threads: [shard].
 */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "core/buf.h"
#include "core/str.h"
#include "redis/answer.h"
#include "redis/node.h"
#include "redis/script.h"
#include "shard/shard.h"

struct event;
struct redis_request;
struct redis_wire;
struct sockaddr;

struct redis_wire_ops {
	/* The connection is there. */
	void (*connected)(struct redis_wire *wire);
	/* It closed by itself; why is one line. Not called after redis_wire_close. */
	void (*closed)(struct redis_wire *wire, const char *why);
	/* Something came that nobody asked for, or that was sent with redis_wire_send_quiet; a loan. */
	void (*pushed)(struct redis_wire *wire, const struct redisReply *reply);
	/* An answer was an error; who asked was told already. */
	void (*refused)(struct redis_wire *wire, const char *text);
};

struct redis_wire {
	struct shard *shard;
	const struct redis_node *node;
	struct redis_figures *figures;
	const struct redis_wire_ops *ops;
	int fd;     /* -1: closed */
	int parted; /* the one before, ended but not closed; -1: none */
	bool is_connected;
	bool is_subscriber;  /* answers are no longer one per command: what comes goes to ops->pushed */
	bool is_pinged;      /* and nothing came since */
	uint32_t generation; /* counts openings: whoever calls out knows afterwards whether it is still the same */
	struct event *reading;
	struct event *writing;
	redisReader *reader;
	struct buf out;
	struct tick_task flush;
	struct timer watch;
	int64_t opened_ms;
	int64_t heard_ms;
	struct redis_request *first; /* the oldest that is not answered */
	struct redis_request **last;
	uint32_t request_count;
	size_t request_bytes;
};

void redis_wire_init(struct redis_wire *wire, struct shard *shard, const struct redis_node *node,
		     struct redis_figures *figures, const struct redis_wire_ops *ops);
/* Closes it and frees what it holds; nobody is told. */
void redis_wire_deinit(struct redis_wire *wire);
/* Begins to connect. 0 or -errno. */
int redis_wire_open(struct redis_wire *wire, const struct sockaddr *address, unsigned address_size)
	__attribute__((warn_unused_result));
/* Ends the connection; all that wait get error. Fine when it is closed. */
void redis_wire_close(struct redis_wire *wire, int error);
static inline bool redis_wire_is_open(const struct redis_wire *wire)
{
	return wire->fd >= 0;
}

/* Sends a command; answer (may be NULL) gets what comes back. 0, -ENOTCONN, or -EAGAIN when too much waits already. */
int redis_wire_send(struct redis_wire *wire, const struct str *args, unsigned count, redis_answer *answer,
		    void *context) __attribute__((warn_unused_result));
/* As redis_wire_send, for a script: args are the number of keys, the keys, the arguments. */
int redis_wire_eval(struct redis_wire *wire, const struct redis_script *script, const struct str *args, unsigned count,
		    redis_answer *answer, void *context) __attribute__((warn_unused_result));
/* Sends a command whose answer is to go to ops->pushed. 0 or -ENOTCONN, -EAGAIN. */
int redis_wire_send_quiet(struct redis_wire *wire, const struct str *args, unsigned count)
	__attribute__((warn_unused_result));
/* Answers due to context will not come any more. */
void redis_wire_forget(struct redis_wire *wire, const void *context);

#endif
