#include "server/component/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "server/component/client.h"
#include "server/component/cluster_shard.h"
#include "server/component/instance.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/component/trace.h"
#include "server/component/watch.h"

/* ---- answering ---- */

struct answer_mail {
	struct mail mail;
	struct handle client;
	bool release;
	size_t len;
	char text[];
};

struct str scratch_take(struct component_shard *here)
{
	return outbox_take(&here->out);
}

static void answer_here(struct component_shard *here, struct handle handle, struct str reply, bool release)
{
	struct client *client = shard_handle_find(here->shard, handle);

	if (!client)
		return;
	if (reply.len)
		outbox_reply(&client->outbox, reply);
	if (release)
		client->ops->release(client);
}

static void deliver_answer(struct mail *mail, struct shard *shard)
{
	struct answer_mail *answer = LIST_OF(mail, struct answer_mail, mail);
	struct component_shard *here = component_shard_of(shard);
	struct str reply = arena_copy(shard_arena(shard), (struct str){answer->text, answer->len});

	if (here)
		answer_here(here, answer->client, reply, answer->release);
	free(answer);
}

static void discard_answer(struct mail *mail)
{
	free(LIST_OF(mail, struct answer_mail, mail));
}

void client_answer(struct component_shard *here, struct handle client, struct str reply, bool release)
{
	struct answer_mail *answer = mem_alloc(sizeof *answer + reply.len);

	answer->mail.deliver = deliver_answer;
	answer->mail.discard = discard_answer;
	answer->client = client;
	answer->release = release;
	answer->len = reply.len;
	if (reply.len)
		memcpy(answer->text, reply.ptr, reply.len);
	shard_post(here->shard, client.shard, &answer->mail);
}

/* ---- completing ---- */

static bool contains(struct str text, const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void push_error(live_component *self, struct str action, struct str error)
{
	encode_error_push(&self->home->out.scratch, &self->sender, action, error);
	instance_push(self, scratch_take(self->home));
}

/* Its figures: for who watches components, and for who listens to them. */
static void note_answer(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	int64_t took_ns = call->took_ns ? call->took_ns : clock_now_mono_ns() - call->began_ns;

	if (trace_wants(self, LIVE_LOG_MESSAGES | LIVE_LOG_PERFORMANCE))
		trace_answered(self, call->action, result, error, took_ns);
	watch_answered(self, call->action, took_ns);
	if (error.ptr) {
		counter_add(&self->home->counters.action_errors, 1);
		watch_failed(self);
	}
}

void call_tell_asker(const struct call *call, const live_value *result, struct str error)
{
	char *text = error.ptr ? mem_strndup(error.ptr, error.len) : NULL;

	call->asker->done(call->asker, result, text);
	free(text);
}

/* Answers whoever asked. false: the result is larger than any message may be, and nobody was told. */
static bool answer_action(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	struct component_shard *here = self->home;
	struct reply reply = {
		.type = "ACTION_RESPONSE",
		.component_id = call->component_id,
		.request_id = call->request_id,
		.success = !error.ptr,
		.result = error.ptr ? NULL : result,
		.error = error,
	};

	if (call->asker) {
		call_tell_asker(call, result, error);
		return true;
	}
	if (self->audience)
		return singleton_answer(self, call, result, error);
	if (!error.ptr && !call->expect_response)
		return true;
	encode_reply(&here->out.scratch, &reply);
	struct str text = scratch_take(here);
	answer_here(here, call->client, text, false);
	return text.len > 0;
}

static void complete_action(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	if (error.ptr && !contains(error, "was cancelled") && !contains(error, "pre-validation"))
		push_error(self, call->action, error);
	bool is_told = answer_action(self, call, result, error);
	if (is_told || error.ptr)
		note_answer(self, call, result, error);
	else
		complete_action(self, call, NULL, STR("Result is too large to send"));
}

struct str call_clean_text(struct component_shard *here, const char *text)
{
	if (!text || utf8_check(str_of(text)))
		return str_of(text);
	utf8_append_repaired(&here->out.scratch, str_of(text));
	return scratch_take(here);
}

void call_lost(struct component_shard *here, const struct call *call)
{
	if (call->kind != CALL_ACTION)
		return;
	if (call->asker) {
		call_tell_asker(call, NULL, STR("The component has ended"));
		return;
	}
	if (call->source.ptr) {
		cluster_refuse(here->cluster, call->source, call->request_id, STR(CLUSTER_LOST));
		return;
	}
	buf_printf(&here->out.scratch, "COMPONENT_REHYDRATION_REQUIRED:%.*s", STR_ARG(call->component_id));
	struct reply reply = {
		.type = "ACTION_RESPONSE",
		.component_id = call->component_id,
		.request_id = call->request_id,
		.error = scratch_take(here),
	};
	encode_reply(&here->out.scratch, &reply);
	client_answer(here, call->client, scratch_take(here), false);
}

void call_complete(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	switch (call->kind) {
	case CALL_ACTION: complete_action(self, call, result, error); break;
	case CALL_WRITE: singleton_answer(self, call, result, error); break;
	case CALL_ON_MOUNT: mount_hook_done(self, error); break;
	}
}

static struct str error_of(const struct live_reply *reply, int rc)
{
	if (reply->error)
		return call_clean_text(reply->component->home, reply->error);
	return rc ? STR("Action failed") : (struct str){NULL, 0};
}

void call_end(struct live_reply *reply, int rc)
{
	struct str error = error_of(reply, rc);

	if (reply->deferred && rc)
		log_warn(reply->component->definition->api->name,
			 "%.*s deferred its reply and failed as well: the deferred reply counts",
			 STR_ARG(reply->call->action));
	if (!reply->deferred)
		call_complete(reply->component, reply->call, reply->result, error);
	live_value_unref(reply->result);
	free(reply->error);
}

/* ---- what authors call ---- */

const live_auth *live_reply_auth(const live_reply *reply)
{
	return reply->call->auth ? reply->call->auth : live_auth_anonymous();
}

const char *live_reply_connection(const live_reply *reply)
{
	return reply->call->connection;
}

void live_reply_value(live_reply *reply, const live_value *value)
{
	live_value_unref(reply->result);
	reply->result = value;
}

int live_reply_error(live_reply *reply, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	int len = vasprintf(&text, format, arguments);
	va_end(arguments);
	free(reply->error);
	reply->error = len < 0 ? mem_strndup("out of memory", 13) : text;
	return -1;
}
