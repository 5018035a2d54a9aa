#include "core/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"

enum { SMALLEST = 64 };

void buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){.limit = limit};
}

void buf_deinit(struct buf *buf)
{
	free(buf->ptr);
	buf_init(buf, buf->limit);
}

static int grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap < SMALLEST ? SMALLEST : buf->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > buf->limit)
		cap = buf->limit;
	char *ptr = realloc(buf->ptr, cap);
	if (!ptr)
		return -ENOMEM;
	buf->ptr = ptr;
	buf->cap = cap;
	return 0;
}

int buf_reserve(struct buf *buf, size_t extra)
{
	if (extra <= buf->cap - buf->len)
		return 0;
	int rc = extra > buf->limit - buf->len ? -ENOSPC : grow(buf, buf->len + extra);
	if (rc < 0)
		buf->failed = true;
	return rc;
}

bool buf_try_reserve(struct buf *buf, size_t extra)
{
	if (extra <= buf->cap - buf->len)
		return true;
	return extra <= buf->limit - buf->len && grow(buf, buf->len + extra) == 0;
}

void buf_reset(struct buf *buf, size_t keep)
{
	if (buf->cap > keep) {
		buf_deinit(buf);
		return;
	}
	buf->len = 0;
	buf->failed = false;
}

void buf_consume(struct buf *buf, size_t count)
{
	assert_always(count <= buf->len);
	buf->len -= count;
	if (buf->len && count)
		memmove(buf->ptr, buf->ptr + count, buf->len);
}

/* Prints into the room there is (NULL for none); the length it would need, as vsnprintf gives it. */
static int print_into(char *room, size_t size, const char *format, va_list arguments)
{
	va_list copy;
	va_copy(copy, arguments);
	int len = vsnprintf(room, size, format, copy);
	va_end(copy);
	return len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	if (buf->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	size_t room = buf->cap - buf->len;
	int len = print_into(room ? buf->ptr + buf->len : NULL, room, format, arguments);
	if (len < 0) {
		buf->failed = true;
	} else if ((size_t)len < room) {
		buf->len += (size_t)len;
	} else if (buf->limit - buf->len > (size_t)len) {
		if (buf_reserve(buf, (size_t)len + 1) == 0) {
			print_into(buf->ptr + buf->len, (size_t)len + 1, format, arguments);
			buf->len += (size_t)len;
		}
	} else {
		/* It fits, if at all, only without the NUL that vsnprintf insists on. */
		char *text = NULL;
		if (vasprintf(&text, format, arguments) < 0)
			buf->failed = true;
		else
			buf_append(buf, text, (size_t)len);
		free(text);
	}
	va_end(arguments);
}
