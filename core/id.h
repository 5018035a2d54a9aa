/*
 * id - unguessable identifiers and random bytes, from the operating system's generator.
 *
 * Random bytes come from getrandom(2) in blocks kept per thread, so that an id costs no system call. Threads: [any].
 */
#ifndef CORE_ID_H
#define CORE_ID_H

#include <stddef.h>
#include <stdint.h>

enum { ID_LEN = 8 }; /* letters of A-Z a-z 0-9 - _, 48 bits */

/* Fills out with len random bytes. Never fails (without a generator the process ends). */
void id_random(void *out, size_t len);
/* Writes ID_LEN letters and a NUL. */
void id_make(char out[ID_LEN + 1]);

/* Who makes ids, when it is somebody else. */
struct id_source {
	/* Writes an id of 1 to ID_SIZE_MAX - 1 letters of A-Z a-z 0-9 - _ . and a NUL. [any]; NULL: id_make is good. */
	void (*make)(void *argument, char *out);
	void *argument;
};

enum { ID_SIZE_MAX = 64 };

/* An id by source; returns its length. One that breaks the rule ends the process: ids are spliced into messages. */
size_t id_source_make(const struct id_source *source, char out[ID_SIZE_MAX]);

/* A random number below bound (at least 1), without bias. */
uint32_t id_random_below(uint32_t bound);

#endif
