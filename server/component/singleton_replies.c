#include "server/component/singleton_replies.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "server/component/call.h"
#include "server/component/client.h"
#include "server/component/cluster_shard.h"
#include "server/component/component_shard.h"

struct due { /* an answer that waits */
	struct list link;
	uint64_t waits_for;
	int64_t deadline_ms;
	struct call call;  /* its strings are in text */
	struct str result; /* JSON; these two too */
	struct str error;
	char text[];
};

struct handled { /* a request of another node */
	struct map_entry by_id;
	struct list link;    /* replies->order */
	struct list unsaved; /* replies->unsaved */
	uint64_t changed;    /* with which it is stored */
	char *result;        /* ours; NULL: it is under way */
	size_t id_len;
	char id[];
};

void replies_init(struct replies *replies, struct cluster_shard *cluster)
{
	replies->cluster = cluster;
	list_init(&replies->due);
	list_init(&replies->order);
	list_init(&replies->unsaved);
	map_init(&replies->handled);
}

static void forget(struct replies *replies, struct handled *handled)
{
	map_remove(&replies->handled, &handled->by_id);
	list_remove(&handled->link);
	list_remove(&handled->unsaved);
	free(handled->result);
	free(handled);
}

static void drop(struct due *due)
{
	list_remove(&due->link);
	free(due);
}

void replies_deinit(struct replies *replies)
{
	list_for_each_safe (link, &replies->due)
		drop(LIST_OF(link, struct due, link));
	list_for_each_safe (link, &replies->order)
		forget(replies, LIST_OF(link, struct handled, link));
	map_deinit(&replies->handled);
}

/* ---- requests that are known ---- */

static struct handled *find_handled(const struct replies *replies, struct str id)
{
	struct map_entry *entry = map_find(&replies->handled, id);

	return entry ? MAP_OF(entry, struct handled, by_id) : NULL;
}

static struct handled *remember(struct replies *replies, struct str id)
{
	struct handled *handled = mem_alloc(sizeof *handled + id.len);

	if (replies->handled.count >= REPLIES_REMEMBERED)
		forget(replies, LIST_OF(replies->order.next, struct handled, link));
	handled->id_len = id.len;
	memcpy(handled->id, id.ptr, id.len);
	int rc = map_add(&replies->handled, &handled->by_id, (struct str){handled->id, id.len});
	assert_always(rc == 0); /* whoever calls has looked */
	list_append(&replies->order, &handled->link);
	list_init(&handled->unsaved);
	return handled;
}

struct str replies_find(const struct replies *replies, struct str request_id)
{
	const struct handled *handled = find_handled(replies, request_id);

	return handled && handled->result ? str_of(handled->result) : STR("");
}

bool replies_begin(struct replies *replies, struct str request_id, struct str *result)
{
	*result = replies_find(replies, request_id);
	if (find_handled(replies, request_id))
		return false;
	remember(replies, request_id);
	return true;
}

void replies_load(struct replies *replies, const struct str *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const live_value *result = cluster_read(results[i]);
		struct str id = cluster_text(result, "requestId");
		if (id.len && !find_handled(replies, id))
			remember(replies, id)->result = mem_strndup(results[i].ptr, results[i].len);
		live_value_unref(result);
	}
}

size_t replies_unsaved(const struct replies *replies, bool all, struct arena *arena, const struct str **results)
{
	struct str *list = arena_alloc(arena, REPLIES_REMEMBERED * sizeof *list);
	size_t count = 0;

	list_for_each (link, &replies->order) {
		const struct handled *handled = LIST_OF(link, struct handled, link);
		if (all && handled->result && list_is_empty(&handled->unsaved))
			list[count++] = str_of(handled->result);
	}
	list_for_each (link, &replies->unsaved)
		list[count++] = str_of(LIST_OF(link, struct handled, unsaved)->result);
	*results = list;
	return count;
}

/* ---- answering ---- */

static void answer_source(struct replies *replies, const struct call *call, struct str result, struct str error)
{
	struct buf *out = &replies->cluster->here->out.scratch;

	cluster_write_result(out, call->request_id, result, error);
	cluster_respond(replies->cluster, call->source, scratch_take(replies->cluster->here));
}

