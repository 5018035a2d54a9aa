/*
 * mem - allocation in two manners: of a size that we chose (no memory ends the process with a message) and of a size
 * that a peer chose (it may fail). All of it is given back with free(). Threads: [any].
 */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

/* size bytes, zeroed; never NULL. For small, fixed sizes. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* size bytes, not zeroed; never NULL. For what is filled at once. */
void *mem_alloc_raw(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* old resized to size bytes, the new part not zeroed; never NULL. */
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
/* size bytes, not zeroed, or NULL. For sizes that a peer chose. */
void *mem_try_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
/* A NUL-terminated copy of len bytes; never NULL. */
char *mem_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

#endif
