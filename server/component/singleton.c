/*
 * The home of singletons: making them, serving what their clients ask, sending what they say.
 */
#include "server/component/singleton.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/diff.h"
#include "core/json.h"
#include "core/mem.h"
#include "server/component/action.h"
#include "server/component/action_rate.h"
#include "server/component/audience.h"
#include "server/component/call.h"
#include "server/component/cluster_shard.h"
#include "server/component/mount.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_home.h"
#include "server/component/singleton_owner.h"

unsigned singleton_clients(const live_component *self)
{
	return self->audience->count;
}

/* Its owner in the cluster; NULL: the node is alone, or it has ended here. */
static struct owner *owner_of(const live_component *self)
{
	return self->audience->clustered ? clustered_owner(self->audience->clustered) : NULL;
}

/* ---- to the clients ---- */

static void publish_delta(live_component *self)
{
	struct diff_steps steps;

	if (!pending_delta_is_set(&self->pending))
		return;
	pending_delta_take(&self->pending, &self->home->out.diff, &steps);
	if (!steps.delta)
		return;
	audience_publish_steps(self->audience, &steps, self->state);
	if (owner_of(self))
		owner_changed(owner_of(self), self->state);
}

static void close_tick(struct tick_task *task, struct shard *here)
{
	live_component *self = LIST_OF(task, struct audience, task)->component;

	(void)here;
	if (self && !self->is_dead)
		publish_delta(self);
}

void singleton_push_delta(live_component *self, const live_value *before, const live_value *delta)
{
	pending_delta_add(&self->pending, before, delta);
	shard_at_tick_end(self->home->shard, TICK_CLOSE, &self->audience->task);
}

void singleton_flush(live_component *self)
{
	publish_delta(self);
}

void singleton_push_here(live_component *self, struct str json)
{
	publish_delta(self);
	audience_publish(self->audience, json);
}

void singleton_push(live_component *self, struct str json)
{
	singleton_push_here(self, json);
	if (owner_of(self))
		owner_push(owner_of(self), json);
}

void singleton_push_room(live_component *self, struct str shared)
{
	encode_room_frame(&self->home->out.scratch, self->sender.id, shared);
	singleton_push(self, scratch_take(self->home));
}

/* ---- answers ---- */

/* By the owner in a cluster, which may have to keep it until it is stored. */
static bool answer_by_owner(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	struct component_shard *here = self->home;
	struct str json = {NULL, 0};

	if (result && !error.ptr) {
		json_write(&here->out.scratch, result);
		json = scratch_take(here);
		if (!json.len)
			return false;
	}
	owner_answer(owner_of(self), call, json, error);
	return true;
}

/* A singleton's deltas travel as mail, so its replies do too: they must not overtake. */
bool singleton_answer(live_component *self, const struct call *call, const live_value *result, struct str error)
{
	struct component_shard *here = self->home;
	struct reply reply = {
		.type = call->kind == CALL_WRITE ? "MESSAGE_RESPONSE" : "ACTION_RESPONSE",
		.component_id = call->component_id,
		.request_id = call->request_id,
		.success = !error.ptr,
		.result = error.ptr ? NULL : result,
		.error = error,
	};

	if (!error.ptr && !call->expect_response) {
		if (call->holds)
			client_answer(here, call->client, (struct str){NULL, 0}, true);
		return true;
	}
	publish_delta(self);
	if (owner_of(self))
		return answer_by_owner(self, call, result, error);
	if (call->source.ptr) {
		cluster_refuse(here->cluster, call->source, call->request_id, STR(CLUSTER_LOST));
		return true;
	}
	encode_reply(&here->out.scratch, &reply);
	struct str text = scratch_take(here);
	if (text.len)
		client_answer(here, call->client, text, call->holds);
	return text.len > 0;
}

static const char *reply_type(const struct singleton_request *request)
{
	if (request->rehydrates)
		return "COMPONENT_REHYDRATED";
	return request->ask == ASK_ACTION ? "ACTION_RESPONSE" : "MESSAGE_RESPONSE";
}

/* The program that mounted it for its client, which goes on. */
static void tell_asker(struct component_shard *here, struct singleton_request *request, const live_value *result,
		       struct str error)
{
	call_tell_asker(&(struct call){.asker = request->asker}, result, error);
	request->asker = NULL;
	client_answer(here, request->client, (struct str){NULL, 0}, true);
}

