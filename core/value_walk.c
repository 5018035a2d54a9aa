#include "core/value_walk.h"

#include <stdlib.h>

#include "core/mem.h"

void value_walk_deinit(struct value_walk *walk)
{
	if (walk->levels != walk->in_place)
		free(walk->levels);
}

void value_walk_grow(struct value_walk *walk)
{
	struct value_level *old = walk->levels == walk->in_place ? NULL : walk->levels;
	walk->cap *= 2;
	walk->levels = mem_realloc(old, walk->cap * sizeof *walk->levels);
	if (!old)
		memcpy(walk->levels, walk->in_place, sizeof walk->in_place);
}
