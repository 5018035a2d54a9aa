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
/* A random number below bound (at least 1), without bias. */
uint32_t id_random_below(uint32_t bound);

#endif
