/*
 * room_members - who is in a room, as its home knows it: each member once, and how many each shard has.
 *
 * A seat is a shard that wants the events: with count members, or with handlers in a channel of the event bus. The home
 * keeps each member by name (shard and serial), not only a count, so that a leave that crosses a refused join takes
 * nobody else away. Owner: the room. Threads: [shard] the home.
 */
#ifndef PUBSUB_ROOM_MEMBERS_H
#define PUBSUB_ROOM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/map.h"
#include "core/str.h"
#include "pubsub/room_event.h"

struct room_seat {
	uint32_t count;
	uint16_t shard;
};

struct room_members {
	struct map by_origin;    /* struct room_guest */
	struct room_seat *seats; /* in no particular order */
	uint32_t seat_count;
	uint32_t seat_cap;
};

struct room_guest;

void room_members_init(struct room_members *members);
void room_members_deinit(struct room_members *members);
/* A member more. false when that one is in already. */
bool room_members_add(struct room_members *members, struct room_origin origin, struct str member_id);
/* Takes the member out and hands its record over (the caller frees it with free), or NULL when it is not in. */
struct room_guest *room_members_take(struct room_members *members, struct room_origin origin);
struct str room_guest_id(const struct room_guest *guest);
/* The record behind an entry of by_origin. */
const struct room_guest *room_guest_of(const struct map_entry *entry);
bool room_members_has(const struct room_members *members, struct room_origin origin);
static inline uint32_t room_members_count(const struct room_members *members)
{
	return members->by_origin.count;
}

/* The seat of shard counts one more, or one less (true; false when it has no seat). */
void room_seats_add(struct room_members *members, uint16_t shard);
bool room_seats_remove(struct room_members *members, uint16_t shard);

#endif
