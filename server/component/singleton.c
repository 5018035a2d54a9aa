/*
 * The home of singletons: making them, serving what their clients ask, sending what they say.
 */
#include "server/component/singleton.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/diff.h"
#include "core/mem.h"
#include "server/component/action.h"
#include "server/component/action_rate.h"
#include "server/component/call.h"
#include "server/component/mount.h"
#include "server/component/singleton_mail.h"

struct listener {                   /* one client */
	struct map_entry by_client; /* audience->listeners */
	struct handle client;
	uint32_t key[3]; /* of client: without the padding of a handle */
	bool is_legacy;
	size_t connection_len;
	char connection[];
};

struct audience {
	struct map_entry by_name; /* component_shard->singletons */
	struct map listeners;
	unsigned count;
	unsigned legacy_count;
	unsigned shards;
	live_component *component;
	const live_value *delta; /* ours; waits for the end of the tick */
	struct tick_task task;   /* sends it */
	unsigned on_shard[];     /* clients there */
};

unsigned singleton_clients(const live_component *self)
{
	return self->audience->count;
}

/* ---- to the clients ---- */

static void publish(live_component *self, struct str text, struct str legacy)
{
	struct audience *audience = self->audience;
	struct frame *frame = frame_new(text);
	struct frame *wide = legacy.ptr ? frame_new(legacy) : NULL;

	for (unsigned i = 0; i < audience->shards; i++) {
		if (!audience->on_shard[i])
			continue;
		struct singleton_notice *notice = singleton_notice_new(NEWS_PUSH, self->definition, self->sender.id);
		notice->frame = frame_ref(frame);
		notice->legacy = wide ? frame_ref(wide) : NULL;
		shard_post(self->home->shard, i, &notice->mail);
	}
	frame_unref(frame);
	frame_unref(wide);
}

static void publish_delta(live_component *self)
{
	struct buf *out = &self->home->out.scratch;
	struct str wide_text = {NULL, 0};

	if (!pending_delta_is_set(&self->pending))
		return;
	const live_value *delta = pending_delta_take(&self->pending, &self->home->out.diff);
	if (!delta)
		return;
	if (self->audience->legacy_count) {
		const live_value *wide = diff_widen(delta, self->state);
		encode_state_delta(out, &self->sender, wide);
		live_value_unref(wide);
		wide_text = scratch_take(self->home);
	}
	encode_state_delta(out, &self->sender, delta);
	live_value_unref(delta);
	publish(self, scratch_take(self->home), wide_text);
}

