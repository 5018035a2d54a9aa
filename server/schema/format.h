/*
 * format - what strings are dates, addresses and the like: the formats of JSON Schema that are checked.
 *
 *	date-time, date, time   RFC 3339 (a leap second is allowed at the end of any day, in UTC)
 *	email                   RFC 5321 without quoted names and address literals; the domain is a hostname
 *	hostname                RFC 1123: labels of letters, digits and -, at most 253 bytes
 *	ipv4, ipv6              RFC 2673 section 3.2, RFC 4291 section 2.2
 *	uri                     RFC 3986: a scheme, then only characters that may stand in one; not split further
 *	uuid                    RFC 9562, any version, either case
 *
 * Threads: [any].
 */
#ifndef SERVER_SCHEMA_FORMAT_H
#define SERVER_SCHEMA_FORMAT_H

#include <stdbool.h>

#include "core/str.h"

/* text is NUL-terminated behind its end. */
typedef bool format_fn(struct str text);

/* The check of the format named name, or NULL. */
format_fn *format_find(struct str name);

#endif
