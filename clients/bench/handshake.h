/*
 * handshake - the opening handshake of WebSocket (RFC 6455, section 4), both sides.
 *
 * The client side asks and checks the answer, Sec-WebSocket-Accept included; the server side, for the floor, looks for
 * the key and nothing else. Threads: [any].
 */
#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clients/bench/buffer.h"

#define HANDSHAKE_MAX 8192 /* bytes of a request or answer; more is refused */

/* Appends a request for `path` at `host` (as in the Host header). `seed` makes the key; the check needs it again. */
void handshake_ask(struct buffer *out, const char *host, const char *path, uint64_t seed);

/*
 * Checks the server's answer. Returns its size (what follows are frames), 0 when it is not complete, -ECONNREFUSED when
 * the status is not 101, -EPROTO when the answer does not fit the request, -EMSGSIZE above HANDSHAKE_MAX.
 */
ssize_t handshake_check(const uint8_t *bytes, size_t length, uint64_t seed);

/*
 * The server side: answers the request in `bytes` to `out`. Returns the request's size, 0 when it is not complete,
 * -EPROTO when it has no key.
 */
ssize_t handshake_answer(const uint8_t *bytes, size_t length, struct buffer *out);

/* What a server must answer to a key of `length` characters, with a terminating zero. Exported for its test. */
#define HANDSHAKE_ACCEPT_SIZE 28
void handshake_make_accept(const char *key, size_t length, char accept[HANDSHAKE_ACCEPT_SIZE + 1]);

#endif
