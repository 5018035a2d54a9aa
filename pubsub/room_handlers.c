#include "pubsub/room_handlers.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "pubsub/room.h"
#include "pubsub/room_key.h"
#include "pubsub/room_mail.h"
#include "pubsub/rooms_private.h"

struct room_handler {
	struct list link; /* view->handlers */
	struct room_view *view;
	room_handler_fn *fn; /* NULL: ended during a delivery */
	void *context;
	const struct room_member *member; /* or NULL */
	struct str name;
	char bytes[];
};

/* A handler without a member at the home of a room: the room gives its own shard a seat, as if it had a member. */
static bool is_listener(const struct room_handler *handler)
{
	const struct rooms *rooms = handler->view->rooms;

	return !handler->member && str_equal(room_key_type(handler->view->key), ROOM_TYPE) &&
	       room_key_home(handler->view->key, rooms->shard_count) == rooms->index;
}

/* Tells the home that this shard listens to a channel of the event bus, or no longer. Rooms know by their members. */
static void tell_home(struct room_view *view, enum room_mail_kind kind)
{
	struct str type = room_key_type(view->key);

	if (!str_equal(type, ROOM_TYPE))
		room_request_send(view->rooms,
				  room_request_new(view->rooms, kind, type, room_key_id(view->key), (struct str){0}));
}

struct room_handler *rooms_on(struct rooms *rooms, struct str type, struct str room_id, struct str name,
			      const struct room_member *member, room_handler_fn *fn, void *context)
{
	shard_assert_here(rooms->shard);
	struct room_handler *handler = mem_alloc(sizeof *handler + name.len);
	char *bytes = arena_alloc(shard_arena(rooms->shard), room_key_size(type, room_id));
	struct str key = room_key_write(bytes, type, room_id);
	struct room_view *view = room_view_open(rooms, key, map_hash(key));

	if (name.len)
		memcpy(handler->bytes, name.ptr, name.len);
	handler->name = (struct str){handler->bytes, name.len};
	handler->view = view;
	handler->fn = fn;
	handler->context = context;
	handler->member = member;
	list_append(&view->handlers, &handler->link);
	if (view->live_handlers++ == 0)
		tell_home(view, ROOM_MAIL_WATCH);
	if (is_listener(handler) && view->listeners++ == 0)
		room_set_listening(rooms, view->key, true);
	return handler;
}

static void remove_handler(struct room_handler *handler)
{
	list_remove(&handler->link);
	free(handler);
}

void rooms_off(struct rooms *rooms, struct room_handler *handler)
{
	shard_assert_here(rooms->shard);
	if (!handler || !handler->fn)
		return;
	struct room_view *view = handler->view;

	handler->fn = NULL;
	if (--view->live_handlers == 0)
		tell_home(view, ROOM_MAIL_UNWATCH);
	if (is_listener(handler) && --view->listeners == 0)
		room_set_listening(rooms, view->key, false);
	if (view->delivering) {
		view->has_ended_handlers = true; /* swept afterwards */
		return;
	}
	remove_handler(handler);
	room_view_settle(view);
}

static bool is_for(const struct room_handler *handler, const struct room_event *event)
{
	const struct room_member *member = handler->member;

	if (!handler->fn || (!str_equal(handler->name, event->name) && !str_equal(handler->name, STR("*"))))
		return false;
	if (!member || member->serial == 0)
		return true;
	/* A member whose join is under way gets a snapshot that holds what this event did. */
	if (member->view == handler->view && member->state == ROOM_MEMBER_JOINING)
		return false;
	return event->exclude.serial != member->serial || event->exclude.shard != handler->view->rooms->index;
}

static const live_value *parse_data(const struct room_event *event)
{
	if (event->kind == ROOM_EVENT_STATE)
		return live_object("state", live_value_ref(event->changes), NULL);
	const live_value *data = live_from_json(event->data.ptr, event->data.len, NULL, 0);

	/* What clients send was checked; so this is an emit of our own with text that is no JSON. */
	if (!data)
		log_debug("rooms", "event data is not JSON");
	return data;
}

void room_handlers_call(struct room_view *view, const struct room_event *event)
{
	struct list *last = view->handlers.prev; /* handlers that come meanwhile begin with the next event */
	const live_value *data = NULL;
	bool parsed = false;

	if (last == &view->handlers)
		return;
	for (struct list *link = view->handlers.next;; link = link->next) {
		struct room_handler *handler = LIST_OF(link, struct room_handler, link);

		if (is_for(handler, event)) {
			if (!parsed)
				data = parse_data(event);
			parsed = true;
			handler->fn(handler->context, event, data);
		}
		if (link == last)
			break;
	}
	live_value_unref(data);
}

void room_handlers_sweep(struct room_view *view)
{
	list_for_each_safe (link, &view->handlers) {
		struct room_handler *handler = LIST_OF(link, struct room_handler, link);

		if (!handler->fn)
			remove_handler(handler);
	}
	view->has_ended_handlers = false;
}

void room_handlers_free(struct room_view *view)
{
	list_for_each_safe (link, &view->handlers)
		remove_handler(LIST_OF(link, struct room_handler, link));
}
