/*
 * proxy - the PROXY protocol's header, versions 1 and 2, as a proxy puts it in front of a connection's bytes.
 *
 * A reader is fed exactly the bytes that proxy_wants says, never more, so that what follows the header stays in the
 * socket (it may be a TLS handshake, which another reader takes from there). Threads: [any].
 */
#ifndef SERVER_NET_PROXY_H
#define SERVER_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/net/address.h"

enum { PROXY_HEADER_MAX = 16 + 1024 }; /* version 2: what we take of its address and extension part */

struct proxy_header {
	struct address source; /* ADDRESS_NONE: the header names none (LOCAL, UNKNOWN): keep the socket's */
	bool is_secure;        /* the client's side is TLS (version 2, PP2_TYPE_SSL) */
};

struct proxy_reader {
	uint16_t len;
	unsigned char bytes[PROXY_HEADER_MAX];
};

/* How many bytes the header surely still has (at least 1), so that reading them takes nothing of what follows. */
size_t proxy_wants(const struct proxy_reader *reader);
/* After count bytes (at most proxy_wants) were put at bytes + len: 1 when the header is complete and *header filled, 0
 * when more must come, -EPROTO when it is none. */
int proxy_feed(struct proxy_reader *reader, size_t count, struct proxy_header *header)
	__attribute__((warn_unused_result));

#endif
