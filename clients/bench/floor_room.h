/*
 * floor_room - connections and rooms of the floor: what goes to whom, in as few instructions as possible.
 *
 * With FLOOR_EACH every delivery is a send of its own. With FLOOR_BATCH a room collects the frames of a turn of the
 * event loop in one log, and each member gets the log (without its own frames) by one send at the end of the turn.
 * Threads: the floor has one.
 */
#ifndef BENCH_FLOOR_ROOM_H
#define BENCH_FLOOR_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "clients/bench/buffer.h"

#define FLOOR_NOWHERE UINT32_MAX

enum floor_mode {
	FLOOR_EACH,
	FLOOR_BATCH,
};

struct floor_conn {
	int fd;
	int epoll_fd;
	bool is_upgraded;
	bool is_dead; /* in the graveyard: freed at the end of the turn */
	bool wants_write;
	uint32_t room;      /* FLOOR_NOWHERE, or its number */
	uint32_t place;     /* among the room's members */
	uint32_t own_first; /* the first of its frames in the room's log; FLOOR_NOWHERE */
	uint32_t own_last;
	size_t log_from;   /* where in the log its membership began, this turn */
	struct buffer in;  /* an unfinished frame */
	struct buffer out; /* what the socket did not take */
	struct floor_conn *next_dead;
};

struct floor_rooms;

struct floor_rooms *floor_rooms_new(enum floor_mode mode);
void floor_rooms_free(struct floor_rooms *rooms);

/* Sends, or keeps for later what the socket does not take. False when the connection is broken. */
bool floor_conn_send(struct floor_conn *conn, const struct iovec *pieces, unsigned count);

/* The socket is writable again. False when the connection is broken. */
bool floor_conn_flush(struct floor_conn *conn);

/* Makes `conn` a member of room `number`; a non-empty `notice` goes to those already there. */
void floor_rooms_join(struct floor_rooms *rooms, struct floor_conn *conn, uint32_t number, const void *notice,
		      size_t length);

/* Takes `conn` out of its room, if it is in one. */
void floor_rooms_leave(struct floor_rooms *rooms, struct floor_conn *conn);

/* Delivers a text to all other members of the room that `conn` is in. */
void floor_rooms_emit(struct floor_rooms *rooms, struct floor_conn *conn, const void *text, size_t length);

/* The end of a turn: sends what was collected. */
void floor_rooms_flush(struct floor_rooms *rooms);

#endif