void singleton_refuse(struct component_shard *here, struct singleton_request *request, struct str error)
{
	struct reply reply = {
		.type = reply_type(request),
		.component_id = request->component_id,
		.request_id = request->request_id,
		.error = error,
	};

	if (request->asker) {
		tell_asker(here, request, NULL, error);
		return;
	}
	if (request->source.ptr) {
		cluster_refuse(here->cluster, request->source, request->request_id, error);
		return;
	}
	encode_reply(&here->out.scratch, &reply);
	client_answer(here, request->client, scratch_take(here), !request->is_released);
}

void singleton_refuse_lost(struct component_shard *here, struct singleton_request *request)
{
	buf_printf(&here->out.scratch, "COMPONENT_REHYDRATION_REQUIRED:%.*s", STR_ARG(request->component_id));
	singleton_refuse(here, request, scratch_take(here));
}

void singleton_answer_mount(struct audience *audience, struct singleton_request *request, const live_value *state,
			    struct str signed_state)
{
	struct component_shard *here = audience->here;
	struct buf *out = &here->out.scratch;

	if (request->asker) {
		const live_value *result = mount_result(audience->sender.id, state, signed_state);
		tell_asker(here, request, result, (struct str){NULL, 0});
		live_value_unref(result);
		return;
	}
	if (request->rehydrates)
		buf_printf(out, "{\"newComponentId\":\"%.*s\"}", STR_ARG(audience->sender.id));
	else
		encode_mount_result(out, audience->sender.id, state, signed_state);
	struct reply reply = {
		.type = reply_type(request),
		.component_id = request->component_id,
		.request_id = request->request_id,
		.success = true,
		.result_json = scratch_take(here),
	};
	if (!reply.result_json.len) {
		singleton_refuse(here, request, STR(MOUNT_TOO_LARGE));
		return;
	}
	encode_reply(out, &reply);
	client_answer(here, request->client, scratch_take(here), true);
}

/* ---- its life ---- */

void singleton_tell_join(live_component *self, const char *connection, unsigned clients)
{
	if (self->definition->api->on_client_join && !self->is_dead)
		self->definition->api->on_client_join(self, connection, clients);
}

void singleton_tell_joins(live_component *self)
{
	struct map *listeners = &self->audience->listeners;
	unsigned clients = 0;

	for (struct map_entry *entry = map_first(listeners); entry && !self->is_dead;
	     entry = map_next(listeners, entry))
		singleton_tell_join(self, MAP_OF(entry, struct listener, by_client)->connection, ++clients);
}

void singleton_make(struct audience *audience, const live_value *state, struct str id,
		    struct singleton_request *request)
{
	struct instance_options options = {
		.definition = audience->definition,
		.state = state,
		.id = id,
		.room = request ? request->word : STR(""),
		.auth = request ? request->auth : NULL,
	};
	struct mount_request mount = {
		.component_id = request ? request->component_id : STR(""),
		.request_id = request ? request->request_id : (struct str){NULL, 0},
		.connection = request ? request->connection.ptr : NULL,
		.rehydrates = request && request->rehydrates,
		.asker = request ? request->asker : NULL,
	};
	live_component *self = instance_new(audience->here, &options);

	if (request)
		request->asker = NULL; /* the mount tells it */
	self->audience = audience;
	audience->component = self;
	audience->sender = self->sender;
	audience->task.run = close_tick;
	singleton_tell_joins(self); /* clients that were there before it */
	if (request && !self->is_dead) {
		audience_add(audience, request->client, request->is_legacy, request->connection);
		singleton_tell_join(self, request->connection.ptr, audience->count);
	}
	mount_begin(self, &mount, request ? request->client : (struct handle){0}, NULL);
}

void singleton_end(live_component *self)
{
	struct audience *audience = self->audience;

	publish_delta(self);
	audience->component = NULL;
	if (!audience->clustered || !clustered_ended(audience->clustered, self->sender.id, self->state))
		audience_end(audience);
}

/* ---- serving ---- */

/* The first mount makes it. */
static void create(struct component_shard *here, struct singleton_request *request)
{
	const live_value *given = request->seed ? request->seed : request->value;

	singleton_make(audience_new(here, request->definition), mount_initial_state(request->definition, given),
		       STR(""), request);
}

/* Further mounts get the state as it is (behaviour.md 2.1, step 3). */
static void attach(live_component *self, struct singleton_request *request)
{
	struct component_shard *here = self->home;
	struct audience *audience = self->audience;

	publish_delta(self);
	if (!audience_listener(audience, request->client))
		audience_add(audience, request->client, request->is_legacy, request->connection);
	struct str signed_state = instance_sign(self);
	encode_state_update(&here->out.scratch, &self->sender, self->state, signed_state);
	audience_publish_state(audience, request->client, scratch_take(here));
	singleton_tell_join(self, request->connection.ptr, audience->count);
	if (self->is_dead) /* on_client_join ended it */
		singleton_refuse(here, request, STR("The component ended while it was mounted"));
	else
		singleton_answer_mount(audience, request, self->state, signed_state);
}

