/*
 * schema - a payload checked against JSON Schema (draft 2020-12, the subset below), and completed by its defaults.
 *
 * A schema is compiled once from a value into an immutable tree. What it says is all held, or compiling fails: a
 *keyword that is not known here is refused, so nobody trusts a rule that is not checked.
 *
 *	type (also a list; integer is a number without a fraction), enum, const
 *	properties, required, additionalProperties, minProperties, maxProperties
 *	items, prefixItems, minItems, maxItems, uniqueItems
 *	minLength, maxLength (in code points), pattern
 *	minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
 *	allOf, anyOf, oneOf, not, true and false as schemas
 *	$ref to "#" or "#/$defs/<name>", $defs at the root
 *	default: what a property that is missing is set to, before required is looked at; it must fit its schema
 *	format, title, description, examples, deprecated, readOnly, writeOnly, contentEncoding, contentMediaType,
 *$schema, $id, $comment and names that begin with "x-": accepted, and nothing is checked by them
 *
 * A pattern is a POSIX extended regular expression that may match anywhere. Of escapes it knows those of punctuation:
 * \d, \w, \1 and (?: are refused. It sees bytes, so "." is a part of a letter like é.
 *
 * What one may get wrong: defaults of a not, or of alternatives that were not taken, do not count.
 *
 * Messages name the place and what it must be; the first one found counts:
 *
 *	payload.title: must be a string              payload: must be an object or null
 *	payload.title: is required                   payload.extra: is not allowed
 *	payload.kind: must be one of "a", "b"        payload.kind: must be "a"
 *	payload.n: must be at least 1                payload.n: must be at most 9
 *	payload.n: must be greater than 0            payload.n: must be less than 10
 *	payload.n: must be a multiple of 5           payload.title: must match ^[a-z]+$
 *	payload.title: must have at least 1 character   payload.title: must have at most 80 characters
 *	payload.list: must have at least 2 items     payload.list: must have at most 9 items
 *	payload.list: must not hold an item twice    payload.list[3]: must be a number
 *	payload: must have at least 1 member         payload: must have at most 2 members
 *	payload: must fit at least one alternative   payload: must fit exactly one alternative
 *	payload: must not fit what is excluded       payload["odd name"]: is required
 *	payload: is nested too deeply                payload: is too complex to check
 *
 * Owner: the component's definition. Threads: compiling [start], checking [any] (glibc takes a lock within a pattern).
 */
#ifndef SERVER_COMPONENT_SCHEMA_H
#define SERVER_COMPONENT_SCHEMA_H

#include <live/value.h>

#include "core/buf.h"

enum {
	SCHEMA_ERROR_SIZE = 512,
	SCHEMA_MAX_DEPTH = 128,     /* schemas within schemas, and on the way through a value */
	SCHEMA_MAX_NODES = 10000,   /* schemas within one */
	SCHEMA_MAX_STEPS = 1000000, /* on the way through a value */
	SCHEMA_MAX_PATTERN = 1024,  /* bytes of a pattern */
	SCHEMA_MAX_SUBJECT = 65536, /* bytes of a string that a pattern looks at; a longer one does not match */
};

struct schema;

/* Compiles source (a loan). 0, or -EINVAL with one line in error: "#/properties/title/type: is no type: \"text\"". */
int schema_new(struct schema **out, const live_value *source, char error[SCHEMA_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* NULL is fine. */
void schema_free(struct schema *schema);
/* Checks value, which messages call name ("payload"). 0 and *out, which the caller owns: value with its defaults, or a
 * reference to value itself when it lacks none. Else -EINVAL, the message appended to message, and *out NULL. */
int schema_apply(const struct schema *schema, const live_value *value, const char *name, const live_value **out,
		 struct buf *message) __attribute__((warn_unused_result));

#endif
