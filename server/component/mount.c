#include "server/component/mount.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/value.h"
#include "server/component/adopt.h"
#include "server/component/call.h"
#include "server/component/membership.h"
#include "server/component/returns.h"
#include "server/component/singleton.h"
#include "server/component/trace.h"
#include "server/component/watch.h"

/* ---- answering ---- */

static const char *reply_type(bool rehydrates)
{
	return rehydrates ? "COMPONENT_REHYDRATED" : "MESSAGE_RESPONSE";
}

static void refuse(struct client *client, const struct mount_request *request, struct str error)
{
	struct component_shard *here = client->home;
	struct reply reply = {
		.type = reply_type(request->rehydrates),
		.component_id = request->component_id,
		.request_id = request->request_id,
		.error = error,
	};

	if (trace_wants_here(here, LIVE_LOG_LIFECYCLE))
		trace_mount_refused(here, request, error);
	if (request->asker) {
		call_tell_asker(&(struct call){.asker = request->asker}, NULL, error);
		return;
	}
	encode_reply(&here->out.scratch, &reply);
	outbox_reply(&client->outbox, scratch_take(here));
}

/* A mount on its way, on the heap: what its answer needs. */
struct mounting {
	struct call call;   /* of on_mount; component_id, request_id and client say whom to answer */
	struct grave grave; /* on_mount may run while it ends */
	bool rehydrates;
	struct str signed_state; /* version 1, as pushed; in text */
	char text[];
};

static struct str copy_to(char **at, struct str s)
{
	struct str copy = {s.ptr ? *at : NULL, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return copy;
}

static struct mounting *new_mounting(const struct mount_request *request, struct handle client, struct str signed_state)
{
	struct mounting *mounting =
		mem_alloc(sizeof *mounting + request->component_id.len + request->request_id.len + signed_state.len);
	char *at = mounting->text;

