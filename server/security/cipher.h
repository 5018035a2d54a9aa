/*
 * cipher - text sealed with AES-256-GCM: b64(iv):b64(tag):b64(text), 12 bytes of random iv and 16 of tag (protocol.md
 * section 11).
 *
 * Random ivs are safe for some 2^32 texts of one key (NIST SP 800-38D, section 8.3); with rotation each period has a
 * key of its own. Owned by one signer. Threads: [shard] of its owner.
 */
#ifndef SERVER_SECURITY_CIPHER_H
#define SERVER_SECURITY_CIPHER_H

#include "core/buf.h"
#include "core/str.h"

enum { CIPHER_KEY_BYTES = 32 };

struct cipher;

/* Never NULL. */
struct cipher *cipher_new(const unsigned char key[CIPHER_KEY_BYTES]);
/* NULL is fine. */
void cipher_free(struct cipher *cipher);

/* Appends text sealed. 0, or -ENOSPC, -ENOMEM. */
int cipher_seal(struct cipher *cipher, struct str text, struct buf *out) __attribute__((warn_unused_result));
/* Appends the text that was sealed. 0; -EINVAL when it was not sealed with this key or was changed (then nothing is
 * appended); -ENOSPC, -ENOMEM. */
int cipher_open(struct cipher *cipher, struct str sealed, struct buf *out) __attribute__((warn_unused_result));

#endif
