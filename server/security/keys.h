/*
 * keys - which key signs and seals at which time.
 *
 * Without rotation there is one key: the secret's bytes sign, as they are (protocol.md section 11), and a key derived
 * from them seals. With rotation each period of the interval has its own: those of period n = floor(ms / interval) are
 *
 *	HKDF-SHA256(secret, salt "", info "liveshard state signing <n>"), 32 bytes, and "... state sealing <n>"
 *
 * (RFC 5869; "liveshard state sealing" without rotation), so that all nodes of one secret and the next start have the
 * same keys at the same time and nothing is stored. A state's timestamp tells its period, and is part of what is
 * signed; keys of the current period and the three before it are good, and those of the next for a clock that is
 * ahead.
 *
 * A set of keys is made once before the shards start and only read; each signer has a ring of the few it used last.
 */
#ifndef SERVER_SECURITY_KEYS_H
#define SERVER_SECURITY_KEYS_H

#include <stdint.h>

#include "core/str.h"
#include "server/security/cipher.h"
#include "server/security/mac.h"

enum { KEYS_PREVIOUS = 3 };

struct key_set;
struct key_ring;

/* [start] secret is copied; empty: 32 random bytes as hex text. interval_ms: 0 for no rotation. Never NULL. */
struct key_set *key_set_new(struct str secret, int64_t interval_ms);
/* [start] NULL is fine. Wipes the secret. */
void key_set_free(struct key_set *set);

struct key { /* a loan from the ring until its next use */
	struct mac *mac;
	struct cipher *cipher;
};

/* [start] A ring for one signer; set must outlive it. Never NULL. */
struct key_ring *key_ring_new(const struct key_set *set);
/* [start] NULL is fine. */
void key_ring_free(struct key_ring *ring);
/* [shard] The key of the moment made_ms. */
const struct key *key_ring_at(struct key_ring *ring, int64_t made_ms);
/* [shard] Whether what was signed at made_ms is signed with a key that is still good at wall_ms. */
bool key_ring_is_good(const struct key_ring *ring, int64_t made_ms, int64_t wall_ms);

#endif
