/*
 * value_walk - the containers that a walk over a tree is inside of, kept here and not on the C stack, since a tree that
 * an author built may be thousands of levels deep.
 *
 * For core's encodings. Owned by the function that walks; must not be moved between init and deinit. Threads: [any].
 */
#ifndef CORE_VALUE_WALK_H
#define CORE_VALUE_WALK_H

#include "core/value.h"

enum { VALUE_WALK_INLINE = 32 };

struct value_level {
	const live_value *container;
	size_t next; /* the child to visit next */
};

struct value_walk {
	struct value_level *levels; /* in_place, or memory of its own */
	size_t depth, cap;
	struct value_level in_place[VALUE_WALK_INLINE];
};

static inline void value_walk_init(struct value_walk *walk)
{
	walk->levels = walk->in_place;
	walk->depth = 0;
	walk->cap = VALUE_WALK_INLINE;
}

void value_walk_deinit(struct value_walk *walk);
/* Makes room for one more level. */
void value_walk_grow(struct value_walk *walk);

/* Goes into container, whose children come next. */
static inline void value_walk_enter(struct value_walk *walk, const live_value *container)
{
	if (walk->depth == walk->cap)
		value_walk_grow(walk);
	walk->levels[walk->depth++] = (struct value_level){container, 0};
}

/* The level the walk is in; there must be one. To leave it, take one off depth. */
static inline struct value_level *value_walk_top(struct value_walk *walk)
{
	return &walk->levels[walk->depth - 1];
}

#endif
