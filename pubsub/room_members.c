#include "pubsub/room_members.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

struct room_guest {
	struct map_entry by_origin;
	uint64_t name; /* the origin in one number; its bytes are the key */
	size_t id_len;
	char id[];
};

/* A shard that hands out a serial every nanosecond gets through 48 bits in three days; at any real rate, never. */
static uint64_t name_of(struct room_origin origin)
{
	return origin.serial << 16 | origin.shard;
}

static struct str key_of(const uint64_t *name)
{
	return (struct str){(const char *)name, sizeof *name};
}

void room_members_init(struct room_members *members)
{
	*members = (struct room_members){0};
	map_init(&members->by_origin);
}

void room_members_deinit(struct room_members *members)
{
	struct map_entry *next;

	for (struct map_entry *entry = map_first(&members->by_origin); entry; entry = next) {
		next = map_next(&members->by_origin, entry);
		free(MAP_OF(entry, struct room_guest, by_origin));
	}
	map_deinit(&members->by_origin);
	free(members->seats);
	members->seats = NULL;
	members->seat_count = members->seat_cap = 0;
}

bool room_members_add(struct room_members *members, struct room_origin origin, struct str member_id)
{
	struct room_guest *guest = mem_alloc(sizeof *guest + member_id.len);

	guest->name = name_of(origin);
	guest->id_len = member_id.len;
	if (member_id.len)
		memcpy(guest->id, member_id.ptr, member_id.len);
	if (map_add(&members->by_origin, &guest->by_origin, key_of(&guest->name)) < 0) {
		free(guest);
		return false;
	}
	room_seats_add(members, origin.shard);
	return true;
}

static struct map_entry *find(const struct room_members *members, struct room_origin origin)
{
	uint64_t name = name_of(origin);

	return map_find(&members->by_origin, key_of(&name));
}

struct room_guest *room_members_take(struct room_members *members, struct room_origin origin)
{
	struct map_entry *entry = find(members, origin);

	if (!entry)
		return NULL;
	map_remove(&members->by_origin, entry);
	bool had_seat = room_seats_remove(members, origin.shard);
	assert_always(had_seat);
	return MAP_OF(entry, struct room_guest, by_origin);
}

const struct room_guest *room_guest_of(const struct map_entry *entry)
{
	return (const struct room_guest *)((const char *)entry - offsetof(struct room_guest, by_origin));
}

struct str room_guest_id(const struct room_guest *guest)
{
	return (struct str){guest->id, guest->id_len};
}

bool room_members_has(const struct room_members *members, struct room_origin origin)
{
	return origin.serial && find(members, origin);
}

static struct room_seat *find_seat(struct room_members *members, uint16_t shard)
{
	for (uint32_t i = 0; i < members->seat_count; i++) {
		if (members->seats[i].shard == shard)
			return &members->seats[i];
	}
	return NULL;
}

void room_seats_add(struct room_members *members, uint16_t shard)
{
	struct room_seat *seat = find_seat(members, shard);

	if (!seat) {
		if (members->seat_count == members->seat_cap) {
			members->seat_cap = members->seat_cap ? members->seat_cap * 2 : 2;
			members->seats = mem_realloc(members->seats, members->seat_cap * sizeof *members->seats);
		}
		seat = &members->seats[members->seat_count++];
		*seat = (struct room_seat){.shard = shard};
	}
	seat->count++;
}

bool room_seats_remove(struct room_members *members, uint16_t shard)
{
	struct room_seat *seat = find_seat(members, shard);

	if (!seat)
		return false;
	if (--seat->count == 0)
		*seat = members->seats[--members->seat_count];
	return true;
}
