/*
 * origin - which web pages may connect (protocol.md section 2.1).
 *
 * With a list, the Origin header must equal one entry exactly (browsers write scheme and host in lower case and leave
 * out a default port, RFC 6454 section 6.2); "null", a missing header and anything else is refused. Without a list
 * every page may. Built before the shards start, then read-only. Threads: [any].
 */
#ifndef SERVER_SECURITY_ORIGIN_H
#define SERVER_SECURITY_ORIGIN_H

#include <stdbool.h>

#include "core/str.h"

struct origin_list {
	const struct str *entries;
	unsigned count; /* 0: everything is allowed */
};

/* Whether origin (ptr NULL: the header is missing) may connect. */
bool origin_is_allowed(const struct origin_list *list, struct str origin);

#endif
