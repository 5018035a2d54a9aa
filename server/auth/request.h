/*
 * request - one question to a provider or a rule, answered at once or later: live_auth_request of <live/auth.h>.
 *
 * Whoever asks makes one, hands it to the function that is asked, and settles: either the answer is there already, or
 * it will come by mail, to the shard that asked, where answered is called. One that does not come in time counts as
 * failed, and comes to nothing when it comes after all. A request that waits is kept by its shard: who never answers
 * leaks nothing.
 *
 * Threads: [shard] of who asked; live_auth_grant and the like [any].
 */
#ifndef SERVER_AUTH_REQUEST_H
#define SERVER_AUTH_REQUEST_H

#include <live/auth.h>

#include "shard/shard.h"

enum auth_verdict { AUTH_DENIED, AUTH_ALLOWED, AUTH_FAILED };

struct auth_answer {
	enum auth_verdict verdict;
	const live_auth *auth; /* granted, or NULL */
	char *text;            /* reason or failure, or NULL */
};

struct auth_asker {
	/* The answer came; it is a loan. */
	void (*answered)(void *context, const struct auth_answer *answer);
	/* The shard has ended before it came. [start] */
	void (*discard)(void *context);
	void *context;
};

/* A request of here, which asker will be told of. Never NULL. */
live_auth_request *auth_request_new(struct shard *here, const struct auth_asker *asker);
/* After the function that was asked returned: true and *answer filled (the caller drops it) when it has answered, and
 * then the request is gone; else the answer comes within timeout_ms. */
bool auth_request_settle(live_auth_request *request, int64_t timeout_ms, struct auth_answer *answer);
void auth_answer_drop(struct auth_answer *answer);

#endif
