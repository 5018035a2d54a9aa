/*
 * membership - one component in one room: how the room's events reach its client and its handlers.
 *
 * Made by ROOM_JOIN of a client, by live_room_join, or by a mount with a room. Freed at the end of the tick in which it
 * was left, so room pushes in outboxes may point to its id. Threads: [shard].
 */
#ifndef SERVER_COMPONENT_MEMBERSHIP_H
#define SERVER_COMPONENT_MEMBERSHIP_H

#include <stdbool.h>

#include <live/component.h>

#include "pubsub/rooms.h"
#include "server/component/instance.h"

struct join_question;

struct membership {
	struct room_member member;
	union {                   /* joined or left */
		struct list link; /* mounted->memberships */
		struct grave grave;
	};
	struct list watches;     /* of handlers, by live_room_on */
	struct mounted *mounted; /* NULL once left */
	struct component_shard *home;
	bool by_client;                 /* joined by ROOM_JOIN: counts in the client's rooms */
	bool mount_waits;               /* the mount is answered when this join is */
	struct join_question *question; /* the ROOM_JOIN that waits for an answer, its client held; else NULL */
	struct str room_id;             /* in text */
	char text[];
};

/* The hooks that rooms call; their context is not used. */
extern const struct rooms_hooks membership_hooks;

/* The membership of mounted in room, or NULL. */
struct membership *membership_find(const struct mounted *mounted, struct str room_id);
/* Joins; initial_state is borrowed. 0; -EINVAL for an invalid name. *out is the membership, existing or new. */
int membership_join(struct component_shard *here, struct mounted *mounted, struct str room_id,
		    const live_value *initial_state, struct membership **out) __attribute__((warn_unused_result));
/* Whether mounted's client may not join room_id by itself because it is in as many rooms as it may. */
bool membership_is_one_too_many(const struct mounted *mounted, struct str room_id);
/* Joins for a client's ROOM_JOIN, which is answered with ROOM_JOINED or the error. Holds the client until then. */
void membership_join_for_client(struct mounted *mounted, struct str component_id, struct str room_id,
				const live_value *initial_state, struct str request_id);
/* Leaves and calls on_room_leave. */
void membership_leave(struct membership *membership);
void memberships_leave_all(struct mounted *mounted);
/* How an event of this member is excluded from coming back to it. */
struct room_origin membership_origin(struct membership *membership);

#endif
