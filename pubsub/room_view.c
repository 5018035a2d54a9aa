#include "pubsub/room_view.h"

#include <errno.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/room_handlers.h"
#include "pubsub/room_key.h"
#include "pubsub/room_mail.h"
#include "pubsub/rooms_private.h"

/* ---- coming and going ---- */

struct room_view *room_view_find(struct rooms *rooms, struct str key, uint32_t hash)
{
	struct map_entry *entry = map_find_hashed(&rooms->views, key, hash);

	return entry ? MAP_OF(entry, struct room_view, by_key) : NULL;
}

bool room_view_listens(struct rooms *rooms, struct str key)
{
	const struct room_view *view = room_view_find(rooms, key, map_hash(key));

	return view && view->listeners > 0;
}

void room_view_free(struct room_view *view)
{
	room_handlers_free(view);
	live_value_unref(view->state);
	free(view);
}

static void bury(struct grave *grave)
{
	room_view_free(LIST_OF(grave, struct room_view, grave));
}

struct room_view *room_view_open(struct rooms *rooms, struct str key, uint32_t hash)
{
	struct room_view *view = room_view_find(rooms, key, hash);

	if (view)
		return view;
	view = mem_alloc(sizeof *view + key.len);
	memcpy(view->bytes, key.ptr, key.len);
	view->key = (struct str){view->bytes, key.len};
	view->rooms = rooms;
	list_init(&view->members);
	list_init(&view->joining);
	list_init(&view->handlers);
	view->state = live_object(NULL, NULL);
	view->grave.free = bury;
	int rc = map_add(&rooms->views, &view->by_key, view->key);
	assert_always(rc == 0);
	return view;
}

void room_view_settle(struct room_view *view)
{
	/* During a delivery the room's owner still walks over the view; it settles afterwards. */
	if (view->delivering || !list_is_empty(&view->members) || !list_is_empty(&view->joining) ||
	    !list_is_empty(&view->handlers))
		return;
	map_remove(&view->rooms->views, &view->by_key);
	shard_bury(view->rooms->shard, &view->grave);
}

/* ---- members ---- */

int rooms_join(struct rooms *rooms, struct room_member *member, struct str room_id, const live_value *initial_state)
{
	shard_assert_here(rooms->shard);
	if (!room_name_is_valid(room_id))
		return -EINVAL;
	if (member->state != ROOM_MEMBER_OUT)
		return -EALREADY;
	struct room_request *request = room_request_new(rooms, ROOM_MAIL_JOIN, ROOM_TYPE, room_id, member->id);
	struct room_view *view = room_view_open(rooms, request->base.key, request->base.hash);

	/* A new serial each time: what is still under way for an earlier membership finds nobody. */
	member->serial = ++rooms->last_serial;
	member->state = ROOM_MEMBER_JOINING;
	member->view = view;
	list_append(&view->joining, &member->link);

	request->serial = member->serial;
	request->value = live_value_ref(initial_state);
	request->is_server_only = member->is_server_only;
	room_request_send(rooms, request);
	return 0;
}

static void take_out(struct room_member *member)
{
	list_remove(&member->link);
	member->state = ROOM_MEMBER_OUT;
	member->view = NULL;
}

void rooms_leave(struct rooms *rooms, struct room_member *member)
{
	struct room_view *view = member->view;

	shard_assert_here(rooms->shard);
	if (member->state == ROOM_MEMBER_OUT)
		return;
	struct room_request *request =
		room_request_new(rooms, ROOM_MAIL_LEAVE, ROOM_TYPE, room_view_id(view), (struct str){0});

	request->serial = member->serial;
	take_out(member);
	room_request_send(rooms, request);
	room_view_settle(view);
}

/* Answers come in the order of the joins, but for a home that refuses some at once: so it is the first, or near it. */
static struct room_member *find_joining(struct room_view *view, uint64_t serial)
{
	list_for_each (link, &view->joining) {
		struct room_member *member = LIST_OF(link, struct room_member, link);

		if (member->serial == serial)
			return member;
		if (member->serial > serial)
			break;
	}
	return NULL;
}

static void adopt_state(struct room_view *view, const live_value *state, uint64_t version)
{
	const live_value *old = view->state;

	view->state = live_value_ref(state);
	view->version = version;
	live_value_unref(old);
}

void room_view_welcome(struct rooms *rooms, struct room_request *answer)
{
	struct room_view *view = room_view_find(rooms, answer->base.key, answer->base.hash);
	struct room_member *member = view ? find_joining(view, answer->serial) : NULL;

	if (!member)
		return; /* left meanwhile; its leave is on its way or was there before */
	if (answer->error) {
		take_out(member);
		room_view_settle(view);
	} else {
		adopt_state(view, answer->value, answer->version);
		view->member_count = answer->member_count;
		list_remove(&member->link);
		list_append(&view->members, &member->link);
		member->state = ROOM_MEMBER_IN;
	}
	rooms->options.hooks->joined(rooms, member, answer->error);
}

/* ---- events ---- */

/* Whether a member here gets the event. The home makes no frame for one who is alone in a room and excluded. */
static bool has_audience(const struct room_view *view, const struct room_event *event)
{
	const struct list *first = view->members.next;

	if (first == &view->members)
		return false;
	return first->next != &view->members ||
	       LIST_OF(first, struct room_member, link)->serial != rooms_excluded_serial(view->rooms, event);
}

void room_view_receive(struct rooms *rooms, struct room_dispatch *dispatch)
{
	struct room_event *event = &dispatch->event;
	struct room_view *view = room_view_find(rooms, dispatch->base.key, dispatch->base.hash);

	if (!view)
		return; /* all left while it was under way */
	bool is_room = room_key_is_room(view->key);

	if (is_room && !room_view_has_members(view) && !view->listeners)
		return; /* it is older than the joins that are under way: their snapshot holds it */
	debug_assert(!view->delivering);
	counter_add(&rooms->counters.deliveries, 1);
	if (event->kind == ROOM_EVENT_STATE)
		adopt_state(view, event->state, event->version);
	view->member_count = event->member_count;

	view->delivering = true;
	room_handlers_call(view, event);
	if (is_room && has_audience(view, event))
		rooms->options.hooks->deliver(rooms, view, event);
	view->delivering = false;
	if (view->has_ended_handlers)
		room_handlers_sweep(view);
	room_view_settle(view);
}

/* ---- reading ---- */

struct room_view *rooms_find_view(struct rooms *rooms, struct str type, struct str room_id)
{
	char *bytes = arena_alloc(shard_arena(rooms->shard), room_key_size(type, room_id));
	struct str key = room_key_write(bytes, type, room_id);
	struct room_view *view = room_view_find(rooms, key, map_hash(key));

	return view && room_view_has_members(view) ? view : NULL;
}

struct str room_view_id(const struct room_view *view)
{
	return room_key_id(view->key);
}

const live_value *room_view_state(const struct room_view *view)
{
	return view->state;
}

uint64_t room_view_version(const struct room_view *view)
{
	return view->version;
}

uint32_t room_view_member_count(const struct room_view *view)
{
	return view->member_count;
}

struct room_member *room_view_next_member(struct room_view *view, struct room_member *member)
{
	struct list *next = member ? member->link.next : view->members.next;

	return next == &view->members ? NULL : LIST_OF(next, struct room_member, link);
}
