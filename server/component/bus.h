/*
 * bus - a component's own channel to others mounted with the same room (live_emit_room_event, live_on_room_event): it
 * never reaches clients (behaviour.md section 7).
 *
 * A channel of the event bus of the type that the definition names, else "default". Threads: [shard].
 */
#ifndef SERVER_COMPONENT_BUS_H
#define SERVER_COMPONENT_BUS_H

#include <live/component.h>

/* Ends all handlers of self. */
void bus_watches_end(live_component *self);

#endif
