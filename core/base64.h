/*
 * base64 - bytes as text (RFC 4648 section 4: the standard alphabet, with padding), strictly.
 *
 * What one may get wrong: decoding refuses white space, missing padding and stray bits in the last letter, so that each
 * piece of bytes has exactly one text. Threads: [any].
 */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include <stddef.h>

#include "core/buf.h"
#include "core/str.h"

/* Letters that len bytes become; len at most SIZE_MAX / 2. */
static inline size_t base64_encoded_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* Appends bytes as base64. Check buf_failed. */
void base64_encode(struct buf *to, struct str bytes);
/* Appends the bytes that text stands for. 0; -EINVAL when it is no base64 (then nothing is appended); -ENOSPC or
 * -ENOMEM when there is no room. */
int base64_decode(struct buf *to, struct str text) __attribute__((warn_unused_result));

#endif
