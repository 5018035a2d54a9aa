#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size)
{
	if (!memory) {
		fprintf(stderr, "liveshard: no memory for %zu bytes\n", size);
		abort();
	}
	return memory;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1), size);
}

void *mem_alloc_raw(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *mem_realloc(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1), size);
}

void *mem_try_alloc(size_t size)
{
	return malloc(size ? size : 1);
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc_raw(len + 1);
	if (len)
		memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}
