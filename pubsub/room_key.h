/*
 * room_key - the name of a channel: its type and its id as one text, and which shard is its home.
 *
 * The text is two bytes of the type's length, the type, the id; so no type and id can be taken for another pair.
 * Threads: [any].
 */
#ifndef PUBSUB_ROOM_KEY_H
#define PUBSUB_ROOM_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum {
	ROOM_KEY_HEAD = 2,         /* bytes before the type */
	ROOM_TYPE_MAX = UINT16_MAX /* bytes of a type */
};

/* The type of channels that have members and state. */
#define ROOM_TYPE STR("room")

static inline size_t room_key_size(struct str type, struct str room_id)
{
	return ROOM_KEY_HEAD + type.len + room_id.len;
}

/* Writes the key to to, which has room_key_size bytes; returns it. */
struct str room_key_write(char *to, struct str type, struct str room_id);
struct str room_key_type(struct str key);
struct str room_key_id(struct str key);
/* Whether it names a room (a channel with members), not one of the event bus. */
bool room_key_is_room(struct str key);
/* The shard that is home of the channel, of shard_count. The same in every process. This is the one place that knows.
 */
unsigned room_key_home(struct str key, unsigned shard_count);

#endif
