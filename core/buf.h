/*
 * buf - a growing piece of bytes that is told its limit at birth.
 *
 * Owned by whoever embeds it. After a failed append the buffer is unchanged and marked failed, and later appends do
 * nothing, so that a writer of many parts need check only once, at the end (buf_failed). Threads: [any].
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/str.h"

struct buf {
	char *ptr;    /* NULL while empty and never used */
	size_t len;   /* bytes in use */
	size_t cap;   /* bytes allocated */
	size_t limit; /* bytes it may ever hold */
	bool failed;  /* an append did not fit its limit or found no memory */
};

/* An empty buffer that allocates nothing until it is used. */
void buf_init(struct buf *buf, size_t limit);
/* Frees the bytes; buf is empty and usable again. */
void buf_deinit(struct buf *buf);
/* Makes room for extra bytes more. 0, or -ENOSPC at the limit, -ENOMEM. */
int buf_reserve(struct buf *buf, size_t extra);
/* As buf_reserve, but a buffer that cannot is not failed: for writers that ask for more than they may need. */
bool buf_try_reserve(struct buf *buf, size_t extra);
/* Empties it and keeps the memory, unless it is more than keep bytes. Clears failed. */
void buf_reset(struct buf *buf, size_t keep);
/* Removes count bytes (at most len) from the front. */
void buf_consume(struct buf *buf, size_t count);
/* Appends as printf does. */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool buf_failed(const struct buf *buf)
{
	return buf->failed;
}

/* Room for extra bytes at the end, or NULL (then the buffer is failed). Use it, then add to len. */
static inline char *buf_room(struct buf *buf, size_t extra)
{
	if (__builtin_expect(buf->failed || (buf->cap - buf->len < extra && buf_reserve(buf, extra) < 0), 0))
		return NULL;
	return buf->ptr + buf->len;
}

static inline void buf_append(struct buf *buf, const void *bytes, size_t len)
{
	char *to = len ? buf_room(buf, len) : NULL;
	if (to) {
		memcpy(to, bytes, len);
		buf->len += len;
	}
}

static inline void buf_append_str(struct buf *buf, struct str s)
{
	buf_append(buf, s.ptr, s.len);
}

static inline void buf_append_char(struct buf *buf, char c)
{
	char *to = buf_room(buf, 1);
	if (to) {
		*to = c;
		buf->len++;
	}
}

static inline struct str buf_str(const struct buf *buf)
{
	return (struct str){buf->ptr, buf->len};
}

#endif
