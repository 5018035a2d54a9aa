/*
 * mac - HMAC-SHA256 (RFC 2104) with the work that depends on the key alone done beforehand.
 *
 * HMAC is two hashes whose first block is the key: they are kept begun, and each text goes on from a copy, which saves
 * two of the blocks that a short text needs and all look-ups by name. Owned by one signer. Threads: [shard] of its
 * owner, since a text under way lives in it.
 */
#ifndef SERVER_SECURITY_MAC_H
#define SERVER_SECURITY_MAC_H

#include <stdbool.h>

#include "core/str.h"

enum { MAC_BYTES = 32, MAC_HEX = 2 * MAC_BYTES };

struct mac;

/* Takes a copy of what it needs of key, of any length. Never NULL. */
struct mac *mac_new(struct str key);
/* NULL is fine. Wipes what the key was. */
void mac_free(struct mac *mac);

/* Begins a text; what was under way is forgotten. */
void mac_begin(struct mac *mac);
void mac_add(struct mac *mac, struct str piece);
/* Ends it: the digest in lower-case hex, without a NUL. */
void mac_end_hex(struct mac *mac, char hex[MAC_HEX]);

/* bytes as lower-case hex, 2 * len letters without a NUL. */
void mac_to_hex(const unsigned char *bytes, size_t len, char *out);
/* Whether both are the same, in a time that does not tell where they differ. */
bool mac_is_equal(struct str a, struct str b);

#endif
