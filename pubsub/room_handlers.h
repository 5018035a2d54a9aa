/*
 * room_handlers - the event bus on one shard: functions called for the events of a channel.
 *
 * For the files of pubsub alone; rooms_on and rooms_off are the face. Threads: [shard].
 */
#ifndef PUBSUB_ROOM_HANDLERS_H
#define PUBSUB_ROOM_HANDLERS_H

#include "pubsub/room_event.h"
#include "pubsub/room_view.h"

/* Calls those handlers of view that event is for. The view must be marked as delivering. */
void room_handlers_call(struct room_view *view, const struct room_event *event);
/* Frees the handlers that were ended during a delivery. */
void room_handlers_sweep(struct room_view *view);
/* Frees all. */
void room_handlers_free(struct room_view *view);

#endif
