/*
 * memory_adapter - the room adapter of a node that is alone: nothing is stored beyond a room's life, there is nobody to
 * tell.
 */
#ifndef PUBSUB_MEMORY_ADAPTER_H
#define PUBSUB_MEMORY_ADAPTER_H

#include "pubsub/adapter.h"

/* [any] The one there is; it has no state. Never freed. */
struct room_adapter *memory_adapter(void);

#endif