static void answer(struct replies *replies, const struct call *call, struct str result, struct str error)
{
	struct component_shard *here = replies->cluster->here;
	struct reply reply = {
		.type = call->kind == CALL_WRITE ? "MESSAGE_RESPONSE" : "ACTION_RESPONSE",
		.component_id = call->component_id,
		.request_id = call->request_id,
		.success = !error.ptr,
		.result_json = error.ptr ? (struct str){NULL, 0} : result,
		.error = error,
	};

	if (call->source.ptr) {
		answer_source(replies, call, result, error);
		return;
	}
	encode_reply(&here->out.scratch, &reply);
	client_answer(here, call->client, scratch_take(here), call->holds);
}

static struct str keep(char **at, struct str s)
{
	struct str kept = {s.ptr ? *at : NULL, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static struct due *wait_for(struct replies *replies, const struct call *call, struct str result, struct str error)
{
	struct due *due = mem_alloc(sizeof *due + call->component_id.len + call->request_id.len + call->source.len +
				    result.len + error.len);
	char *at = due->text;

	due->call = *call;
	due->call.holds = false;
	due->call.auth = NULL;
	due->call.action = STR("");
	due->call.component_id = keep(&at, call->component_id);
	due->call.request_id = keep(&at, call->request_id);
	due->call.source = keep(&at, call->source);
	due->result = keep(&at, result);
	due->error = keep(&at, error);
	list_append(&replies->due, &due->link);
	return due;
}

/* What another node's request came to is kept for the case that it asks again. */
static void record(struct replies *replies, const struct call *call, struct str result, struct str error,
		   uint64_t changed)
{
	struct component_shard *here = replies->cluster->here;
	struct handled *handled = find_handled(replies, call->request_id);

	if (!handled || handled->result)
		return;
	cluster_write_result(&here->out.scratch, call->request_id, result, error);
	struct str text = scratch_take(here);
	handled->result = mem_strndup(text.ptr, text.len);
	handled->changed = changed;
	if (changed)
		list_append(&replies->unsaved, &handled->unsaved);
}

void replies_put(struct replies *replies, const struct call *call, struct str result, struct str error,
		 uint64_t waits_for, uint64_t changed, int64_t deadline_ms)
{
	if (call->source.ptr)
		record(replies, call, result, error, changed);
	if (!waits_for) {
		answer(replies, call, result, error);
		return;
	}
	/* While it waits its client may go on. */
	if (call->holds)
		client_answer(replies->cluster->here, call->client, (struct str){NULL, 0}, true);
	struct due *due = wait_for(replies, call, result, error);
	due->waits_for = waits_for;
	due->deadline_ms = deadline_ms;
}

void replies_stored(struct replies *replies, uint64_t change)
{
	list_for_each_safe (link, &replies->unsaved) {
		struct handled *handled = LIST_OF(link, struct handled, unsaved);
		if (handled->changed <= change)
			list_remove(&handled->unsaved);
	}
	list_for_each_safe (link, &replies->due) {
		struct due *due = LIST_OF(link, struct due, link);
		if (due->waits_for > change)
			break;
		answer(replies, &due->call, due->result, due->error);
		drop(due);
	}
}

/* A failure stays what it was. */
static void fail(struct replies *replies, struct due *due, struct str error)
{
	answer(replies, &due->call, due->result, due->error.ptr ? due->error : error);
	drop(due);
}

void replies_fail(struct replies *replies, struct str error)
{
	list_for_each_safe (link, &replies->due)
		fail(replies, LIST_OF(link, struct due, link), error);
}

int64_t replies_expire(struct replies *replies, int64_t now_ms, struct str error)
{
	list_for_each_safe (link, &replies->due) {
		struct due *due = LIST_OF(link, struct due, link);
		if (due->deadline_ms > now_ms)
			return due->deadline_ms;
		counter_add(&replies->cluster->here->counters.cluster_timeouts, 1);
		fail(replies, due, error);
	}
	return 0;
}