	mounting->call.kind = CALL_ON_MOUNT;
	mounting->call.began_ns = clock_now_mono_ns();
	mounting->call.client = client;
	mounting->call.asker = request->asker;
	mounting->call.action = STR("onMount");
	mounting->call.component_id = copy_to(&at, request->component_id);
	mounting->call.request_id = copy_to(&at, request->request_id);
	mounting->signed_state = copy_to(&at, signed_state);
	mounting->rehydrates = request->rehydrates;
	return mounting;
}

static void free_mounting(struct grave *grave)
{
	free(LIST_OF(grave, struct mounting, grave));
}

const live_value *mount_result(struct str id, const live_value *state, struct str signed_state)
{
	return live_object("componentId", live_string_len(id.ptr, id.len), "initialState", live_value_ref(state),
			   "signedState", live_from_json(signed_state.ptr, signed_state.len, NULL, 0), NULL);
}

static void tell_asker(live_component *self, struct mounting *mounting, struct str error)
{
	const live_value *result = NULL;

	if (!error.ptr)
		result = mount_result(self->sender.id, self->state, mounting->signed_state);
	call_tell_asker(&mounting->call, result, error);
	live_value_unref(result);
}

static void answer(live_component *self, struct mounting *mounting, struct str error)
{
	struct component_shard *here = self->home;
	struct buf *out = &here->out.scratch;
	struct str result = {NULL, 0};
	bool is_too_large = false;

	if (!error.ptr) {
		if (mounting->rehydrates)
			buf_printf(out, "{\"newComponentId\":\"%.*s\"}", STR_ARG(self->sender.id));
		else
			encode_mount_result(out, self->sender.id, self->state, mounting->signed_state);
		result = scratch_take(here);
		is_too_large = !result.len;
	}
	if (is_too_large)
		error = STR(MOUNT_TOO_LARGE);
	struct reply reply = {
		.type = reply_type(mounting->rehydrates),
		.component_id = mounting->call.component_id,
		.request_id = mounting->call.request_id,
		.success = !error.ptr,
		.result_json = result,
		.error = error,
	};
	encode_reply(out, &reply);
	struct str text = scratch_take(here);
	if (mounting->call.asker) {
		tell_asker(self, mounting, error);
		text = (struct str){NULL, 0};
	}
	if (self->audience) {
		singleton_flush(self);
		client_answer(here, mounting->call.client, text, true);
	} else if (self->mounted.client) {
		if (text.len)
			outbox_reply(&self->mounted.client->outbox, text);
		self->mounted.client->ops->release(self->mounted.client);
	}
	watch_mounted(self, clock_now_mono_ns() - mounting->call.began_ns);
	if (trace_wants(self, LIVE_LOG_LIFECYCLE | LIVE_LOG_PERFORMANCE))
		trace_mount_answered(self, clock_now_mono_ns() - mounting->call.began_ns);
	mounting->grave.free = free_mounting;
	shard_bury(here->shard, &mounting->grave);
	if (is_too_large) /* nobody will ever name it */
		instance_destroy(self);
}

static void one_less_to_wait_for(live_component *self)
{
	if (--self->mount_waits || !self->mounting)
		return;
	struct mounting *mounting = LIST_OF(self->mounting, struct mounting, call);
	self->mounting = NULL;
	answer(self, mounting, (struct str){NULL, 0});
	if (!self->is_dead)
		adopt_mounted(self);
}

void mount_join_done(live_component *self)
{
	one_less_to_wait_for(self);
}

void mount_hook_done(live_component *self, struct str error)
{
	if (error.ptr) {
		watch_failed(self);
		if (trace_wants(self, LIVE_LOG_LIFECYCLE))
			trace_hook_failed(self, STR("onMount"), error);
		char text[512];
		snprintf(text, sizeof text, "Mount initialization failed: %.*s", STR_ARG(error));
		encode_error_push(&self->home->out.scratch, &self->sender, STR("onMount"),
				  call_clean_text(self->home, text));
		instance_push(self, scratch_take(self->home));
	}
	one_less_to_wait_for(self);
}

void mount_abandon(live_component *self)
{
	if (!self->mounting)
		return;
	struct mounting *mounting = LIST_OF(self->mounting, struct mounting, call);
	self->mounting = NULL;
	answer(self, mounting, STR("The component ended while it was mounted"));
}

/* ---- the sequence (behaviour.md 2.1, 2.2) ---- */

static void push_first_state(live_component *self, const struct mount_request *request, struct str signed_state)
{
	struct buf *out = &self->home->out.scratch;

	if (request->signed_state)
		encode_state_rehydrated(out, &self->sender, self->state, signed_state, request->component_id);
	else
		encode_state_update(out, &self->sender, self->state, signed_state);
	if (self->audience)
		singleton_push_here(self, scratch_take(self->home));
	else
		instance_push(self, scratch_take(self->home));
}

static void join_default_room(live_component *self)
{
	struct membership *membership;

	if (!self->sender.room.len)
		return;
	if (membership_join(self->home, &self->mounted, self->sender.room, NULL, &membership) < 0)
		return;
	membership->mount_waits = true;
	self->mount_waits++;
}

/* Rooms that on_mount joined have to answer first: the reply shows the state that they led to. */
static void wait_for_joins(live_component *self)
{
	list_for_each (link, &self->mounted.memberships) {
		struct membership *membership = LIST_OF(link, struct membership, link);
		if (membership->member.state != ROOM_MEMBER_JOINING || membership->mount_waits)
			continue;
		membership->mount_waits = true;
		self->mount_waits++;
	}
}

static void run_on_connect(live_component *self)
{
	struct shard_job before = instance_enter(self, "onConnect");

	self->definition->api->on_connect(self);
	instance_leave(self, before);
}

static void run_on_rehydrate(live_component *self, const live_value *previous)
{
	struct shard_job before = instance_enter(self, "onRehydrate");

	self->definition->api->on_rehydrate(self, previous);
	instance_leave(self, before);
}

static void run_on_mount(live_component *self, const struct call *call)
{
	struct live_reply reply = {.call = call, .component = self};
	struct shard_job before = instance_enter(self, "onMount");
	int rc = self->definition->api->on_mount ? self->definition->api->on_mount(self, &reply) : 0;

	instance_leave(self, before);
	if (!self->is_dead)
		wait_for_joins(self);
	call_end(&reply, rc);
}

void mount_begin(live_component *self, const struct mount_request *request, struct handle client,
		 const live_value *previous)
{
	const live_definition *api = self->definition->api;
	struct str signed_state = instance_sign(self);
	struct mounting *mounting = new_mounting(request, client, signed_state);

	mounting->call.auth = live_auth_of(self);
	mounting->call.connection = self->mounted.client ? self->mounted.client->id : request->connection;
	self->mounting = &mounting->call;
	self->mount_waits = 1; /* for on_mount */
	if (self->is_dead) {   /* on_client_join ended it */
		mount_abandon(self);
		return;
	}
	join_default_room(self);
	push_first_state(self, request, signed_state);
	if (trace_wants(self, LIVE_LOG_LIFECYCLE))
		trace_mounted(self, request, previous);
	if (api->on_connect)
		run_on_connect(self);
	if (previous && api->on_rehydrate && !self->is_dead)
		run_on_rehydrate(self, previous);
	if (!self->is_dead)
		run_on_mount(self, &mounting->call);
}

void mount_again(live_component *self, const live_value *previous)
{
	const struct call call = {
		.kind = CALL_ON_MOUNT,
		.action = STR("onMount"),
		.auth = live_auth_of(self),
		.connection = self->mounted.client ? self->mounted.client->id : NULL,
	};

	self->mount_waits = 1; /* for on_mount; nobody waits for an answer */
	if (self->definition->api->on_rehydrate)
		run_on_rehydrate(self, previous);
	if (!self->is_dead)
		run_on_mount(self, &call);
}

/* ---- who is mounted ---- */

static size_t put_members(struct value_pair *pairs, const live_value *object)
{
	size_t count = 0;

	for (live_iter it = {0}; live_next(object, &it);)
		pairs[count++] = (struct value_pair){live_value_ref(it.value), {it.key, it.key_len}};
	return count;
}

/* As given, not merged: what was signed with a null deep in it comes back with it. */
const live_value *mount_initial_state(const struct definition *definition, const live_value *given)
{
	const live_value *defaults = definition->default_state;

	if (live_value_type(given) != LIVE_OBJECT || !live_len(given))
		return live_value_ref(defaults);
	struct value_pair *pairs = mem_alloc_raw((live_len(defaults) + live_len(given)) * sizeof *pairs);
	size_t count = put_members(pairs, defaults);
	count += put_members(pairs + count, given);
	const live_value *state = value_object(pairs, count);
	free(pairs);
	return state;
}

static void mount_private(struct client *client, const struct definition *definition,
			  const struct mount_request *request, const struct signed_state *signed_state)
{
	struct instance_options options = {
		.definition = definition,
		.client = client,
		.state = mount_initial_state(definition, signed_state ? signed_state->state : request->props),
		.room = request->room,
		.auth = client->auth,
		.version = signed_state ? signed_state->version : 0,
	};
	live_component *self = instance_new(client->home, &options);

	client->ops->hold(client);
	mount_begin(self, request, client->handle, signed_state ? signed_state->state : NULL);
}

/* What stands in the way of a mount, in the protocol's words; ptr NULL: nothing. */
static struct str check(struct client *client, const struct definition *definition, const struct mount_request *request)
{
	struct component_shard *here = client->home;

