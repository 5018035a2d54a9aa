/*
 * room_watch - a component's own handlers for the events of a room (live_room_on): they end with the membership.
 *
 * Threads: [shard].
 */
#ifndef SERVER_COMPONENT_ROOM_WATCH_H
#define SERVER_COMPONENT_ROOM_WATCH_H

#include <live/component.h>

struct membership;

/* Calls fn for the events of that name ("*": all) that reach the member. */
void room_watch_add(struct membership *membership, const char *event, live_room_event_fn *fn);
/* Ends all of a membership. */
void room_watches_end(struct membership *membership);

#endif
