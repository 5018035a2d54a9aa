#include "server/auth/request.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "core/str.h"

enum request_state {
	REQUEST_ASKED,     /* the function that is asked has not returned */
	REQUEST_WAITS,     /* it has, without an answer */
	REQUEST_ANSWERED,  /* by whoever was asked; if it waited, the mail is on its way */
	REQUEST_ABANDONED, /* nobody waits any more; whoever answers frees it */
};

struct live_auth_request {
	struct mail mail;
	struct timer timer; /* armed while it waits */
	struct shard *home;
	struct auth_asker asker;
	/* Swapped by who asked and by who answers, each with acquire and release: who comes second sees what the first
	 * wrote. */
	_Atomic int state;
	struct auth_answer answer; /* written before it becomes answered */
};

void auth_answer_drop(struct auth_answer *answer)
{
	live_auth_unref(answer->auth);
	free(answer->text);
	*answer = (struct auth_answer){AUTH_DENIED, NULL, NULL};
}

static void drop(live_auth_request *request)
{
	auth_answer_drop(&request->answer);
	free(request);
}

static void deliver(struct mail *mail, struct shard *here)
{
	live_auth_request *request = LIST_OF(mail, live_auth_request, mail);

	debug_assert(here == request->home);
	(void)here;
	timer_disarm(&request->timer);
	request->asker.answered(request->asker.context, &request->answer);
	drop(request);
}

static void discard(struct mail *mail)
{
	live_auth_request *request = LIST_OF(mail, live_auth_request, mail);

	timer_disarm(&request->timer);
	request->asker.discard(request->asker.context);
	drop(request);
}

static void time_out(struct timer *timer)
{
	live_auth_request *request = LIST_OF(timer, live_auth_request, timer);
	struct auth_asker asker = request->asker;
	int waits = REQUEST_WAITS;
	char text[] = "timed out";

	if (atomic_compare_exchange_strong(&request->state, &waits, REQUEST_ABANDONED))
		asker.answered(asker.context, &(struct auth_answer){AUTH_FAILED, NULL, text});
}

live_auth_request *auth_request_new(struct shard *here, const struct auth_asker *asker)
{
	live_auth_request *request = mem_alloc(sizeof *request);

	request->mail.deliver = deliver;
	request->mail.discard = discard;
	timer_init(&request->timer, time_out);
	request->home = here;
	request->asker = *asker;
	atomic_init(&request->state, REQUEST_ASKED);
	return request;
}

bool auth_request_settle(live_auth_request *request, int64_t timeout_ms, struct auth_answer *answer)
{
	int asked = REQUEST_ASKED;

	/* Once it waits, an answer may come from any thread; but its mail, which ends the request, is delivered on this
	 * one, and not before this function has returned. */
	if (atomic_compare_exchange_strong(&request->state, &asked, REQUEST_WAITS)) {
		shard_timer_after(request->home, &request->timer, timeout_ms);
		return false;
	}
	*answer = request->answer;
	free(request);
	return true;
}

static void post(live_auth_request *request)
{
	struct shard *here = shard_here();

	if (here && shard_group_of(here) == shard_group_of(request->home))
		shard_post(here, shard_index(request->home), &request->mail);
	else
		shard_post_outside(request->home, &request->mail);
}

static void end(live_auth_request *request, enum auth_verdict verdict, const live_auth *auth, const char *text)
{
	request->answer = (struct auth_answer){verdict, auth, text ? mem_strndup(text, strlen(text)) : NULL};
	switch (atomic_exchange(&request->state, REQUEST_ANSWERED)) {
	case REQUEST_ASKED: break; /* settle finds it */
	case REQUEST_WAITS: post(request); break;
	case REQUEST_ABANDONED: drop(request); break;
	default: assert_always(false); /* a live_auth_request was ended twice */
	}
}

void live_auth_grant(live_auth_request *request, const live_auth *auth)
{
	end(request, live_auth_is_authenticated(auth) ? AUTH_ALLOWED : AUTH_DENIED, auth, NULL);
}

void live_auth_allow(live_auth_request *request)
{
	end(request, AUTH_ALLOWED, NULL, NULL);
}

void live_auth_deny(live_auth_request *request, const char *reason)
{
	end(request, AUTH_DENIED, NULL, reason);
}

void live_auth_fail(live_auth_request *request, const char *text)
{
	end(request, AUTH_FAILED, NULL, text ? text : "failed");
}
