#include "server/component/membership.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/component/mount.h"
#include "server/component/room_watch.h"
#include "server/component/singleton.h"

static const char invalid_name[] =
	"Invalid room name. Must be 1-64 alphanumeric characters, hyphens, underscores, dots, or colons.";

static void free_membership(struct grave *grave)
{
	free(LIST_OF(grave, struct membership, grave));
}

struct membership *membership_find(const struct mounted *mounted, struct str room_id)
{
	list_for_each (link, &mounted->memberships) {
		struct membership *membership = LIST_OF(link, struct membership, link);
		if (str_equal(membership->room_id, room_id))
			return membership;
	}
	return NULL;
}

static struct membership *new_membership(struct component_shard *here, struct mounted *mounted, struct str room_id,
					 struct str request_id, struct str asked_as)
{
	struct membership *self = mem_alloc(sizeof *self + room_id.len + request_id.len + asked_as.len + 1);
	char *at = self->text;

	memcpy(at, room_id.ptr, room_id.len);
	self->room_id = (struct str){at, room_id.len};
	at += room_id.len + 1; /* authors get it NUL-terminated */
	if (request_id.ptr) {
		memcpy(at, request_id.ptr, request_id.len);
		self->request_id = (struct str){at, request_id.len};
		at += request_id.len;
	}
	if (asked_as.len)
		memcpy(at, asked_as.ptr, asked_as.len);
	self->asked_as = (struct str){at, asked_as.len};
	self->home = here;
	self->mounted = mounted;
	self->member.id = mounted->id;
	list_init(&self->watches);
	list_append(&mounted->memberships, &self->link);
	return self;
}

static void drop(struct membership *self)
{
	room_watches_end(self);
	if (self->by_client && self->mounted->client)
		self->mounted->client->room_joins--;
	list_remove(&self->link);
	self->mounted = NULL;
	self->grave.free = free_membership;
	shard_bury(self->home->shard, &self->grave);
}

static int join(struct membership *self, const live_value *initial_state)
{
	int rc = rooms_join(self->home->rooms, &self->member, self->room_id, initial_state);

	if (rc < 0)
		drop(self);
	return rc;
}

int membership_join(struct component_shard *here, struct mounted *mounted, struct str room_id,
		    const live_value *initial_state, struct membership **out)
{
	*out = membership_find(mounted, room_id);
	if (*out)
		return 0;
	*out = new_membership(here, mounted, room_id, (struct str){NULL, 0}, (struct str){NULL, 0});
	return join(*out, initial_state);
}

static void answer_joined(struct membership *self)
{
	struct client *client = self->mounted->client;

	encode_room_joined(&self->home->scratch, self->asked_as, self->room_id, room_view_state(self->member.view),
			   self->request_id);
	outbox_reply(&client->outbox, scratch_take(self->home));
}

static void answer_error(struct client *client, struct str component_id, struct str error, struct str request_id)
{
	struct component_shard *here = client->home;

	encode_error(&here->scratch, component_id, error, request_id);
	outbox_reply(&client->outbox, scratch_take(here));
}

void membership_join_for_client(struct mounted *mounted, struct str component_id, struct str room_id,
				const live_value *initial_state, struct str request_id)
{
	struct client *client = mounted->client;
	struct component_shard *here = client->home;
	struct membership *self = membership_find(mounted, room_id);

	if (self && self->member.state == ROOM_MEMBER_IN) {
		encode_room_joined(&here->scratch, component_id, room_id, room_view_state(self->member.view),
				   request_id);
		outbox_reply(&client->outbox, scratch_take(here));
		return;
	}
	if (!self && client->room_joins >= here->settings->rooms_per_client) {
		answer_error(client, component_id, STR("Room limit exceeded"), request_id);
		return;
	}
	if (!room_name_is_valid(room_id)) {
		answer_error(client, component_id, str_of(invalid_name), request_id);
		return;
	}
	if (self) {
		/* The component's own join is on its way: the client may ask again when it is in. */
		answer_error(client, component_id, STR("Room access denied"), request_id);
		return;
	}
	self = new_membership(here, mounted, room_id, request_id.ptr ? request_id : STR(""), component_id);
	self->by_client = true;
	if (!request_id.ptr)
		self->request_id.ptr = NULL;
	client->room_joins++;
	client->ops->hold(client);
	self->asked_as.ptr = self->asked_as.ptr ? self->asked_as.ptr : "";
	if (join(self, initial_state) < 0) {
		answer_error(client, component_id, str_of(invalid_name), request_id);
		client->ops->release(client);
	}
}

