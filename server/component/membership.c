#include "server/component/membership.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/component/mount.h"
#include "server/component/room_watch.h"
#include "server/component/singleton.h"
#include "server/component/trace.h"

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

/* How the client asked. */
struct join_question {
	struct str component_id;
	struct str request_id; /* ptr NULL: none */
	char text[];
};

static struct join_question *new_question(struct str component_id, struct str request_id)
{
	struct join_question *question = mem_alloc(sizeof *question + component_id.len + request_id.len);
	char *at = mempcpy(question->text, component_id.ptr, component_id.len);

	question->component_id = (struct str){question->text, component_id.len};
	if (!request_id.ptr)
		return question;
	memcpy(at, request_id.ptr, request_id.len);
	question->request_id = (struct str){at, request_id.len};
	return question;
}

static struct membership *new_membership(struct component_shard *here, struct mounted *mounted, struct str room_id)
{
	struct membership *self = mem_alloc(sizeof *self + room_id.len + 1); /* authors get it NUL-terminated */

	if (room_id.len)
		memcpy(self->text, room_id.ptr, room_id.len);
	self->room_id = (struct str){self->text, room_id.len};
	self->home = here;
	self->mounted = mounted;
	self->member.id = mounted->id;
	self->member.is_server_only = mounted_definition(mounted)->api->server_only_room_state;
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
	*out = new_membership(here, mounted, room_id);
	return join(*out, initial_state);
}

static void answer_joined(struct client *client, struct membership *self, struct str component_id,
			  struct str request_id)
{
	struct component_shard *here = client->home;

	encode_room_joined(&here->out.scratch, component_id, self->room_id, room_view_state(self->member.view),
			   request_id);
	outbox_reply(&client->outbox, scratch_take(here));
}

static void answer_error(struct client *client, struct str component_id, struct str error, struct str request_id)
{
	struct component_shard *here = client->home;

	encode_error(&here->out.scratch, component_id, error, request_id);
	outbox_reply(&client->outbox, scratch_take(here));
}

static bool is_one_too_many(const struct client *client, const struct membership *existing)
{
	bool counts = !existing || !existing->by_client;

	return counts && client->room_joins >= client->home->settings->rooms_per_client;
}

bool membership_is_one_too_many(const struct mounted *mounted, struct str room_id)
{
	return is_one_too_many(mounted->client, membership_find(mounted, room_id));
}

/* What stands in the way of a client's join; ptr NULL: nothing. */
static struct str check_join(const struct client *client, const struct membership *existing, struct str room_id)
{
	if (is_one_too_many(client, existing))
		return STR("Room limit exceeded");
	if (!room_name_is_valid(room_id))
		return str_of(invalid_name);
	return (struct str){NULL, 0};
}

void membership_join_for_client(struct mounted *mounted, struct str component_id, struct str room_id,
				const live_value *initial_state, struct str request_id)
{
	struct client *client = mounted->client;
	struct membership *self = membership_find(mounted, room_id);
	struct str error = check_join(client, self, room_id);

	if (error.ptr) {
		answer_error(client, component_id, error, request_id);
		return;
	}
	bool is_new = !self;
	if (is_new)
		self = new_membership(client->home, mounted, room_id);
	client->room_joins += !self->by_client;
	self->by_client = true;
	if (self->member.state == ROOM_MEMBER_IN) {
		answer_joined(client, self, component_id, request_id);
		return;
	}
	/* The name was checked, so the join is on its way; a component's own may be already. */
	self->question = new_question(component_id, request_id);
	client->ops->hold(client);
	if (is_new)
		(void)!join(self, initial_state);
}

/* ---- what rooms tell ---- */

static void finish_wait(struct membership *self, const char *error)
{
	live_component *instance = self->mounted->instance;
	struct client *client = self->mounted->client;
	struct join_question *question = self->question;

	self->question = NULL;
	if (question && client) {
		if (error)
			answer_error(client, question->component_id, str_of(error), question->request_id);
		else
			answer_joined(client, self, question->component_id, question->request_id);
		client->ops->release(client);
	}
	free(question);
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
	if (!error && trace_wants_rooms(self))
		trace_room(self, DEBUG_ROOM_JOIN);
	if (!error && instance && instance->definition->api->on_room_join) {
		struct shard_job before = instance_enter(instance, "onRoomJoin");
		instance->definition->api->on_room_join(instance, self->room_id.ptr);
		instance_leave(instance, before);
	}
	if (!self->mounted) /* the hook left again */
		return;
	finish_wait(self, error);
	if (error && self->mounted)
		drop(self);
}

struct kept_frame {
	struct grave grave;
	struct frame *frame;
	struct shared_text shared;
};

static void unref_frame(struct grave *grave)
{
	frame_unref(LIST_OF(grave, struct kept_frame, grave)->frame);
}

/* Outboxes point to the frame until the end of the tick: the shard holds it for all of them. */
static struct shared_text *keep_frame(struct component_shard *here, struct frame *frame)
{
	struct kept_frame *kept = arena_alloc(shard_arena(here->shard), sizeof *kept);

	kept->grave.free = unref_frame;
	kept->frame = frame;
	kept->shared = (struct shared_text){.text = frame_bytes(frame)};
	shard_bury(here->shard, &kept->grave);
	return &kept->shared;
}

static void deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	struct component_shard *here = component_shard_of(rooms_shard(rooms));
	struct shared_text *wire = NULL, *legacy = NULL;
	uint64_t excluded = rooms_excluded_serial(rooms, event);
	uint64_t count = 0;

	for (struct room_member *m = NULL; (m = room_view_next_member(view, m));) {
		struct mounted *mounted = LIST_OF(m, struct membership, member)->mounted;
		if (m->serial == excluded)
			continue;
		count++;
		if (!wire)
			wire = keep_frame(here, frame_ref(event->wire));
		if (!mounted->client) {
			singleton_push_room(mounted->instance, wire->text);
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

static void tell_leave(const struct membership *self)
{
	if (self->member.state == ROOM_MEMBER_IN && trace_wants_rooms(self))
		trace_room(self, DEBUG_ROOM_LEAVE);
}

/* Who still waits for the join hears that it will not come. */
static void end(struct membership *self)
{
	rooms_leave(self->home->rooms, &self->member);
	finish_wait(self, "Room access denied");
	if (self->mounted)
		drop(self);
}

void membership_leave(struct membership *self)
{
	live_component *instance = self->mounted->instance;
	bool tells = instance && !instance->is_dead && instance->definition->api->on_room_leave;

	tell_leave(self);
	list_remove(&self->link); /* the hook no longer finds it */
	rooms_leave(self->home->rooms, &self->member);
	if (tells) {
		struct shard_job before = instance_enter(instance, "onRoomLeave");
		instance->definition->api->on_room_leave(instance, self->room_id.ptr);
		instance_leave(instance, before);
	}
	end(self);
}

void memberships_leave_all(struct mounted *mounted)
{
	while (!list_is_empty(&mounted->memberships)) {
		struct membership *membership = LIST_OF(mounted->memberships.next, struct membership, link);
		tell_leave(membership);
		end(membership);
	}
}

struct room_origin membership_origin(struct membership *self)
{
	return rooms_origin(self->home->rooms, &self->member);
}
