/*
 * code_point - the characters of a text that is known to be UTF-8. A lone surrogate, which a value may hold in its
 * three-byte form, is one character. Threads: [any].
 */
#ifndef SERVER_SCHEMA_CODE_POINT_H
#define SERVER_SCHEMA_CODE_POINT_H

#include <stdint.h>

#include "core/str.h"

/* The first character of text, which must not be empty, in *out; returns its bytes (1 to 4, and never more than there
 * are). */
static inline size_t code_point_decode(struct str text, uint32_t *out)
{
	const unsigned char *at = (const unsigned char *)text.ptr;
	size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;

	if (len > text.len)
		len = text.len;
	*out = len == 1 ? *at : *at & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*out = *out << 6 | (at[i] & 0x3fu);
	return len;
}

/* How many characters text has. */
static inline size_t code_point_count(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

#endif
