/*
 * schema_check - a value on its way through a schema: what is shared by checking, completing and telling what is wrong.
 * Private to schema_*. Lives on the stack of one check. Threads: [any].
 */
#ifndef SERVER_SCHEMA_SCHEMA_CHECK_H
#define SERVER_SCHEMA_SCHEMA_CHECK_H

#include <stdarg.h>

#include "server/schema/schema_node.h"

/* Where a value stands in the payload: a chain up to the root. */
struct place {
	const struct place *up; /* NULL: the root */
	enum { PLACE_MEMBER, PLACE_ITEM, PLACE_NAME } kind;
	struct str key; /* the root's: what the payload is called */
	size_t index;
};

struct check {
	unsigned effort; /* left */
	unsigned depth;
	unsigned mute;       /* what fails is not told: another alternative may fit */
	bool is_over;        /* it cost too much, so nothing is known */
	struct buf *message; /* the first one stays */
};

/* Takes cost from what is left; false when that is not enough, and from then on. */
bool check_spend(struct check *check, size_t cost);
/* Tells what is wrong at place, as printf does. Always false. */
bool check_fail(struct check *check, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, with more behind the text, cut short: words of the schema; a value; all of an array with commas between.
 * Always false. */
bool check_fail_text(struct check *check, const struct place *place, const char *text, struct str words);
bool check_fail_value(struct check *check, const struct place *place, const char *text, const live_value *value);
bool check_fail_choices(struct check *check, const struct place *place, const char *text, const live_value *choices);

/* Whether value fits node. */
bool check_node(struct check *check, const struct schema_node *node, const live_value *value,
		const struct place *place);
/* Whether one of the patternProperties, or properties, knows the member key: each of them is given to visit with
 * argument. False from visit ends it. *known tells; false when it ended. */
typedef bool check_visit_fn(struct check *check, const struct schema_node *node, void *argument);
bool check_visit_member(struct check *check, const struct schema_node *node, struct str key, check_visit_fn *visit,
			void *argument);
/* Whether no two items of the array are equal. */
bool check_unique(struct check *check, const live_value *array);
/* value (a loan) with the defaults of node: a new reference, which is value's own when it lacks none. */
const live_value *check_complete(struct check *check, const struct schema_node *node, const live_value *value);

/* Whether value fits node, without its defaults; messages call it name. */
bool schema_fits(const struct schema_node *node, const live_value *value, const char *name, struct buf *message);

#endif
