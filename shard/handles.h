/*
 * handles - the table behind shard_handle_*: numbers for things, which stop finding them once closed.
 *
 * A slot is used again after it is closed, under the next generation; a slot whose generations are used up is used no
 * more, so a stale handle finds nothing for ever. Opening, finding and closing take constant time. Private to shard/,
 * shown for its test. Threads: the owner's alone.
 */
#ifndef SHARD_HANDLES_H
#define SHARD_HANDLES_H

#include <stdint.h>

struct handle_slot {
	void *thing;         /* NULL: free or used up */
	uint32_t generation; /* of the handle that is open, or of the next one */
	uint32_t next_free;
};

struct handles {
	struct handle_slot *slots;
	uint32_t count; /* slots in use or free */
	uint32_t capacity;
	uint32_t first_free; /* HANDLES_NONE when there is none */
	uint32_t last_free;
};

enum { HANDLES_NONE = UINT32_MAX };

void handles_init(struct handles *handles);
void handles_deinit(struct handles *handles);
/* Names thing (not NULL): *index and *generation (never 0) find it until they are closed. */
void handles_open(struct handles *handles, void *thing, uint32_t *index, uint32_t *generation);
/* The thing, or NULL. Any two numbers may be asked for. */
void *handles_find(const struct handles *handles, uint32_t index, uint32_t generation);
/* From now on they find nothing; fine when they do so already. */
void handles_close(struct handles *handles, uint32_t index, uint32_t generation);

#endif
