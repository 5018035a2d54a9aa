#include "server/component/room_watch.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/membership.h"
#include "server/component/trace.h"

struct room_watch {
	struct list link; /* membership->watches */
	struct membership *membership;
	struct room_handler *handler;
	live_room_event_fn *fn;
	struct grave grave;
};

static void on_event(void *context, const struct room_event *event, const live_value *data)
{
	struct room_watch *watch = context;
	live_component *instance = watch->membership->mounted->instance;
	char name[ROOM_NAME_MAX * 4];
	size_t len = event->name.len < sizeof name ? event->name.len : sizeof name - 1;

	memcpy(name, event->name.ptr, len);
	name[len] = 0;
	if (trace_wants(instance, LIVE_LOG_ROOMS))
		trace_received(instance, watch->membership->room_id, event->name, data);
	struct shard_job before = instance_enter(instance, "a handler of room events");
	watch->fn(instance, watch->membership->room_id.ptr, name, data);
	instance_leave(instance, before);
}

void room_watch_add(struct membership *membership, const char *event, live_room_event_fn *fn)
{
	struct room_watch *watch = mem_alloc(sizeof *watch);

	watch->membership = membership;
	watch->fn = fn;
	list_append(&membership->watches, &watch->link);
	watch->handler = rooms_on(membership->home->rooms, STR("room"), membership->room_id, str_of(event),
				  &membership->member, on_event, watch);
}

static void free_watch(struct grave *grave)
{
	free(LIST_OF(grave, struct room_watch, grave));
}

void room_watches_end(struct membership *membership)
{
	list_for_each_safe (link, &membership->watches) {
		struct room_watch *watch = LIST_OF(link, struct room_watch, link);
		rooms_off(membership->home->rooms, watch->handler);
		list_remove(&watch->link);
		watch->grave.free = free_watch;
		shard_bury(membership->home->shard, &watch->grave);
	}
}
