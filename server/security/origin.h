/*
 * origin - which web pages may connect (protocol.md section 2.1).
 *
 * With a list, the Origin header must equal one entry exactly (browsers write scheme and host in lower case and leave
 * out a default port, RFC 6454 section 6.2), or, for the entry "same-origin", be that of the server itself: "null", a
 * missing header and anything else is refused. Without a list every page may. Built before the shards start, then
 * read-only. Threads: [any].
 */
#ifndef SERVER_SECURITY_ORIGIN_H
#define SERVER_SECURITY_ORIGIN_H

#include <stdbool.h>

#include "core/str.h"

struct origin_list {
	const struct str *entries;
	unsigned count; /* 0: everything is allowed */
};

/* Whether origin (ptr NULL: the header is missing) may connect to what it calls host (the Host header; ptr NULL:
 * unknown, then nobody is of the same origin), by TLS when is_secure. */
bool origin_is_allowed_at(const struct origin_list *list, struct str origin, struct str host, bool is_secure);
/* The same where nobody knows what it calls us. */
bool origin_is_allowed(const struct origin_list *list, struct str origin);

#endif
