/*
 * schema - a payload checked against JSON Schema (draft 2020-12, the subset below), and completed by its defaults.
 *
 * A schema is compiled once from a value into a tree that never changes. All that it says is held, or compiling fails:
 * a keyword or format that is not known here is refused, so nobody trusts a rule that is not checked.
 *
 *	type (also a list; integer is a number without a fraction), enum, const
 *	properties, required, additionalProperties, patternProperties, propertyNames, minProperties, maxProperties,
 *	dependentRequired
 *	items, prefixItems, minItems, maxItems, uniqueItems, contains, minContains, maxContains
 *	minLength, maxLength (in code points), pattern (as dialect.h says)
 *	format: date-time, date, time, email, hostname, ipv4, ipv6, uri, uuid
 *	minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (as far as doubles can tell)
 *	allOf, anyOf, oneOf, not, if, then, else, true and false as schemas
 *	$ref to "#" or "#/..." (a JSON pointer to a schema of the same text), $defs
 *	default: what a property that is missing is set to, before anything is checked; it must fit its schema. It
 *	counts where a property always has it: not within anyOf, oneOf, not, if, then, else, contains, and there it is
 *	refused
 *	title, description, examples, deprecated, readOnly, writeOnly, contentEncoding, contentMediaType, $schema,
 *	$id (at the root), $comment and names that begin with "x-": accepted, and nothing is checked by them
 *
 * What a hostile payload can cost is bounded by SCHEMA_EFFORT. What one may get wrong: a message holds names of members
 * that the peer chose, cut short.
 *
 * Owner: the component's definition. Threads: compiling [start], checking [any].
 */
#ifndef SERVER_SCHEMA_SCHEMA_H
#define SERVER_SCHEMA_SCHEMA_H

#include <live/value.h>

#include "core/buf.h"

enum {
	SCHEMA_ERROR_SIZE = 256,
	SCHEMA_MAX_DEPTH = 64,    /* schemas within schemas */
	SCHEMA_MAX_NODES = 2000,  /* schemas within one */
	SCHEMA_CHECK_DEPTH = 400, /* on the way through a value */
	/* One payload may take as many steps: visits of a schema, members, items, 16 bytes of a string, steps of a
	 * pattern. 20 ms at most, by measurement. */
	SCHEMA_EFFORT = 1 << 20,
};

struct schema;

/* Compiles source (a loan). 0, or -EINVAL with one line in error: "#/properties/title/type: is no type: \"text\"". */
int schema_new(struct schema **out, const live_value *source, char error[SCHEMA_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* NULL is fine. */
void schema_free(struct schema *schema);
/* What it was compiled from; a loan. */
const live_value *schema_source(const struct schema *schema);
/* Checks value (NULL: there is none), which messages call name ("payload"). 0 and *out, which the caller owns: value
 * with its defaults, or a reference to value itself when it lacks none. Else -EINVAL, the message appended to message
 * ("payload.title: must be a string"), and *out NULL. Success allocates nothing, but for what defaults add, for names
 * of members that propertyNames looks at, and for a uniqueItems of many items. */
int schema_apply(const struct schema *schema, const live_value *value, const char *name, const live_value **out,
		 struct buf *message) __attribute__((warn_unused_result));

#endif