	if (!definition) {
		buf_printf(&here->out.scratch, "Component '%.*s' not found", STR_ARG(request->name));
		return scratch_take(here);
	}
	if (client->mounted_count >= here->settings->components_per_client)
		return STR("Component limit exceeded");
	if (request->room.len && !room_name_is_valid(request->room))
		return STR("Invalid room name. Must be 1-64 alphanumeric characters, hyphens, underscores, dots, or "
			   "colons.");
	return (struct str){NULL, 0};
}

/* signed_state: what the client came back with; NULL for a mount. */
static void run(struct client *client, const struct mount_request *request, const struct signed_state *signed_state)
{
	const struct definition *definition = registry_find(client->home->registry, request->name);
	struct str error = check(client, definition, request);

	if (!error.ptr && signed_state && !str_equal(signed_state->component_name, definition->name))
		error = STR("Component class mismatch - state tampering detected");
	if (error.ptr)
		refuse(client, request, error);
	else if (definition->api->singleton)
		singleton_mount(client, definition, request, signed_state ? signed_state->state : NULL);
	else
		mount_private(client, definition, request, signed_state);
}

void mount_run(struct client *client, const struct mount_request *request)
{
	struct component_shard *here = client->home;
	struct signed_state opened = {0};

	if (!request->rehydrates) {
		run(client, request, NULL);
		return;
	}
	const char *error =
		signer_open(here->signer, request->signed_state, shard_clock(here->shard)->wall_ms, &opened);
	if (error) {
		refuse(client, request, str_of(error));
	} else {
		const live_value *id = live_get(request->signed_state, "componentId");
		returns_note(client, (struct str){live_as_string(id), live_len(id)});
		run(client, request, &opened);
	}
	live_value_unref(opened.state);
	live_value_unref(opened.source);
}

void mount_unmount(struct mounted *mounted)
{
	if (mounted->instance)
		instance_destroy(mounted->instance);
	else
		singleton_detach(mounted);
}

void mount_disconnect(struct client *client)
{
	while (!list_is_empty(&client->mounted)) {
		struct mounted *mounted = LIST_OF(client->mounted.next, struct mounted, link);
		live_component *self = mounted->instance;
		if (!self) {
			singleton_detach(mounted);
			continue;
		}
		if (trace_wants(self, LIVE_LOG_WEBSOCKET))
			trace_connection(self, "its client's connection is gone");
		if (self->definition->api->on_disconnect) {
			struct shard_job before = instance_enter(self, "onDisconnect");
			self->definition->api->on_disconnect(self);
			instance_leave(self, before);
		}
		instance_destroy(self);
	}
}
