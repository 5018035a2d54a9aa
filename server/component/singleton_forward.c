#include "server/component/singleton_forward.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "server/component/client.h"
#include "server/component/cluster_shard.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/singleton_home.h"
#include "server/component/singleton_owner.h"
#include "shard/shard.h"

enum { FORWARDS_MAX = 65536 }; /* under way for one singleton */

struct forward {
	struct map_entry by_id; /* cluster->forwards */
	struct list link;       /* forwards->list */
	struct forwards *forwards;
	struct singleton_request *request; /* ours */
	struct timer timer;
	bool is_refused;         /* the port that it was sent to does not own it: it waits for another */
	char target[ID_LEN * 8]; /* the port that it was sent to; empty: none yet */
	char id[ID_LEN + 24];
};

/* Takes it off and returns its request, which is the caller's. */
static struct singleton_request *take(struct forward *forward)
{
	struct singleton_request *request = forward->request;

	map_remove(&forward->forwards->cluster->forwards, &forward->by_id);
	list_remove(&forward->link);
	forward->forwards->count--;
	timer_disarm(&forward->timer);
	free(forward);
	return request;
}

static void fail(struct forward *forward, struct str error)
{
	struct component_shard *here = forward->forwards->cluster->here;
	struct singleton_request *request = take(forward);

	singleton_refuse(here, request, error);
	singleton_request_free(request);
}

static void on_timeout(struct timer *timer)
{
	struct forward *forward = LIST_OF(timer, struct forward, timer);
	struct forwards *forwards = forward->forwards;
	struct component_shard *here = forwards->cluster->here;

	counter_add(&here->counters.cluster_timeouts, 1);
	buf_printf(&here->out.scratch, "Cluster action timeout after %lldms",
		   (long long)forwards->cluster->settings->timeout_ms);
	fail(forward, scratch_take(here));
	forwards->in_doubt(forwards);
}

static void send(struct forward *forward, const struct cluster_target *owner)
{
	struct cluster_shard *cluster = forward->forwards->cluster;
	const struct singleton_request *request = forward->request;
	struct cluster_names names =
		cluster_names(cluster, request->component_id, forward->forwards->audience->definition->name);

	if (!owner->port.len || owner->port.len >= sizeof forward->target)
		return;
	memcpy(forward->target, owner->port.ptr, owner->port.len);
	forward->target[owner->port.len] = 0;
	forward->is_refused = false;
	cluster_write_request(&cluster->here->out.scratch, &names, owner, str_of(forward->id), request);
	cluster_tell(cluster, owner->port, scratch_take(cluster->here));
	counter_add(&cluster->here->counters.cluster_forwards, 1);
}

void forwards_init(struct forwards *forwards, const struct audience *audience,
		   void (*in_doubt)(struct forwards *forwards))
{
	list_init(&forwards->list);
	forwards->count = 0;
	forwards->audience = audience;
	forwards->cluster = audience->here->cluster;
	forwards->in_doubt = in_doubt;
}

void forwards_add(struct forwards *forwards, struct singleton_request *request, const struct cluster_target *owner)
{
	struct cluster_shard *cluster = forwards->cluster;

	if (forwards->count == FORWARDS_MAX) {
		singleton_refuse(cluster->here, request, STR(CLUSTER_FAILED));
		singleton_request_free(request);
		return;
	}
	struct forward *forward = mem_alloc(sizeof *forward);
	client_answer(cluster->here, request->client, (struct str){NULL, 0}, !request->is_released);
	request->is_released = true;
	forward->forwards = forwards;
	forward->request = request;
	snprintf(forward->id, sizeof forward->id, "%s.%" PRIx64, cluster->port.id, ++cluster->forward_ids);
	int rc = map_add(&cluster->forwards, &forward->by_id, str_of(forward->id));
	assert_always(rc == 0); /* it is counted */
	list_append(&forwards->list, &forward->link);
	forwards->count++;
	timer_init(&forward->timer, on_timeout);
	shard_timer_after(cluster->here->shard, &forward->timer, cluster->settings->timeout_ms);
	send(forward, owner);
}

void forwards_send(struct forwards *forwards, const struct cluster_target *owner)
{
	list_for_each (link, &forwards->list)
		send(LIST_OF(link, struct forward, link), owner);
}

void forwards_fail(struct forwards *forwards, struct str error)
{
	list_for_each_safe (link, &forwards->list)
		fail(LIST_OF(link, struct forward, link), error);
}

void forwards_fail_refused(struct forwards *forwards)
{
	list_for_each_safe (link, &forwards->list) {
		struct forward *forward = LIST_OF(link, struct forward, link);
		if (forward->is_refused)
			fail(forward, STR(CLUSTER_LOST));
	}
}

/* ---- answers ---- */

static void answer(struct component_shard *here, struct singleton_request *request, const live_value *response)
{
	struct str error = cluster_text(response, "error");
	struct reply reply = {
		.type = request->ask == ASK_ACTION ? "ACTION_RESPONSE" : "MESSAGE_RESPONSE",
		.component_id = request->component_id,
		.request_id = request->request_id,
		.success = true,
		.result = live_get(response, "result"),
	};

	if (!live_as_bool(live_get(response, "success"))) {
		singleton_refuse(here, request, error.len ? error : STR(CLUSTER_FAILED));
	} else if (request->expect_response || request->ask != ASK_ACTION) {
		encode_reply(&here->out.scratch, &reply);
		client_answer(here, request->client, scratch_take(here), !request->is_released);
	}
}

static void finish(struct forward *forward, const live_value *response)
{
	struct component_shard *here = forward->forwards->cluster->here;
	struct singleton_request *request = take(forward);

	answer(here, request, response);
	singleton_request_free(request);
}

void forward_answered(struct cluster_shard *cluster, struct str origin, const live_value *response)
{
	struct map_entry *entry = map_find(&cluster->forwards, cluster_text(response, "requestId"));
	struct forward *forward = entry ? MAP_OF(entry, struct forward, by_id) : NULL;

	/* An owner before the one that it was sent to last has nothing to say any more. */
	if (!forward || !str_equal(origin, str_of(forward->target)))
		return;
	forward->is_refused = str_equal(cluster_text(response, "error"), STR(CLUSTER_LOST));
	if (forward->is_refused)
		forward->forwards->in_doubt(forward->forwards);
	else
		finish(forward, response);
}

/* Whether the owner before has done it. */
static bool finish_known(struct forward *forward, const struct owner *owner)
{
	const live_value *response = cluster_read(owner_find(owner, str_of(forward->id)));

	if (!response)
		return false;
	finish(forward, response);
	live_value_unref(response);
	return true;
}

void forwards_serve(struct forwards *forwards, struct owner *owner)
{
	struct component_shard *here = forwards->cluster->here;
	struct list all;

	/* What one does may end the singleton: the others then find none. */
	list_init(&all);
	list_for_each_safe (link, &forwards->list) {
		list_remove(link);
		list_append(&all, link);
	}
	list_for_each_safe (link, &all) {
		struct forward *forward = LIST_OF(link, struct forward, link);
		if (finish_known(forward, owner))
			continue;
		struct singleton_request *request = take(forward);
		request->definition = forwards->audience->definition; /* it may be newer by now */
		if (!singleton_serve(here, request))
			singleton_request_free(request);
	}
}
