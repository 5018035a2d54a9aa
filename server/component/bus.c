#include "server/component/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/component/instance.h"
#include "server/component/trace.h"

struct bus_watch {
	struct list link; /* instance_extra->bus_watches */
	live_component *component;
	struct room_handler *handler;
	live_event_fn *fn;
	struct grave grave;
	char event[]; /* the name that it was registered for */
};

static struct str bus_type(const live_component *self)
{
	return self->definition->api->room_type ? str_of(self->definition->api->room_type) : STR("default");
}

static void on_event(void *context, const struct room_event *event, const live_value *data)
{
	struct bus_watch *watch = context;
	struct arena *arena = shard_arena(watch->component->home->shard);
	char *name = arena_alloc(arena, event->name.len + 1);

	memcpy(name, event->name.ptr, event->name.len);
	name[event->name.len] = 0;
	if (trace_wants(watch->component, LIVE_LOG_ROOMS))
		trace_received(watch->component, watch->component->sender.room, event->name, data);
	struct shard_job before = instance_enter(watch->component, "a handler of room events");
	watch->fn(watch->component, name, data);
	instance_leave(watch->component, before);
}

int live_on_room_event(live_component *self, const char *event, live_event_fn *fn)
{
	if (!self->sender.room.len || self->is_dead)
		return -EINVAL;
	struct instance_extra *extra = instance_extra(self);
	struct bus_watch *watch = mem_alloc(sizeof *watch + strlen(event) + 1);
	memcpy(watch->event, event, strlen(event));
	watch->component = self;
	watch->fn = fn;
	list_append(&extra->bus_watches, &watch->link);
	rooms_origin(self->home->rooms, &extra->bus_name);
	watch->handler = rooms_on(self->home->rooms, bus_type(self), self->sender.room, str_of(watch->event),
				  &extra->bus_name, on_event, watch);
	return 0;
}

static int emit(live_component *self, const char *event, const live_value *data, bool notify_self)
{
	struct component_shard *here = self->home;

	if (!self->sender.room.len)
		return -EINVAL;
	json_write(&here->out.scratch, data);
	struct room_emit what = {
		.type = bus_type(self),
		.room_id = self->sender.room,
		.event = str_of(event),
		.data = scratch_take(here),
	};
	if (!notify_self)
		what.exclude = rooms_origin(here->rooms, &instance_extra(self)->bus_name);
	if (trace_wants(self, LIVE_LOG_ROOMS))
		trace_emitted_on_bus(self, what.event, what.data);
	return rooms_emit(here->rooms, &what);
}

int live_emit_room_event(live_component *self, const char *event, const live_value *data, bool notify_self)
{
	int rc = emit(self, event, data, notify_self);

	live_value_unref(data);
	return rc;
}

int live_emit_room_event_with_state(live_component *self, const char *event, const live_value *data,
				    const live_value *updates)
{
	live_set_state(self, updates);
	return live_emit_room_event(self, event, data, false);
}

static void free_watch(struct grave *grave)
{
	free(LIST_OF(grave, struct bus_watch, grave));
}

void bus_watches_end(live_component *self)
{
	list_for_each_safe (link, &self->extra->bus_watches) {
		struct bus_watch *watch = LIST_OF(link, struct bus_watch, link);
		rooms_off(self->home->rooms, watch->handler);
		list_remove(&watch->link);
		watch->grave.free = free_watch;
		shard_bury(self->home->shard, &watch->grave);
	}
}