static void close_tick(struct tick_task *task, struct shard *here)
{
	struct audience *audience = LIST_OF(task, struct audience, task);

	(void)here;
	if (!audience->component->is_dead)
		publish_delta(audience->component);
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

void singleton_push(live_component *self, struct str json)
{
	publish_delta(self);
	publish(self, json, (struct str){NULL, 0});
}

void singleton_push_room(live_component *self, const struct frame *wire)
{
	encode_room_frame(&self->home->out.scratch, self->sender.id, wire);
	singleton_push(self, scratch_take(self->home));
}

static void push_one(live_component *self, struct handle client, struct str text)
{
	struct singleton_notice *notice = singleton_notice_new(NEWS_PUSH_ONE, self->definition, self->sender.id);

	notice->client = client;
	notice->frame = frame_new(text);
	shard_post(self->home->shard, client.shard, &notice->mail);
}

/* ---- the audience ---- */

static struct str key_of(struct handle client, uint32_t key[3])
{
	key[0] = client.index;
	key[1] = client.generation;
	key[2] = client.shard;
	return (struct str){(const char *)key, 3 * sizeof *key};
}

static struct listener *find_listener(struct audience *audience, struct handle client)
{
	uint32_t key[3];
	struct map_entry *entry = map_find(&audience->listeners, key_of(client, key));

	return entry ? MAP_OF(entry, struct listener, by_client) : NULL;
}

static void add_listener(live_component *self, const struct singleton_request *request)
{
	struct audience *audience = self->audience;
	struct listener *listener = mem_alloc(sizeof *listener + request->connection.len + 1);

	listener->client = request->client;
	listener->is_legacy = request->is_legacy;
	listener->connection_len = request->connection.len;
	memcpy(listener->connection, request->connection.ptr, request->connection.len);
	int rc = map_add(&audience->listeners, &listener->by_client, key_of(listener->client, listener->key));
	assert_always(rc == 0); /* whoever calls has looked */
	audience->count++;
	audience->legacy_count += request->is_legacy;
	audience->on_shard[request->client.shard]++;

	struct singleton_notice *notice = singleton_notice_new(NEWS_ATTACHED, self->definition, self->sender.id);
	notice->client = request->client;
	shard_post(self->home->shard, request->client.shard, &notice->mail);
}

static void drop_listener(struct audience *audience, struct listener *listener)
{
	audience->count--;
	audience->legacy_count -= listener->is_legacy;
	audience->on_shard[listener->client.shard]--;
	map_remove(&audience->listeners, &listener->by_client);
	free(listener);
}

static struct audience *audience_new(live_component *self)
{
	unsigned shards = shard_group_count(shard_group_of(self->home->shard));
	struct audience *audience = mem_alloc(sizeof *audience + shards * sizeof audience->on_shard[0]);

	audience->component = self;
	audience->shards = shards;
	audience->task.run = close_tick;
	map_init(&audience->listeners);
	return audience;
}

void singleton_end(live_component *self)
{
	struct audience *audience = self->audience;

	publish_delta(self);
	for (unsigned i = 0; i < audience->shards; i++) {
		if (audience->on_shard[i])
			shard_post(self->home->shard, i,
				   &singleton_notice_new(NEWS_ENDED, self->definition, self->sender.id)->mail);
	}
	for (struct map_entry *entry = map_first(&audience->listeners), *next; entry; entry = next) {
		next = map_next(&audience->listeners, entry);
		drop_listener(audience, MAP_OF(entry, struct listener, by_client));
	}
	map_deinit(&audience->listeners);
	map_remove(&self->home->singletons, &audience->by_name);
}

void singleton_audience_free(struct audience *audience)
{
	free(audience);
}

/* ---- serving ---- */

static live_component *find(struct component_shard *here, const struct definition *definition)
{
	struct map_entry *entry = map_find(&here->singletons, definition->name);
	return entry ? MAP_OF(entry, struct audience, by_name)->component : NULL;
}

static void tell_join(live_component *self, const struct singleton_request *request)
{
	if (self->definition->api->on_client_join)
		self->definition->api->on_client_join(self, request->connection.ptr, self->audience->count);
}

/* The first mount makes it. */
static void create(struct component_shard *here, const struct singleton_request *request)
{
	struct instance_options options = {
		.definition = request->definition,
		.state = mount_initial_state(request->definition, request->seed ? request->seed : request->value),
		.room = request->word,
		.auth = request->auth,
	};
	struct mount_request mount = {
		.component_id = request->component_id,
		.request_id = request->request_id,
		.rehydrates = request->rehydrates,
	};
	live_component *self = instance_new(here, &options);

	self->audience = audience_new(self);
	int rc = map_add(&here->singletons, &self->audience->by_name, request->definition->name);
	assert_always(rc == 0); /* find() said so */
	add_listener(self, request);
	tell_join(self, request);
	mount_begin(self, &mount, request->client, NULL);
}

/* on_client_join ended it. */
static void refuse_ended(struct component_shard *here, const struct singleton_request *request)
{
	struct reply reply = {
		.type = request->rehydrates ? "COMPONENT_REHYDRATED" : "MESSAGE_RESPONSE",
		.component_id = request->component_id,
		.request_id = request->request_id,
		.error = STR("The component ended while it was mounted"),
	};
	encode_reply(&here->out.scratch, &reply);
	client_answer(here, request->client, scratch_take(here), true);
}

/* Further mounts get the state as it is (behaviour.md 2.1, step 3). */
static void attach(live_component *self, const struct singleton_request *request)
{
	struct component_shard *here = self->home;
	struct buf *out = &here->out.scratch;

	publish_delta(self);
	if (!find_listener(self->audience, request->client))
		add_listener(self, request);
	struct str signed_state = instance_sign(self);
	encode_state_update(out, &self->sender, self->state, signed_state);
	push_one(self, request->client, scratch_take(here));
	tell_join(self, request);
	if (self->is_dead) {
		refuse_ended(here, request);
		return;
	}
	if (request->rehydrates)
		buf_printf(out, "{\"newComponentId\":\"%.*s\"}", STR_ARG(self->sender.id));
	else
		encode_mount_result(out, self->sender.id, self->state, signed_state);
	struct reply reply = {
		.type = request->rehydrates ? "COMPONENT_REHYDRATED" : "MESSAGE_RESPONSE",
		.component_id = request->component_id,
		.request_id = request->request_id,
		.success = true,
		.result_json = scratch_take(here),
	};
	encode_reply(out, &reply);
	client_answer(here, request->client, scratch_take(here), true);
}

static void detach(live_component *self, const struct singleton_request *request)
{
	struct listener *listener = find_listener(self->audience, request->client);

	if (!listener)
		return;
	/* Its name is with us: who vanished while it was mounted can no longer tell it. */
	struct str connection = arena_copy(shard_arena(self->home->shard),
					   (struct str){listener->connection, listener->connection_len + 1});
	drop_listener(self->audience, listener);
	action_rate_forget(self, request->client);
	if (self->definition->api->on_client_leave)
		self->definition->api->on_client_leave(self, connection.ptr, self->audience->count);
	if (self->is_dead || self->audience->count)
		return;
	if (self->definition->api->on_disconnect)
		self->definition->api->on_disconnect(self);
	instance_destroy(self);
}

/* The client still believed in a singleton that has ended. */
static void refuse_lost(struct component_shard *here, const struct singleton_request *request)
{
	struct buf *out = &here->out.scratch;

	buf_printf(out, "COMPONENT_REHYDRATION_REQUIRED:%.*s", STR_ARG(request->component_id));
	struct reply reply = {
		.type = request->ask == ASK_ACTION ? "ACTION_RESPONSE" : "MESSAGE_RESPONSE",
		.component_id = request->component_id,
		.request_id = request->request_id,
		.error = scratch_take(here),
	};
	encode_reply(out, &reply);
	client_answer(here, request->client, scratch_take(here), true);
}

static void run_action(live_component *self, const struct singleton_request *request)
{
	struct call call = {
		.kind = CALL_ACTION,
		.holds = true,
		.auth = request->auth,
		.expect_response = request->expect_response,
		.client = request->client,
		.component_id = request->component_id,
		.action = request->word,
		.request_id = request->request_id,
	};
	action_run(self, &call, request->value);
}

static void set_state(live_component *self, const struct singleton_request *request)
{
	struct component_shard *here = self->home;
	const char *error = request->ask == ASK_STATE ? action_set_state(self, request->value)
						      : action_set_property(self, request->word, request->value);
	struct reply reply = {
		.type = "MESSAGE_RESPONSE",
		.component_id = request->component_id,
		.request_id = request->request_id,
		.success = !error,
		.error = str_of(error),
	};

	publish_delta(self);
	encode_reply(&here->out.scratch, &reply);
	client_answer(here, request->client, scratch_take(here), true);
}

void singleton_serve(struct component_shard *here, struct singleton_request *request)
{
	live_component *self = find(here, request->definition);

	if (request->ask == ASK_MOUNT) {
		if (self)
			attach(self, request);
		else
			create(here, request);
		return;
	}
	if (request->ask == ASK_DETACH) {
		if (self)
			detach(self, request);
		return;
	}
	/* One that came after the one that the client means is not its. */
	if (!self || !str_equal(self->mounted.id, request->component_id))
		refuse_lost(here, request);
	else if (request->ask == ASK_ACTION)
		run_action(self, request);
	else
		set_state(self, request);
}
