/*
 * The part of the author's API that speaks of rooms: thin, over membership.h and pubsub/rooms.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/component/audience.h"
#include "server/component/broadcast.h"
#include "server/component/bus.h"
#include "server/component/call.h"
#include "server/component/membership.h"
#include "server/component/room_watch.h"
#include "server/component/trace.h"

static struct str room_of(const live_component *self, const char *room)
{
	return room ? str_of(room) : self->sender.room;
}

static struct membership *member_of(const live_component *self, const char *room)
{
	return membership_find(&self->mounted, room_of(self, room));
}

/* Why there is no membership. */
static int no_member(const live_component *self, const char *room)
{
	return room_name_is_valid(room_of(self, room)) ? -ENOTCONN : -EINVAL;
}

int live_room_join(live_component *self, const char *room, const live_value *initial_state)
{
	struct membership *membership;
	int rc = self->is_dead
			 ? -EINVAL
			 : membership_join(self->home, &self->mounted, room_of(self, room), initial_state, &membership);

	live_value_unref(initial_state);
	return rc;
}

int live_room_leave(live_component *self, const char *room)
{
	struct membership *membership = member_of(self, room);

	if (!membership)
		return no_member(self, room);
	membership_leave(membership);
	return 0;
}

const live_value *live_rooms(const live_component *self)
{
	const live_value *all = live_array(0, NULL);

	list_for_each (link, &self->mounted.memberships) {
		struct membership *membership = LIST_OF(link, struct membership, link);
		if (membership->member.state != ROOM_MEMBER_IN)
			continue;
		const live_value *more =
			live_append(all, live_string_len(membership->room_id.ptr, membership->room_id.len));
		live_value_unref(all);
		all = more;
	}
	return all;
}

bool live_room_is_member(const live_component *self, const char *room)
{
	struct membership *membership = member_of(self, room);
	return membership && membership->member.state == ROOM_MEMBER_IN;
}

const live_value *live_room_state(const live_component *self, const char *room)
{
	struct membership *membership = member_of(self, room);
	/* The empty object is immortal, so this is a loan as well. */
	return membership && membership->member.view ? room_view_state(membership->member.view)
						     : live_object(NULL, NULL);
}

unsigned live_room_members(const live_component *self, const char *room)
{
	struct membership *membership = member_of(self, room);
	return membership && membership->member.view ? room_view_member_count(membership->member.view) : 0;
}

int live_room_emit(live_component *self, const char *room, const char *event, const live_value *data)
{
	struct membership *membership = member_of(self, room);
	struct buf *out = &self->home->out.scratch;
	int rc = membership ? 0 : no_member(self, room);

	if (membership) {
		struct str name = call_clean_text(self->home, event);
		if (data)
			json_write(out, data);
		struct room_emit emit = {
			.type = STR("room"),
			.room_id = membership->room_id,
			.event = name,
			.data = scratch_take(self->home),
			.exclude = membership_origin(membership),
		};
		rc = rooms_emit(self->home->rooms, &emit);
		if (trace_wants(self, LIVE_LOG_ROOMS))
			trace_emitted(membership, emit.event, emit.data);
	}
	live_value_unref(data);
	return rc;
}

int live_room_set_state(live_component *self, const char *room, const live_value *updates)
{
	struct membership *membership = member_of(self, room);

	if (membership && trace_wants_rooms(membership))
		trace_room_state(membership);
	if (membership)
		rooms_set_state(self->home->rooms, membership->room_id, updates, membership_origin(membership), NULL,
				NULL);
	live_value_unref(updates);
	return membership ? 0 : no_member(self, room);
}

static void on_updated(void *context, const char *error, const live_value *value)
{
	if (error)
		live_deferred_error(context, error);
	else
		live_deferred_value(context, live_value_ref(value));
}

int live_room_update(live_component *self, const char *room, live_room_update_fn *update, const live_value *argument,
		     live_reply *reply)
{
	struct membership *membership = member_of(self, room);

	if (membership && trace_wants_rooms(membership))
		trace_room_state(membership);
	if (membership)
		rooms_update(self->home->rooms, membership->room_id, update, argument, (struct room_origin){0},
			     reply ? on_updated : NULL, reply ? live_reply_defer(reply) : NULL);
	live_value_unref(argument);
	return membership ? 0 : no_member(self, room);
}

int live_room_on(live_component *self, const char *room, const char *event, live_room_event_fn *fn)
{
	struct membership *membership = member_of(self, room);

	if (!membership)
		return no_member(self, room);
	room_watch_add(membership, event, fn);
	return 0;
}

int live_broadcast(live_component *self, const char *type, const live_value *data, bool exclude_user)
{
	int rc = self->sender.room.len ? 0 : -EINVAL;

	if (rc == 0 && trace_wants(self, LIVE_LOG_MESSAGES))
		trace_pushed(self, call_clean_text(self->home, type));
	if (rc == 0)
		rc = broadcast_send(self, call_clean_text(self->home, type), data, exclude_user);
	live_value_unref(data);
	return rc;
}

/* ---- the component's own room ---- */

struct room_name {          /* of a room that was subscribed to, for sender.room */
	struct grave grave; /* what was pushed in this tick may still name it */
	char text[];
};

static void free_name(struct grave *grave)
{
	free(LIST_OF(grave, struct room_name, grave));
}

/* All that goes by its own room but membership: room is it from now on; empty: it has none. */
static void own(live_component *self, struct str room)
{
	struct instance_extra *extra = instance_extra(self);
	struct room_name *name = mem_alloc(sizeof *name + room.len + 1);

	if (room.len)
		memcpy(name->text, room.ptr, room.len);
	name->grave.free = free_name;
	broadcast_leave(extra->broadcast);
	bus_watches_end(self);
	if (extra->room)
		shard_bury(self->home->shard, &extra->room->grave);
	extra->room = name;
	self->sender.room = (struct str){name->text, room.len};
	if (self->audience)
		self->audience->sender.room = self->sender.room;
	extra->broadcast = broadcast_join(self);
}

static void leave(live_component *self, struct str room)
{
	struct membership *membership = membership_find(&self->mounted, room);

	if (membership)
		membership_leave(membership);
}

int live_subscribe_to_room(live_component *self, const char *room)
{
	struct str before = self->sender.room;
	struct membership *membership;
	int rc = self->is_dead ? -EINVAL : membership_join(self->home, &self->mounted, str_of(room), NULL, &membership);

	if (rc < 0 || str_equal(before, str_of(room)))
		return rc;
	own(self, str_of(room));
	leave(self, before);
	return 0;
}

int live_unsubscribe_from_room(live_component *self)
{
	struct str before = self->sender.room;

	if (self->is_dead || !before.len)
		return -EINVAL;
	own(self, (struct str){NULL, 0});
	leave(self, before);
	return 0;
}