/* A client that was too slow for the changes has caught up. */
static void refresh(live_component *self, const struct singleton_request *request)
{
	if (!audience_listener(self->audience, request->client))
		return;
	publish_delta(self);
	struct str signed_state = instance_sign(self);
	encode_state_update(&self->home->out.scratch, &self->sender, self->state, signed_state);
	audience_publish_state(self->audience, request->client, scratch_take(self->home));
}

static void detach(live_component *self, const struct singleton_request *request)
{
	struct audience *audience = self->audience;
	struct listener *listener = audience_listener(audience, request->client);

	if (!listener)
		return;
	/* Its name is with us: who vanished while it was mounted can no longer tell it. */
	struct str connection = arena_copy(shard_arena(self->home->shard),
					   (struct str){listener->connection, listener->connection_len + 1});
	audience_drop(audience, listener);
	action_rate_forget(self, request->client);
	if (self->definition->api->on_client_leave) {
		struct shard_job before = instance_enter(self, "onClientLeave");
		self->definition->api->on_client_leave(self, connection.ptr, audience->count);
		instance_leave(self, before);
	}
	if (self->is_dead || audience->count)
		return;
	if (self->definition->api->on_disconnect) {
		struct shard_job before = instance_enter(self, "onDisconnect");
		self->definition->api->on_disconnect(self);
		instance_leave(self, before);
	}
	if (audience->clustered)
		clustered_leave(audience->clustered);
	instance_destroy(self);
}

static void run_action(live_component *self, const struct singleton_request *request)
{
	struct call call = {
		.kind = CALL_ACTION,
		.holds = !request->is_released,
		.auth = request->auth,
		.connection = request->connection.ptr,
		.expect_response = request->expect_response,
		.client = request->client,
		.component_id = request->component_id,
		.action = request->word,
		.request_id = request->request_id,
		.source = request->source,
	};
	action_run(self, &call, request->value);
}

static void set_state(live_component *self, const struct singleton_request *request)
{
	const char *error = request->ask == ASK_STATE ? action_set_state(self, request->value)
						      : action_set_property(self, request->word, request->value);
	struct call call = {
		.kind = CALL_WRITE,
		.holds = !request->source.ptr,
		.expect_response = true,
		.client = request->client,
		.component_id = request->component_id,
		.request_id = request->request_id,
		.source = request->source,
	};

	singleton_answer(self, &call, NULL, str_of(error));
}

/* In a cluster the instance may be elsewhere, or its claim be in doubt. Whether that settles what is asked, and if so,
 * whether request is kept. */
static bool serve_clustered(struct component_shard *here, struct audience *audience, struct singleton_request *request,
			    bool *is_kept)
{
	struct owner *owner = audience ? clustered_owner(audience->clustered) : NULL;
	bool is_change = request->ask >= ASK_ACTION;

	*is_kept = false;
	if (is_change && (owner ? !owner_is_leased(owner) : request->source.ptr != NULL)) {
		singleton_refuse(here, request, STR(CLUSTER_LOST));
		return true;
	}
	if (!audience && request->ask == ASK_MOUNT) {
		audience = audience_new(here, request->definition);
		audience->clustered = clustered_new(audience);
	}
	if (!audience || owner)
		return false;
	*is_kept = clustered_serve(audience->clustered, request);
	return true;
}

bool singleton_serve(struct component_shard *here, struct singleton_request *request)
{
	struct audience *audience = audience_find(here, request->definition->name);
	live_component *self = audience ? audience->component : NULL;
	bool is_kept;

	if (here->cluster && serve_clustered(here, audience, request, &is_kept))
		return is_kept;
	if (request->ask == ASK_MOUNT && self)
		attach(self, request);
	else if (request->ask == ASK_MOUNT)
		create(here, request);
	else if (request->ask == ASK_DETACH && self)
		detach(self, request);
	else if (request->ask == ASK_REFRESH && self)
		refresh(self, request);
	else if (request->ask < ASK_ACTION)
		return false;
	/* One that came after the one that the client means is not its. */
	else if (!self || !str_equal(self->mounted.id, request->component_id))
		singleton_refuse_lost(here, request);
	else if (request->ask == ASK_ACTION)
		run_action(self, request);
	else
		set_state(self, request);
	return false;
}
