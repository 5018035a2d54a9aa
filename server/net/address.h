/*
 * address - where a peer is, in 20 bytes, and sets of networks that one may be in.
 *
 * An IPv4 address that came as ::ffff:a.b.c.d is kept as IPv4, so that a limit or a trusted network means the same on
 * both kinds of sockets. A set is built before the shards start and read-only afterwards. Threads: [any].
 */
#ifndef SERVER_NET_ADDRESS_H
#define SERVER_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/str.h"

enum address_family { ADDRESS_NONE, ADDRESS_UNIX, ADDRESS_IPV4, ADDRESS_IPV6 };

struct address {
	uint8_t bytes[16]; /* network order; an IPv4 address is in the first four */
	uint16_t port;     /* host order; 0 when it has none */
	uint8_t family;    /* enum address_family */
};

enum { ADDRESS_TEXT_MAX = 56 }; /* "[ffff:...]:65535" and the NUL */

/* The address in a socket address; ADDRESS_NONE for a family we do not know. */
struct address address_of(const struct sockaddr *from, socklen_t len);
/* Parses "1.2.3.4", "1.2.3.4:80", "::1", "[::1]" or "[::1]:80". 0 or -EINVAL. */
int address_parse(struct address *out, struct str text) __attribute__((warn_unused_result));
/* Writes the address without its port ("1.2.3.4", "::1", "unix", "unknown"), NUL-terminated; returns the text. */
struct str address_text(const struct address *address, char out[ADDRESS_TEXT_MAX]);
/* Whether both are the same host, whatever the port. */
bool address_same_host(const struct address *a, const struct address *b);

struct address_set;

/* [start] An empty set. */
struct address_set *address_set_new(void);
/* NULL is fine. [start] */
void address_set_free(struct address_set *set);
/* [start] Adds "10.0.0.0/8", "::1", "fd00::/8", or "unix" (every unix-socket peer). 0 or -EINVAL. */
int address_set_add(struct address_set *set, struct str network) __attribute__((warn_unused_result));
/* Whether address lies in one of the networks. A NULL set holds nothing. */
bool address_set_has(const struct address_set *set, const struct address *address);

#endif
