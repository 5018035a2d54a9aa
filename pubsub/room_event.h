/*
 * room_event - something that happened in a room: immutable, counted, on its way from the room's home to every shard
 * that has members.
 *
 * The home makes it once, with its wire frame, and each shard holds one reference while it delivers; members count
 * nothing. Threads: [any] may read, ref and unref.
 */
#ifndef PUBSUB_ROOM_EVENT_H
#define PUBSUB_ROOM_EVENT_H

#include <stdint.h>

#include <live/value.h>

#include "core/frame.h"
#include "core/str.h"

enum room_event_kind {
	ROOM_EVENT_CUSTOM, /* somebody emitted it */
	ROOM_EVENT_STATE,  /* the room's state changed: "$state:update" with {"state":<changes>} */
	ROOM_EVENT_SYSTEM, /* "$sub:join" or "$sub:leave" with {"subscriberId":<member id>,"count":<members now>} */
};

/* Who must not get an event: a member, by its shard and serial. serial 0 is nobody. */
struct room_origin {
	uint64_t serial;
	uint16_t shard;
};

struct room_event {
	_Atomic uint32_t refs; /* room_event_ref, room_event_unref */
	enum room_event_kind kind;
	struct str type; /* of the channel: "room" reaches clients, anything else only handlers */
	struct str room_id;
	struct str name;
	struct str data;           /* JSON text; see the kinds */
	const live_value *changes; /* STATE: the delta; else NULL */
	const live_value *state;   /* STATE: the room's state after it; else NULL */
	uint64_t version;          /* of the room's state after this event */
	uint32_t member_count;     /* in the room after this event */
	int64_t wall_ms;           /* when: the protocol's timestamp */
	struct room_origin exclude;
	struct frame *wire; /* the shared part of the frame that members get, as the encode hook made it, or NULL */
};

struct room_event *room_event_ref(struct room_event *event);
/* NULL is fine. */
void room_event_unref(struct room_event *event);

#endif
