#include "server/component/deferred.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/component/call.h"
#include "server/component/instance.h"

struct waiting { /* a call whose reply is deferred */
	struct timer timer;
	struct list link; /* component_shard->waiting */
	struct component_shard *here;
	struct handle handle;
	struct handle component;
	struct call call; /* its strings are in text */
	char text[];
};

struct live_deferred { /* what the author holds */
	struct mail mail;
	struct borrower borrower;
	struct shard *shard;
	struct handle waiting;
	const live_value *result; /* ours */
	char *error;              /* ours */
};

/* ---- what waits ---- */

static struct str keep(char **at, struct str s)
{
	struct str kept = {s.ptr ? *at : NULL, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static void forget(struct waiting *waiting)
{
	timer_disarm(&waiting->timer);
	list_remove(&waiting->link);
	shard_handle_close(waiting->here->shard, waiting->handle);
	free(waiting);
}

/* Completes the call, and ends the wait. When its component is gone the client learns that. */
static void complete(struct waiting *waiting, const live_value *result, struct str error)
{
	live_component *self = shard_handle_find(waiting->here->shard, waiting->component);

	if (self)
		call_complete(self, &waiting->call, result, error);
	else
		call_lost(waiting->here, &waiting->call);
	forget(waiting);
}

static void on_timeout(struct timer *timer)
{
	struct waiting *waiting = LIST_OF(timer, struct waiting, timer);
	char text[160];

	snprintf(text, sizeof text, "Action '%.*s' timed out after %lldms",
		 waiting->call.action.len < 64 ? (int)waiting->call.action.len : 64, waiting->call.action.ptr,
		 (long long)waiting->here->settings->action_timeout_ms);
	complete(waiting, NULL, str_of(text));
}

static struct waiting *wait_for(struct component_shard *here, live_component *component, const struct call *call)
{
	struct waiting *waiting = mem_alloc(sizeof *waiting + call->component_id.len + call->action.len +
					    call->request_id.len + call->source.len);
	char *at = waiting->text;

	waiting->here = here;
	waiting->component = instance_handle(component);
	waiting->call = *call;
	waiting->call.holds = false;
	waiting->call.auth = NULL;
	waiting->call.component_id = keep(&at, call->component_id);
	waiting->call.action = keep(&at, call->action);
	waiting->call.request_id = keep(&at, call->request_id);
	waiting->call.source = keep(&at, call->source);
	waiting->handle = shard_handle_open(here->shard, waiting);
	list_append(&here->waiting, &waiting->link);
	timer_init(&waiting->timer, on_timeout);
	if (here->settings->action_timeout_ms)
		shard_timer_after(here->shard, &waiting->timer, here->settings->action_timeout_ms);
	return waiting;
}

void deferred_forget_all(struct component_shard *here)
{
	list_for_each_safe (link, &here->waiting) {
		struct waiting *waiting = LIST_OF(link, struct waiting, link);
		if (waiting->call.asker)
			call_tell_asker(&waiting->call, NULL, STR("The server has ended"));
		forget(waiting);
	}
}

/* ---- what the author holds ---- */

static void free_deferred(struct live_deferred *deferred)
{
	live_value_unref(deferred->result);
	free(deferred->error);
	free(deferred);
}

static void deliver(struct mail *mail, struct shard *shard)
{
	struct live_deferred *deferred = LIST_OF(mail, struct live_deferred, mail);
	struct waiting *waiting = shard_handle_find(shard, deferred->waiting);

	if (waiting)
		complete(waiting, deferred->result, call_clean_text(waiting->here, deferred->error));
	if (component_shard_of(shard))
		list_remove(&deferred->borrower.link);
	free_deferred(deferred);
}

static void discard(struct mail *mail)
{
	free_deferred(LIST_OF(mail, struct live_deferred, mail));
}

live_deferred *live_reply_defer(live_reply *reply)
{
	struct component_shard *here = reply->component->home;

	if (reply->deferred)
		return reply->deferred;
	if (reply->call->holds)
		client_answer(here, reply->call->client, (struct str){NULL, 0}, true);
	live_deferred *deferred = mem_alloc(sizeof *deferred);
	deferred->shard = here->shard;
	deferred->borrower.definition = reply->component->definition;
	list_append(&here->borrowers, &deferred->borrower.link);
	deferred->waiting = wait_for(here, reply->component, reply->call)->handle;
	deferred->mail.deliver = deliver;
	deferred->mail.discard = discard;
	reply->deferred = deferred;
	return deferred;
}

static void send(live_deferred *deferred)
{
	struct shard *here = shard_here();

	if (here && shard_group_of(here) == shard_group_of(deferred->shard))
		shard_post(here, shard_index(deferred->shard), &deferred->mail);
	else
		shard_post_outside(deferred->shard, &deferred->mail);
}

void deferred_drop(live_deferred *deferred)
{
	free_deferred(deferred);
}

void live_deferred_value(live_deferred *deferred, const live_value *value)
{
	deferred->result = value;
	send(deferred);
}

void live_deferred_error(live_deferred *deferred, const char *text)
{
	deferred->error = mem_strndup(text, strlen(text));
	send(deferred);
}
