/*
 * nonce - a number used once: <ms>:<16 hex>:<16 hex>, made with a state's signature and refused when it comes again
 * (behaviour.md section 9, protocol.md section 11).
 *
 * One store per process, shared by all shards, without a lock and without mail, so that a verdict is there at once.
 * Time is cut into slices, and the nonces made in one slice have a table of their own: slots that go from empty (or
 * left from a slice that is long over) to taken by one compare-and-swap, and never back within the slice. The same
 * nonce looks at the same slots in the same order on every thread, so of any number of threads exactly one takes it. A
 * table is used anew only when all nonces of its last slice have expired: nothing that still could come again is ever
 * forgotten, and a table without room refuses ("closed under eviction").
 *
 * Only what carries our signature gets as far as the store, so its low bits serve as the hash. What one may get wrong:
 * the store knows what this process has seen; another node, or the next start, has one of its own. Threads: [any], but
 * where another tag stands.
 */
#ifndef SERVER_SECURITY_NONCE_H
#define SERVER_SECURITY_NONCE_H

#include <stdint.h>

#include "core/str.h"
#include "server/security/mac.h"

enum {
	NONCE_MS_LETTERS = 20,
	NONCE_MAX = NONCE_MS_LETTERS + 1 + 16 + 1 + 16, /* bytes of a nonce, without a NUL */
	NONCE_SKEW_MS = 30000,                          /* that another node's clock may be ahead */
	NONCE_GRACE_MS = 10000,                         /* remembered for so long after it expired */
	NONCE_CAPACITY = 100000,                        /* of one slice, at least */
};

struct nonce_store;

/* [start] ttl_ms: how long a nonce is good for, at least 1. Never NULL. */
struct nonce_store *nonce_store_new(int64_t ttl_ms);
/* [start] NULL is fine. */
void nonce_store_free(struct nonce_store *store);

struct nonce {
	int64_t made_ms;    /* when, by the maker's clock */
	struct str text;    /* what is signed: <ms>:<16 hex> */
	struct str mac_hex; /* the first 16 letters of its HMAC */
};

/* Makes a nonce of wall_ms into out; returns its bytes. mac is used up to its end. */
size_t nonce_make(struct mac *mac, int64_t wall_ms, char out[NONCE_MAX]);
/* Takes text apart. NULL, or "Malformed nonce", "Malformed nonce timestamp". */
const char *nonce_parse(struct str text, struct nonce *out);
/* Checks a nonce at wall_ms and notes it as used; mac must be of the key of its time. NULL, or "Nonce expired", "Nonce
 * timestamp in the future", "Invalid nonce signature", "Nonce already used", "Nonce predates replay-protection window".
 */
const char *nonce_use(struct nonce_store *store, const struct nonce *nonce, struct mac *mac, int64_t wall_ms);

#endif
