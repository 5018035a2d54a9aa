/*
 * signature - a component's state, signed, so that its client can keep it and bring it back (protocol.md section 11).
 *
 * The object is JSON: data (the state with __componentName, as JSON text, perhaps gzipped), signature (HMAC-SHA256 over
 * id, version, time and data), and flags. Keys are made once, before the shards start, and only read; each shard has a
 * signer of its own, which holds the prepared digests and scratch memory. What comes back from a client is data until
 * it is verified: every field is checked, and nothing is unpacked before the signature holds.
 */
#ifndef SERVER_SECURITY_SIGNATURE_H
#define SERVER_SECURITY_SIGNATURE_H

#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/str.h"

struct signer;

struct signing_options {
	struct str secret;      /* empty: 32 random bytes as hex text, so states end with the process */
	int64_t max_age_ms;     /* older states are refused: "State expired" */
	size_t max_state_bytes; /* of a state when unpacked */
};

struct signing_keys;

/* [start] Takes a copy of what it needs. Never NULL. */
struct signing_keys *signing_keys_new(const struct signing_options *options);
/* [start] NULL is fine. */
void signing_keys_free(struct signing_keys *keys);

/* [start] A signer for one shard; keys must outlive it. Never NULL. */
struct signer *signer_new(const struct signing_keys *keys);
/* [shard] NULL is fine. */
void signer_free(struct signer *signer);

struct signing {
	struct str component_id;
	struct str component_name;
	const live_value *state;
	uint64_t version;
	int64_t wall_ms;
};

/* [shard] Appends the signed state as a JSON object; nothing when the state is larger than max_state_bytes. */
void signer_sign(struct signer *signer, const struct signing *what, struct buf *out);

struct signed_state {
	const live_value *state;   /* without __componentName; the caller owns it */
	struct str component_name; /* a loan from state's source; lives as long as source */
	const live_value *source;  /* the caller owns it */
	uint64_t version;
};

/*
 * [shard] Verifies a signed state that came from a client and unpacks it. NULL and *out filled, or the protocol's text:
 * "State expired", "Invalid signature", "Invalid state signature".
 */
const char *signer_open(struct signer *signer, const live_value *signed_state, int64_t wall_ms,
			struct signed_state *out);

#endif
