#include "shard/handles.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

enum { FIRST_CAPACITY = 64 };

void handles_init(struct handles *handles)
{
	*handles = (struct handles){.first_free = HANDLES_NONE, .last_free = HANDLES_NONE};
}

void handles_deinit(struct handles *handles)
{
	free(handles->slots);
	handles_init(handles);
}

static uint32_t take_new_slot(struct handles *handles)
{
	if (handles->count == handles->capacity) {
		assert_always(handles->capacity <= HANDLES_NONE / 2);
		handles->capacity = handles->capacity ? 2 * handles->capacity : FIRST_CAPACITY;
		handles->slots = mem_realloc(handles->slots, handles->capacity * sizeof *handles->slots);
	}
	uint32_t index = handles->count++;
	handles->slots[index].generation = 1;
	return index;
}

/* The slot that has been free longest: so the generations of all slots are used up evenly. */
static uint32_t take_free_slot(struct handles *handles)
{
	uint32_t index = handles->first_free;
	handles->first_free = handles->slots[index].next_free;
	if (handles->first_free == HANDLES_NONE)
		handles->last_free = HANDLES_NONE;
	return index;
}

static void give_free_slot(struct handles *handles, uint32_t index)
{
	handles->slots[index].next_free = HANDLES_NONE;
	if (handles->last_free == HANDLES_NONE)
		handles->first_free = index;
	else
		handles->slots[handles->last_free].next_free = index;
	handles->last_free = index;
}

void handles_open(struct handles *handles, void *thing, uint32_t *index, uint32_t *generation)
{
	assert_always(thing);
	*index = handles->first_free == HANDLES_NONE ? take_new_slot(handles) : take_free_slot(handles);
	handles->slots[*index].thing = thing;
	*generation = handles->slots[*index].generation;
}

void *handles_find(const struct handles *handles, uint32_t index, uint32_t generation)
{
	if (index >= handles->count || handles->slots[index].generation != generation)
		return NULL;
	return handles->slots[index].thing;
}

void handles_close(struct handles *handles, uint32_t index, uint32_t generation)
{
	if (!handles_find(handles, index, generation))
		return;
	struct handle_slot *slot = &handles->slots[index];
	slot->thing = NULL;
	slot->generation++;
	/* After the last generation comes 0, which no handle has: the slot is used up. */
	if (slot->generation != 0)
		give_free_slot(handles, index);
}
