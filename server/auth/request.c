#include "server/auth/request.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"

enum request_state {
	REQUEST_ASKED,    /* the function that is asked has not returned */
	REQUEST_WAITS,    /* it has, without an answer */
	REQUEST_ANSWERED, /* by whoever was asked; if it waited, the mail is on its way */
};

struct live_auth_request {
	struct mail mail;
	struct kept kept;   /* while it waits */
	struct timer timer; /* armed while it waits */
	struct shard *home;
	struct auth_asker asker;
	bool is_over; /* nobody waits for the answer any more; its home's */
	/* Exchanged by whoever answers: only the first one writes the answer. */
	_Atomic bool is_ended;
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
	list_remove(&request->kept.link);
	if (!request->is_over)
		request->asker.answered(request->asker.context, &request->answer);
	drop(request);
}

static void discard(struct mail *mail)
{
	(void)mail; /* it is kept */
}

/* The shards end before it was answered, or before that was told. */
static void free_kept(struct kept *kept)
{
	live_auth_request *request = LIST_OF(kept, live_auth_request, kept);

	timer_disarm(&request->timer);
	if (!request->is_over)
		request->asker.discard(request->asker.context);
	drop(request);
}

static void time_out(struct timer *timer)
{
	live_auth_request *request = LIST_OF(timer, live_auth_request, timer);
	char text[] = "timed out";

	if (atomic_load(&request->state) == REQUEST_ANSWERED)
		return;          /* the mail is on its way */
	request->is_over = true; /* and stays, for whoever may still answer it */
	request->asker.answered(request->asker.context, &(struct auth_answer){AUTH_FAILED, NULL, text});
}

live_auth_request *auth_request_new(struct shard *here, const struct auth_asker *asker)
{
	live_auth_request *request = mem_alloc(sizeof *request);

	request->mail.deliver = deliver;
	request->mail.discard = discard;
	request->kept.free = free_kept;
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
		shard_keep(request->home, &request->kept);
		return false;
	}
	*answer = request->answer;
	free(request);
	return true;
}

static void end(live_auth_request *request, enum auth_verdict verdict, const live_auth *auth, const char *text)
{
	if (atomic_exchange(&request->is_ended, true)) {
		log_warn(NULL, "a question about a client was answered before: that answer counts");
		live_auth_unref(auth);
		return;
	}
	request->answer = (struct auth_answer){verdict, auth, text ? mem_strndup(text, strlen(text)) : NULL};
	/* If it is still being asked, settle finds the answer. */
	if (atomic_exchange(&request->state, REQUEST_ANSWERED) == REQUEST_WAITS)
		shard_post_any(shard_group_of(request->home), shard_index(request->home), &request->mail);
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
