#include "clients/bench/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t wanted)
{
	fprintf(stderr, "liveshard-bench: cannot allocate %zu bytes\n", wanted);
	abort();
}

void *bench_alloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory(count * size);
	return memory;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t needed = buffer->length + more;

	if (needed > buffer->capacity) {
		size_t capacity = buffer->capacity ? buffer->capacity : 512;
		uint8_t *grown;

		if (needed > BUFFER_LIMIT)
			out_of_memory(needed);
		while (capacity < needed)
			capacity *= 2;
		grown = realloc(buffer->bytes, capacity);
		if (!grown)
			out_of_memory(capacity);
		buffer->bytes = grown;
		buffer->capacity = capacity;
	}
	return buffer->bytes + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length) {
		memcpy(buffer_reserve(buffer, length), bytes, length);
		buffer->length += length;
	}
}

void buffer_consume(struct buffer *buffer, size_t length)
{
	if (!length)
		return; /* moving all of it onto itself, for each piece of a long frame, would be quadratic */
	if (length >= buffer->length) {
		buffer->length = 0;
		return;
	}
	buffer->length -= length;
	memmove(buffer->bytes, buffer->bytes + length, buffer->length);
}

void buffer_deinit(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){0};
}
