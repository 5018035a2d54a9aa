/*
 * signature - a component's state, signed, so that its client can keep it and bring it back (protocol.md section 11,
 * behaviour.md section 9).
 *
 * The object is JSON: data (the state with __componentName, as JSON text, perhaps gzipped, perhaps sealed), signature
 * (HMAC-SHA256 over componentId:version:timestamp:data, and :nonce if there is one), and flags. What all shards share
 * is made once, before they start; each shard has a signer of its own, which holds the prepared keys and scratch
 * memory.
 *
 * What comes back from a client is data until it is verified: every field is type-checked, nothing is unpacked before
 * the signature holds, and the flags, which are not signed, must agree with what data looks like. What one may get
 * wrong: a signature says that some server of this secret made the state, not for whom; who may mount is for the
 * caller.
 */
#ifndef SERVER_SECURITY_SIGNATURE_H
#define SERVER_SECURITY_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/counter.h"
#include "core/str.h"

struct signer;
struct signing_keys;

enum { SIGNATURE_SKEW_MS = 30000 }; /* a state may come from a node whose clock is so far ahead */

struct signing_options {
	struct str secret;      /* empty: 32 random bytes as hex text, so states end with the process */
	int64_t max_age_ms;     /* older states are refused: "State expired" */
	size_t max_state_bytes; /* of a state when unpacked */
	bool compress;          /* gzip data of more than 1024 bytes, when that makes it shorter than 0.9 of it */
	bool encrypt;           /* seal data with AES-256-GCM, so that clients cannot read it */
	int64_t nonce_ttl_ms;   /* give each signature a nonce that is good for so long; 0: no nonces */
	int64_t rotation_ms;    /* a new key each so many ms, the same on all nodes (keys.h); 0: the secret itself */
};

/* [start] Takes a copy of what it needs. Never NULL. */
struct signing_keys *signing_keys_new(const struct signing_options *options);
/* [start] NULL is fine. */
void signing_keys_free(struct signing_keys *keys);

/* [start] A signer for one shard; keys must outlive it. Never NULL. */
struct signer *signer_new(const struct signing_keys *keys);
/* [shard] NULL is fine. */
void signer_free(struct signer *signer);

struct signing {
	struct str component_id; /* without a colon */
	struct str component_name;
	const live_value *state; /* an object */
	uint64_t version;        /* below 2^53 */
	int64_t wall_ms;         /* at least 0 */
};

/* [shard] Appends the signed state as a JSON object; nothing when the state is larger than max_state_bytes. */
void signer_sign(struct signer *signer, const struct signing *what, struct buf *out);

struct signed_state {
	const live_value *state;   /* without __componentName; the caller owns it */
	struct str component_name; /* a loan from source; lives as long as it; empty: it has none */
	const live_value *source;  /* the caller owns it */
	uint64_t version;
};

/*
 * [shard] Verifies a signed state that came from a client and unpacks it. NULL and *out filled, or the protocol's text:
 * "State expired", "Invalid signature", "Invalid state signature" (a field that is missing or of another type, a time
 * more than SIGNATURE_SKEW_MS ahead, or data that does not unpack). A nonce is not looked at, as the protocol wants it
 * for rehydration (section 19, row 20): a client may come back with the same state twice.
 */
const char *signer_open(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			struct signed_state *out);
/* [shard] Verifies it likewise, but unpacks nothing and counts nothing: for who must know before it is opened. */
const char *signer_verify(struct signer *signer, const live_value *signed_state, int64_t wall_ms);
/* [shard] As signer_open, but a state that carries a nonce is good once in this process (when nonces are on): else one
 * of the texts of nonce_parse and nonce_use. */
const char *signer_open_once(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			     struct signed_state *out);

struct signer_counters {   /* written by the signer's shard, read [any] */
	counter made;      /* signed states */
	counter too_large; /* not signed */
	counter accepted;  /* signed states opened */
	counter refused;   /* and not */
};

const struct signer_counters *signer_counters(const struct signer *signer); /* [any] */

#endif
