/*
 * json_put - numbers as JSON text, put at a place that is known to have the room.
 *
 * Private to core/json_*.c, which make the room. Both write at most JSON_NUMBER_ROOM bytes, and may use all of it as
 * scratch. Threads: [any].
 */
#ifndef CORE_JSON_PUT_H
#define CORE_JSON_PUT_H

#include <stdint.h>

/* The longest is -1.2345678901234567e-308, and -0.0000012345678901234567 is longer by one. */
enum { JSON_NUMBER_ROOM = 32 };

/* Puts number at to; returns the place after it. */
char *json_put_int(char *to, int64_t number);
/* The same for a double: null when it is not finite, else as ECMA-262 Number::toString has it. */
char *json_put_double(char *to, double number);

#endif
