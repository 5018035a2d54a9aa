#include "server/component/instance.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/action_rate.h"
#include "server/component/broadcast.h"
#include "server/component/bus.h"
#include "server/component/membership.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/component/timers.h"
#include "server/component/trace.h"

static void free_extra(struct instance_extra *extra)
{
	live_auth_unref(extra->auth);
	free(extra->room);
	free(extra->notes);
	free(extra->moved_memory);
	free(extra);
}

static void free_instance(struct grave *grave)
{
	live_component *self = LIST_OF(grave, live_component, grave);

	live_value_unref(self->state);
	if (self->extra)
		free_extra(self->extra);
	free(self);
}

/* Copies s to *at, NUL-terminated, and steps behind it. */
static struct str put_text(char **at, struct str s)
{
	struct str copy = {*at, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	(*at)[s.len] = 0;
	*at += s.len + 1;
	return copy;
}

static size_t private_size(const struct definition *definition)
{
	return (definition->api->private_size + 15) & ~(size_t)15;
}

static void name_instance(live_component *self, const struct instance_options *options, struct str id)
{
	char *at = (char *)self + INSTANCE_HEAD + private_size(options->definition);

	self->mounted.id = self->sender.id = put_text(&at, id);
	self->sender.user_id = put_text(&at, str_of(live_auth_user_id(options->auth)));
	self->sender.room = put_text(&at, options->room);
}

live_component *instance_new(struct component_shard *here, const struct instance_options *options)
{
	char text[ID_SIZE_MAX];
	struct str id = options->id.len ? options->id : (struct str){text, id_source_make(&here->settings->ids, text)};
	struct str user_id = str_of(live_auth_user_id(options->auth));
	size_t texts = id.len + user_id.len + options->room.len + 3;
	live_component *self = mem_alloc(INSTANCE_HEAD + private_size(options->definition) + texts);

	self->home = here;
	self->definition = options->definition;
	self->state = options->state;
	self->version = options->version;
	self->active_s = (uint32_t)(shard_clock(here->shard)->mono_ms / 1000);
	name_instance(self, options, id);
	self->pending.sender = &self->sender;
	self->pending.state = &self->state;
	list_init(&self->pending.link);
	list_init(&self->timers);
	list_init(&self->mounted.memberships);
	list_init(&self->mounted.link);
	list_append(&here->instances, &self->link);
	self->mounted.instance = self;
	self->mounted.client = options->client;
	if (options->client) {
		list_append(&options->client->mounted, &self->mounted.link);
		options->client->mounted_count++;
	}
	if (options->auth)
		instance_extra(self)->auth = live_auth_ref(options->auth);
	if (options->room.len)
		instance_extra(self)->broadcast = broadcast_join(self);
	counter_add(&here->counters.components, 1);
	counter_add(&here->counters.mounts, 1);
	return self;
}

struct instance_extra *instance_extra(live_component *self)
{
	if (self->extra)
		return self->extra;
	self->extra = mem_alloc(sizeof *self->extra);
	self->extra->component = self;
	self->extra->bus_name.id = self->sender.id;
	instance_init_renewal(self);
	list_init(&self->extra->bus_watches);
	map_init(&self->extra->rates);
	return self->extra;
}

static void end_extra(live_component *self)
{
	broadcast_leave(self->extra->broadcast);
	bus_watches_end(self);
	action_rate_end(self);
	instance_cancel_renewal(self);
	backups_deinit(&self->extra->backups);
}

void instance_destroy(live_component *self)
{
	if (self->is_dead)
		return;
	self->is_dead = true;
	if (self->definition->api->on_destroy) {
		struct shard_job before = instance_enter(self, "onDestroy");
		self->definition->api->on_destroy(self);
		instance_leave(self, before);
	}
	if (trace_wants(self, LIVE_LOG_LIFECYCLE))
		trace_destroyed(self);
	mount_abandon(self);
	memberships_leave_all(&self->mounted);
	if (self->extra)
		end_extra(self);
	timers_stop_all(self);
	if (handle_is_set(self->handle))
		shard_handle_close(self->home->shard, self->handle);
	if (self->mounted.client) {
		outbox_seal(&self->mounted.client->outbox, &self->pending);
		list_remove(&self->mounted.link);
		self->mounted.client->mounted_count--;
		self->mounted.client = NULL;
	}
	if (self->audience)
		singleton_end(self);
	list_remove(&self->link);
	counter_sub(&self->home->counters.components, 1);
	self->grave.free = free_instance;
	shard_bury(self->home->shard, &self->grave);
}

void instance_push(live_component *self, struct str json)
{
	if (self->audience)
		singleton_push(self, json);
	else if (self->mounted.client)
		outbox_push(&self->mounted.client->outbox, arena_copy(shard_arena(self->home->shard), json));
}

void instance_push_shared(live_component *self, struct shared_text *shared)
{
	if (self->audience)
		singleton_push(self, shared->text);
	else if (self->mounted.client)
		outbox_push_shared(&self->mounted.client->outbox, shared);
}

struct handle instance_handle(live_component *self)
{
	/* Of a dead one nobody may find more than nothing: it is freed at the end of the tick. */
	if (!handle_is_set(self->handle) && !self->is_dead)
		self->handle = shard_handle_open(self->home->shard, self);
	return self->handle;
}
