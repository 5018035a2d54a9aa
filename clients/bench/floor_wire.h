/*
 * floor_wire - what liveshard-bench --raw and liveshard-floor agree on.
 *
 * A text frame of a client in a room goes, as it is, to the other members; a text frame of a client in no room comes
 * back. A binary frame joins a room: it starts with struct floor_join, and if text follows, that text goes to the
 * members already there. Its reply is the struct alone.
 */
#ifndef BENCH_FLOOR_WIRE_H
#define BENCH_FLOOR_WIRE_H

#include <stdint.h>

#define FLOOR_JOIN 'J'

struct floor_join {
	uint8_t command;
	uint8_t room[4]; /* its number, in the machine's byte order */
};

#endif
