/*
 * buffer - bytes that grow.
 *
 * The owner frees it; one thread at a time. A zeroed buffer is an empty one and holds no memory. Growth beyond
 * BUFFER_LIMIT, or a machine without memory, ends the process: a load generator has nothing better to do then.
 * Pointers into a buffer are good until the next call that may grow it. Threads: [any], one at a time.
 */
#ifndef BENCH_BUFFER_H
#define BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#define BUFFER_LIMIT ((size_t)1 << 30)

struct buffer {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
};

/* Zeroed memory for `count` items of `size` bytes; never NULL. Free with free(). */
void *bench_alloc(size_t count, size_t size);

/* Room for `more` bytes after the end; returns where they go. The caller then adds to `length`. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t more);

/* Copies `length` bytes to the end. */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Drops the first `length` bytes (at most all). Keeps the memory. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Gives the memory back; the buffer is empty and usable again. */
void buffer_deinit(struct buffer *buffer);

#endif
