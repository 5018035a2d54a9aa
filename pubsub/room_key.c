#include "pubsub/room_key.h"

#include "core/assert.h"
#include "core/hash.h"

struct str room_key_write(char *to, struct str type, struct str room_id)
{
	assert_always(type.len <= ROOM_TYPE_MAX);
	to[0] = (char)(type.len & 0xff);
	to[1] = (char)(type.len >> 8);
	if (type.len)
		memcpy(to + ROOM_KEY_HEAD, type.ptr, type.len);
	if (room_id.len)
		memcpy(to + ROOM_KEY_HEAD + type.len, room_id.ptr, room_id.len);
	return (struct str){to, room_key_size(type, room_id)};
}

struct str room_key_type(struct str key)
{
	size_t len = (size_t)(unsigned char)key.ptr[0] | (size_t)(unsigned char)key.ptr[1] << 8;

	return (struct str){key.ptr + ROOM_KEY_HEAD, len};
}

struct str room_key_id(struct str key)
{
	struct str type = room_key_type(key);
	size_t before = ROOM_KEY_HEAD + type.len;

	return (struct str){key.ptr + before, key.len - before};
}

bool room_key_is_room(struct str key)
{
	return str_equal(room_key_type(key), ROOM_TYPE);
}

unsigned room_key_home(struct str key, unsigned shard_count)
{
	/* Spreads rooms over shards; whoever picks ids to crowd one shard could as well join one room. So no secret. */
	static const uint64_t spread[2] = {0x6c697665726f6f6dULL, 0x73686172642d6f66ULL};

	return (unsigned)(hash_bytes_keyed(spread, key.ptr, key.len) % shard_count);
}