/* ---- what rooms tell ---- */

static void finish_wait(struct membership *self, const char *error)
{
	live_component *instance = self->mounted->instance;
	struct client *client = self->mounted->client;

	if (self->by_client && client) {
		if (error)
			answer_error(client, self->asked_as, str_of(error), self->request_id);
		else
			answer_joined(self);
		client->ops->release(client);
	}
	if (self->mount_waits) {
		self->mount_waits = false;
		mount_join_done(instance);
	}
}

static void on_joined(struct rooms *rooms, struct room_member *member, const char *error)
{
	struct membership *self = LIST_OF(member, struct membership, member);
	live_component *instance = self->mounted->instance;

	(void)rooms;
	if (!error && instance && instance->definition->api->on_room_join)
		instance->definition->api->on_room_join(instance, self->room_id.ptr);
	if (!self->mounted) /* the hook left again */
		return;
	finish_wait(self, error);
	if (error && self->mounted)
		drop(self);
}

struct kept_frame {
	struct grave grave;
	struct frame *frame;
};

static void unref_frame(struct grave *grave)
{
	frame_unref(LIST_OF(grave, struct kept_frame, grave)->frame);
}

/* Outboxes point to the frame until the end of the tick: the shard holds it for all of them. */
static const struct frame *keep_frame(struct component_shard *here, struct frame *frame)
{
	struct kept_frame *kept = arena_alloc(shard_arena(here->shard), sizeof *kept);

	kept->grave.free = unref_frame;
	kept->frame = frame;
	shard_bury(here->shard, &kept->grave);
	return frame;
}

static void deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	struct component_shard *here = component_shard_of(rooms_shard(rooms));
	const struct frame *wire = NULL, *legacy = NULL;
	unsigned here_index = shard_index(here->shard);
	uint64_t excluded = event->exclude.shard == here_index ? event->exclude.serial : 0;
	uint64_t count = 0;

	for (struct room_member *m = NULL; (m = room_view_next_member(view, m));) {
		struct mounted *mounted = LIST_OF(m, struct membership, member)->mounted;
		if (m->serial == excluded)
			continue;
		count++;
		if (!wire)
			wire = keep_frame(here, frame_ref(event->wire));
		if (!mounted->client) {
			singleton_push_room(mounted->instance, wire);
		} else if (mounted->client->outbox.legacy && event->kind == ROOM_EVENT_STATE) {
			if (!legacy)
				legacy = keep_frame(here, encode_room_event_legacy(event));
			outbox_push_room(&mounted->client->outbox, legacy, &m->id);
		} else {
			outbox_push_room(&mounted->client->outbox, wire, &m->id);
		}
	}
	counter_add(&here->counters.room_frames, count);
}

const struct rooms_hooks membership_hooks = {
	.encode = encode_room_event,
	.deliver = deliver,
	.joined = on_joined,
};

/* ---- leaving ---- */

void membership_leave(struct membership *self)
{
	live_component *instance = self->mounted->instance;

	rooms_leave(self->home->rooms, &self->member);
	if (instance && !instance->is_dead && instance->definition->api->on_room_leave)
		instance->definition->api->on_room_leave(instance, self->room_id.ptr);
	if (!self->mounted)
		return;
	if (self->request_id.ptr || self->mount_waits)
		finish_wait(self, "Room access denied");
	if (self->mounted)
		drop(self);
}

void memberships_leave_all(struct mounted *mounted)
{
	while (!list_is_empty(&mounted->memberships)) {
		struct membership *self = LIST_OF(mounted->memberships.next, struct membership, link);
		rooms_leave(self->home->rooms, &self->member);
		if (self->by_client && self->member.state == ROOM_MEMBER_JOINING && mounted->client)
			mounted->client->ops->release(mounted->client);
		drop(self);
	}
}

struct room_origin membership_origin(const struct membership *self)
{
	return (struct room_origin){.serial = self->member.serial, .shard = (uint16_t)shard_index(self->home->shard)};
}
