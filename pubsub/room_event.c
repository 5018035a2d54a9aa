#include "pubsub/room_event.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/room.h"
#include "pubsub/room_key.h"
#include "pubsub/room_mail.h"
#include "pubsub/room_members.h"
#include "pubsub/room_view.h"
#include "pubsub/rooms_private.h"
#include "shard/shard.h"

enum {
	SLOTS_MAX = 16, /* in one allocation with the event: 512 bytes; a fan-out to more shards makes one allocation
			   more */
};

struct room_event *room_event_ref(struct room_event *event)
{
	atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
	return event;
}

void room_event_unref(struct room_event *event)
{
	if (!event || atomic_fetch_sub_explicit(&event->refs, 1, memory_order_acq_rel) != 1)
		return;
	struct room_dispatch *dispatch = room_dispatch_of_event(event);

	live_value_unref(event->changes);
	live_value_unref(event->state);
	frame_unref(event->wire);
	free(dispatch->more);
	free(dispatch);
}

static void dispatch_discard(struct mail *mail)
{
	room_event_unref(&room_dispatch_of((struct room_mail *)mail)->event);
}

static void dispatch_arrive(struct mail *mail, struct shard *here)
{
	struct rooms *rooms = rooms_of(here);

	if (rooms)
		room_receive(rooms, (struct room_mail *)mail);
	else
		dispatch_discard(mail);
}

static struct str copy_text(char **to, struct str text)
{
	struct str copy = {*to, text.len};

	if (text.len)
		memcpy(*to, text.ptr, text.len);
	*to += text.len;
	return copy;
}

struct room_dispatch *room_dispatch_new(const struct room_event_text *text, enum room_mail_kind kind, unsigned slots)
{
	uint32_t slot_count = slots < SLOTS_MAX ? slots : SLOTS_MAX;
	size_t key_size = room_key_size(text->type, text->room_id);
	size_t head = sizeof(struct room_dispatch) + slot_count * sizeof(struct room_slot);
	size_t size;

	if (__builtin_add_overflow(head + key_size + text->name.len, text->data.len, &size))
		return NULL;
	struct room_dispatch *dispatch = mem_try_alloc(size);
	if (!dispatch)
		return NULL;
	memset(dispatch, 0, sizeof *dispatch); /* the slots are written when they are used */
	char *bytes = (char *)dispatch + head;

	dispatch->base.mail.deliver = dispatch_arrive;
	dispatch->base.mail.discard = dispatch_discard;
	dispatch->base.kind = kind;
	dispatch->base.key = room_key_write(bytes, text->type, text->room_id);
	dispatch->base.hash = map_hash(dispatch->base.key);
	dispatch->slot_count = slot_count;
	bytes += key_size;

	struct room_event *event = &dispatch->event;
	atomic_init(&event->refs, 1);
	event->type = room_key_type(dispatch->base.key);
	event->room_id = room_key_id(dispatch->base.key);
	event->name = copy_text(&bytes, text->name);
	event->data = copy_text(&bytes, text->data);
	return dispatch;
}

static void slot_arrive(struct mail *mail, struct shard *here)
{
	struct rooms *rooms = rooms_of(here);
	struct room_event *event = ((struct room_slot *)mail)->event;

	if (rooms)
		room_view_receive(rooms, room_dispatch_of_event(event));
	room_event_unref(event);
}

static void slot_discard(struct mail *mail)
{
	room_event_unref(((struct room_slot *)mail)->event);
}

void room_dispatch_fan_out(struct room_dispatch *dispatch, struct shard *here, const struct room_seat *seats,
			   uint32_t seat_count)
{
	struct room_event *event = &dispatch->event;
	struct room_slot *slots = dispatch->slots;

	debug_assert(atomic_load_explicit(&event->refs, memory_order_relaxed) == 1);
	if (seat_count == 0) {
		room_event_unref(event);
		return;
	}
	if (seat_count > dispatch->slot_count)
		slots = dispatch->more = mem_alloc(seat_count * sizeof *slots);
	/* Each slot carries one reference; the caller's is the first. Nobody else sees the event before the posts. */
	atomic_store_explicit(&event->refs, seat_count, memory_order_relaxed);
	for (uint32_t i = 0; i < seat_count; i++) {
		slots[i].mail.deliver = slot_arrive;
		slots[i].mail.discard = slot_discard;
		slots[i].event = event;
		shard_post(here, seats[i].shard, &slots[i].mail);
	}
}
