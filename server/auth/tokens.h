/*
 * tokens - a provider that signs clients on by tokens of a file, which holds only their hashes.
 *
 * The file is JSON:
 *
 *	{"salt": "any text", "tokens": [
 *		{"sha256": "<64 hex digits>", "id": "u1", "name": "Ann", "roles": ["admin"],
 *		 "permissions": ["users.write"]}
 *	]}
 *
 * sha256 is SHA-256(salt token), one text after the other; salt may be missing. All else of an entry is the user that
 * the client sees as its session; roles and permissions may be missing. A plain hash is enough for what tokens must be
 * anyway: made by a generator, with 128 random bits or more. Never put passwords in here.
 *
 * The credential is "token", a string. It is hashed and looked up by its hash, compared in constant time, so time tells
 * nothing about tokens. Tables are immutable; a reload replaces the table under the feet of the shards, and old ones
 * are kept until the end, since a shard may be reading one. Threads: look-ups [any], all else one thread at a time.
 */
#ifndef SERVER_AUTH_TOKENS_H
#define SERVER_AUTH_TOKENS_H

#include <live/auth.h>

#include "core/str.h"

enum { TOKENS_ERROR_SIZE = 256 };

struct tokens;

/* Makes a provider of the file at path (copied). 0, or a negative errno (-EINVAL: not a good file) with one line about
 * it in error, which names the file, and *out NULL. */
int tokens_new(struct tokens **out, const char *path, char error[TOKENS_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* NULL is fine; as auth_manager_register's provider it is freed by the manager. */
void tokens_free(struct tokens *tokens);
/* Reads the file again. 0, or as tokens_new, and then the table stays as it was. */
int tokens_reload(struct tokens *tokens, char error[TOKENS_ERROR_SIZE]) __attribute__((warn_unused_result));
/* How many there are. */
unsigned tokens_count(const struct tokens *tokens);
/* The client that token belongs to, which the caller owns, or NULL. [any] */
const live_auth *tokens_find(const struct tokens *tokens, struct str token);
/* The provider "tokens"; the manager copies it and then owns tokens. */
live_auth_provider tokens_provider(struct tokens *tokens);
/* The hash of a token as the file wants it, for who writes one; NUL-terminated. */
void tokens_hash(struct str salt, struct str token, char hex[64 + 1]);

#endif
