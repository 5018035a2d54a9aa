/*
 * figures - what the way to Redis counts on each shard: the link's figures, and those of the rooms behind it.
 *
 * Written [shard] by their owner alone, read [any]. Who adds a counter adds a row in figures.c, and one in
 * server/monitor/metric_rows.c; tests look for those without.
 */
#ifndef REDIS_FIGURES_H
#define REDIS_FIGURES_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/counter.h"

enum redis_state {
	REDIS_CONNECTING, /* at the start, not decided yet */
	REDIS_UP,
	REDIS_DOWN, /* gone, silent, or it refuses us */
	REDIS_FULL, /* connected, but it refuses to write */
	REDIS_STATES
};

/* Answers by how long they took: up to the bounds in figures.c, the last bucket without one. */
enum { REDIS_ROUND_TRIP_BUCKETS = 16 };

struct redis_figures {                /* of one shard's link: both connections together */
	alignas(64) counter connects; /* connections that became ready */
	counter failures;             /* attempts that failed and connections that were lost */
	counter commands;             /* sent */
	counter errors;               /* answers that were errors */
	counter timeouts;             /* commands not answered in time */
	counter lost;                 /* commands whose answers were lost with their connection */
	counter refused_down;         /* commands not taken: there was no connection */
	counter refused_full;         /* commands not taken: too much waited for answers */
	counter bytes_in;
	counter bytes_out;
	counter messages;       /* received on channels */
	counter resubscribed;   /* channels that came back after a reconnect */
	counter queued;         /* now: commands not answered */
	counter queued_bytes;   /* now */
	counter channels;       /* now: subscribed to, or to be */
	counter channels_live;  /* now: of these, confirmed by Redis */
	counter round_trips_us; /* of all answers together */
	counter round_trips[REDIS_ROUND_TRIP_BUCKETS];
	_Atomic int state; /* enum redis_state */
};

struct redis_rooms_figures {         /* of one shard's rooms */
	counter rooms;               /* now: that live here, or wait for Redis to take what was theirs */
	counter waiting;             /* now: events and changes that are not in Redis yet */
	counter commits;             /* changes of states that Redis took */
	counter conflicts;           /* commits that came too late, and were made again */
	counter reads;               /* states read: opened rooms, gaps, reconnects */
	counter restores;            /* rooms given back to a Redis that had lost them */
	counter sent;                /* messages published */
	counter received;            /* messages taken from others */
	counter refused_malformed;   /* messages that were none */
	counter refused_unsigned;    /* messages that the secret did not sign */
	counter refused_misplaced;   /* messages that speak of another room than their channel's */
	counter untrusted_unsigned;  /* stored states that the secret did not sign */
	counter untrusted_malformed; /* stored states that were none */
	counter dropped; /* events that other nodes did not get: there was no connection, or too much waited */
	counter expired; /* times that changes of a cluster room were given up */
};

/* A counter of one of the structs, for those who tell of all: its name and its place. */
struct redis_figure_row {
	const char *name;
	size_t offset;
};

extern const struct redis_figure_row redis_figure_rows[]; /* of struct redis_figures, but for state and round trips */
extern const size_t redis_figure_rows_count;
extern const struct redis_figure_row redis_rooms_figure_rows[];
extern const size_t redis_rooms_figure_rows_count;

/* The figure of row; figures is the struct that it is of. */
uint64_t redis_figure_read(const void *figures, const struct redis_figure_row *row);
/* Counts an answer that took so long. [shard] */
void redis_figures_add_round_trip(struct redis_figures *figures, uint64_t us);
/* The longest answer that bucket counts; not of the last one. */
uint64_t redis_round_trip_bound_us(unsigned bucket);
/* "up", "down", ... */
const char *redis_state_name(enum redis_state state);

#endif
