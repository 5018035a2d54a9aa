#include "server/component/deferred.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Ended replies that each shard keeps in memory: an author who ends one twice does so soon, and is told. */
enum { ENDED_KEPT = 256 };

struct live_deferred { /* what the author holds */
	struct mail mail;
	struct borrower borrower; /* until it is delivered; then the link is in component_shard->ended */
	struct kept kept;         /* once the shard has ended */
	struct shard *shard;
	struct handle waiting;
	_Atomic bool is_ended;    /* exchanged by whoever ends it: only the first one writes what follows */
	const live_value *result; /* ours */
	char *error;              /* ours */
	const char *action;       /* in text, behind the component's name */
	char text[];
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
	waiting->call.connection = NULL;
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

static void free_deferred(struct live_deferred *deferred)
{
	live_value_unref(deferred->result);
	free(deferred->error);
	free(deferred);
}

static void free_kept(struct kept *kept)
{
	free_deferred(LIST_OF(kept, struct live_deferred, kept));
}

/* Whoever holds them may end them until the code is gone. */
static void leave_to_shard(struct component_shard *here, struct list *all)
{
	list_for_each_safe (link, all) {
		struct live_deferred *deferred = LIST_OF(link, struct live_deferred, borrower.link);
		list_remove(link);
		deferred->kept.free = free_kept;
		shard_keep(here->shard, &deferred->kept);
	}
}

void deferred_forget_all(struct component_shard *here)
{
	list_for_each_safe (link, &here->waiting) {
		struct waiting *waiting = LIST_OF(link, struct waiting, link);
		if (waiting->call.asker)
			call_tell_asker(&waiting->call, NULL, STR("The server has ended"));
		forget(waiting);
	}
	leave_to_shard(here, &here->deferred);
	leave_to_shard(here, &here->ended);
}

/* ---- what the author holds ---- */

static void keep_ended(struct component_shard *here, struct live_deferred *deferred)
{
	list_remove(&deferred->borrower.link);
	list_append(&here->ended, &deferred->borrower.link);
	if (here->ended_count++ < ENDED_KEPT)
		return;
	struct live_deferred *oldest = LIST_OF(here->ended.next, struct live_deferred, borrower.link);
	list_remove(&oldest->borrower.link);
	here->ended_count--;
	free_deferred(oldest);
}

static void deliver(struct mail *mail, struct shard *shard)
{
	struct live_deferred *deferred = LIST_OF(mail, struct live_deferred, mail);
	struct component_shard *here = component_shard_of(shard);
	struct waiting *waiting = here ? shard_handle_find(shard, deferred->waiting) : NULL;

	if (waiting)
		complete(waiting, deferred->result, call_clean_text(here, deferred->error));
	if (here)
		keep_ended(here, deferred);
}

static void discard(struct mail *mail)
{
	(void)mail; /* it is kept */
}

live_deferred *live_reply_defer(live_reply *reply)
{
	live_component *self = reply->component;
	struct component_shard *here = self->home;
	struct str name = self->definition->name, action = reply->call->action;

	if (reply->deferred)
		return reply->deferred;
	if (reply->call->holds)
		client_answer(here, reply->call->client, (struct str){NULL, 0}, true);
	live_deferred *deferred = mem_alloc(sizeof *deferred + name.len + action.len + 2);
	memcpy(deferred->text, name.ptr, name.len);
	deferred->action = memcpy(deferred->text + name.len + 1, action.ptr, action.len);
	deferred->shard = here->shard;
	deferred->borrower.definition = self->definition;
	list_append(&here->deferred, &deferred->borrower.link);
	deferred->waiting = wait_for(here, self, reply->call)->handle;
	deferred->mail.deliver = deliver;
	deferred->mail.discard = discard;
	reply->deferred = deferred;
	return deferred;
}

/* Whether nobody has ended it yet. */
static bool end(live_deferred *deferred)
{
	if (!atomic_exchange(&deferred->is_ended, true))
		return true;
	log_warn(deferred->text, "the reply to '%s' was ended before: that one counts", deferred->action);
	if (!shard_here())
		log_flush();
	return false;
}

void live_deferred_value(live_deferred *deferred, const live_value *value)
{
	if (!end(deferred)) {
		live_value_unref(value);
		return;
	}
	deferred->result = value;
	shard_post_any(shard_group_of(deferred->shard), shard_index(deferred->shard), &deferred->mail);
}

void live_deferred_error(live_deferred *deferred, const char *text)
{
	if (!end(deferred))
		return;
	if (!text)
		text = "Action failed";
	deferred->error = mem_strndup(text, strlen(text));
	shard_post_any(shard_group_of(deferred->shard), shard_index(deferred->shard), &deferred->mail);
}
