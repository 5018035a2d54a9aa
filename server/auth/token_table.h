/*
 * token_table - users by the hash of their token: what a tokens file says, read once and never changed.
 * Threads: [any].
 */
#ifndef SERVER_AUTH_TOKEN_TABLE_H
#define SERVER_AUTH_TOKEN_TABLE_H

#include <live/value.h>

#include "core/str.h"

enum { TOKEN_HASH_BYTES = 32 };

struct token_table;

/* Reads the text of a file. 0, or -EINVAL with what is wrong in error, without the file's name: "3:12: unexpected
 * character", "tokens[2].sha256: must be 64 hex digits". */
int token_table_new(struct token_table **out, struct str text, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* NULL is fine. */
void token_table_free(struct token_table *table);
unsigned token_table_count(const struct token_table *table);
/* The user of token, or NULL; a loan. */
const live_value *token_table_find(const struct token_table *table, struct str token);
/* SHA-256 of salt and token, one after the other. */
void token_table_hash(struct str salt, struct str token, unsigned char out[TOKEN_HASH_BYTES]);

#endif
