/*
 * ts_schema - the TypeScript type of the values that fit a JSON Schema, as narrow as TypeScript can say it.
 *
 * What a type cannot say (lengths, bounds, patterns, not, if) is left out, so each value that fits the schema has the
 * type, but for two liberties: an object takes no members but those named unless additionalProperties is said, so that
 * the compiler finds slips; and where properties or items are said without a type, only objects or arrays have it.
 * Threads: [start].
 */
#ifndef SERVER_AUTHOR_TS_SCHEMA_H
#define SERVER_AUTHOR_TS_SCHEMA_H

#include <live/value.h>

#include "core/buf.h"
#include "server/author/ts_name.h"

/* Writes type aliases for schema (one that compiles): one for the whole, named base and "Payload", and one for each of
 * its $defs. Returns the first one's name. */
const char *ts_schema_write(struct buf *out, struct ts_names *names, struct str base, const live_value *schema);
/* Whether the schema (one that compiles) says that there must be a payload. */
bool ts_schema_needs_payload(const live_value *schema);
/* A member's name as it stands in a type or a literal. */
void ts_key_write(struct buf *out, struct str key);

#endif
