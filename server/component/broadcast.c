#include "server/component/broadcast.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/component/instance.h"

struct broadcast {
	live_component *component;
	struct room_handler *handler;
	struct grave grave;
};

/* A message on its way to those of one shard, who get it one after the other. */
struct broadcast_text {
	struct grave grave;
	struct shard *shard;
	struct shared_text shared;
};

static void forget_text(struct grave *grave)
{
	struct broadcast_text *text = LIST_OF(grave, struct broadcast_text, grave);
	struct component_shard *here = component_shard_of(text->shard);

	if (here && here->broadcast == text)
		here->broadcast = NULL;
}

/* The first one copies it to the tick's memory, the others find it there. Equal messages are as good as the same. */
static struct shared_text *share_text(struct component_shard *here, struct str message)
{
	struct broadcast_text *text = here->broadcast;
	struct arena *arena = shard_arena(here->shard);

	if (text && str_equal(text->shared.text, message))
		return &text->shared;
	text = arena_alloc(arena, sizeof *text);
	*text = (struct broadcast_text){
		.grave.free = forget_text,
		.shard = here->shard,
		.shared.text = arena_copy(arena, message),
	};
	here->broadcast = text;
	shard_bury(here->shard, &text->grave);
	return &text->shared;
}

/* The event's name is the user who shall not get it, behind a letter; its data is the message as it goes out. */
static void on_broadcast(void *context, const struct room_event *event, const live_value *data)
{
	struct broadcast *self = context;
	struct str excluded = {event->name.ptr + 1, event->name.len - 1};

	(void)data;
	if (excluded.len && str_equal(excluded, self->component->sender.user_id))
		return;
	instance_push_shared(self->component, share_text(self->component->home, event->data));
}

struct broadcast *broadcast_join(live_component *component)
{
	if (!component->sender.room.len)
		return NULL;
	struct broadcast *self = mem_alloc(sizeof *self);
	self->component = component;
	self->handler = rooms_on(component->home->rooms, STR("broadcast"), component->sender.room, STR("*"), NULL,
				 on_broadcast, self);
	return self;
}

static void free_broadcast(struct grave *grave)
{
	free(LIST_OF(grave, struct broadcast, grave));
}

void broadcast_leave(struct broadcast *self)
{
	if (!self)
		return;
	rooms_off(self->component->home->rooms, self->handler);
	self->grave.free = free_broadcast;
	shard_bury(self->component->home->shard, &self->grave);
}

int broadcast_send(live_component *component, struct str type, const live_value *data, bool exclude_user)
{
	struct component_shard *here = component->home;
	const live_value *payload =
		live_object("type", live_string_len(type.ptr, type.len), "data", live_value_ref(data), NULL);

	/* Its own room, and nobody's user: a broadcast names its sender only. */
	struct sender sender = {.id = component->sender.id, .room = component->sender.room};
	encode_emit(&here->out.scratch, &sender, STR("BROADCAST"), payload);
	live_value_unref(payload);
	struct str message = scratch_take(here);
	buf_printf(&here->out.scratch, "-%.*s", exclude_user ? (int)component->sender.user_id.len : 0,
		   component->sender.user_id.ptr);
	struct room_emit emit = {
		.type = STR("broadcast"),
		.room_id = component->sender.room,
		.event = scratch_take(here),
		.data = message,
	};
	return rooms_emit(here->rooms, &emit);
}
