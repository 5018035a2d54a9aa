/*
 * hash - a hash of bytes with a secret of this process, so that a peer who chooses keys cannot choose collisions.
 *
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), keyed at start-up. The result differs
 * from process to process: never store or send it. Threads: [any].
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* bytes may be NULL when len is 0. */
uint64_t hash_bytes(const void *bytes, size_t len);
/* The same with a key of one's own: for tests, and where two processes must agree (a singleton's shard). */
uint64_t hash_bytes_keyed(const uint64_t key[2], const void *bytes, size_t len);

/* [start] The secret is seed from now on, not one that was drawn: for tests that are to go the same way twice. No map
 * and no object value may have been made before that is used after. */
void hash_seed(uint64_t seed);

#endif
