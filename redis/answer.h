/*
 * answer - what comes back for a command.
 *
 * Threads: [shard] the one that asked.
 */
#ifndef REDIS_ANSWER_H
#define REDIS_ANSWER_H

struct redisReply;

/*
 * error 0: reply (a loan, never NULL) is what Redis said, and no error. -EREMOTEIO: Redis refused, and reply->str says
 * why; nothing was done. -ETIMEDOUT, -ECONNRESET: reply is NULL, and what was asked for may have been done or not.
 */
typedef void redis_answer(void *context, int error, const struct redisReply *reply);

#endif
