/*
 * bench - what all parts of one run share.
 *
 * The main thread makes it, gives orders and reads counters; workers own their clients. Options, endpoints and rooms
 * are read-only once the workers run; counters are written by one worker each and summed by the main thread; the first
 * failure wins and ends the run. Threads: as each field says.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clients/bench/client.h"
#include "clients/bench/histogram.h"
#include "clients/bench/message.h"
#include "clients/bench/options.h"

/* Written by one worker, read by the main thread; both relaxed, since each is a number of its own. */
struct counters {
	_Atomic uint64_t reached;   /* clients that came to their goal */
	_Atomic uint64_t asked;     /* actions called */
	_Atomic uint64_t answered;  /* actions replied to */
	_Atomic uint64_t sent;      /* events sent */
	_Atomic uint64_t expected;  /* deliveries that must follow from them */
	_Atomic uint64_t delivered; /* deliveries to members that read */
	_Atomic uint64_t to_slow;   /* deliveries to members that did not, once they read again */
	_Atomic uint64_t system;    /* ROOM_SYSTEM received */
	_Atomic uint64_t other;     /* all other pushes */
	_Atomic uint64_t bytes;     /* received */
	_Atomic uint64_t reads;     /* recv calls that brought some */
	_Atomic uint64_t closed;    /* slow members that the server closed */
	_Atomic uint64_t last_ns;   /* when the last delivery or reply came */
};

/* Adds to a counter of one's own. */
static inline void count_add(_Atomic uint64_t *counter, uint64_t more)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

enum order_kind {
	ORDER_NONE,
	ORDER_CLIMB,   /* bring clients to `goal` */
	ORDER_ACTIONS, /* put on load, until halted */
	ORDER_EVENTS,
	ORDER_ROUND, /* each sender one event */
	ORDER_HALT,  /* no new load; replies and deliveries are still taken */
	ORDER_WAKE,  /* slow members read again */
	ORDER_QUIT,
};

struct order {
	enum order_kind kind;
	enum client_stage goal;
	bool again;           /* a client that reached the goal closes and starts anew */
	bool strict;          /* its latencies are recorded */
	uint32_t concurrency; /* clients climbing at the same time, in all */
	uint64_t start_ns;
	uint64_t interval_ns; /* open loop: between two sends of one sender, or two climbs; 0: closed loop */
	uint64_t record_ns;   /* latencies count from this intended time on */
};

struct climb {
	struct order order;
	bool active;
	uint32_t limit;   /* climbing at the same time, of this worker */
	uint32_t next;    /* the next client of this worker to start */
	uint32_t running; /* started and not there yet */
};

struct load {
	struct order order;
	bool active;
	struct client **senders; /* of this worker, by offset */
	uint32_t sender_count;
	uint32_t cursor; /* the next sender to send, when paced */
	uint64_t round;
};

struct bench;

struct worker {
	alignas(64) struct counters counters;
	alignas(64) struct bench *bench;
	uint32_t index;
	int epoll_fd;
	int wake_fd;
	atomic_uint order_seen; /* written by the worker: orders taken up so far */
	bool quit;
	pthread_t thread;
	struct client **clients; /* its own */
	uint32_t client_count;
	struct climb climb;
	struct load load;
	struct message_writer writer;
	struct buffer out; /* frames on their way to a socket */
	uint8_t *scratch;  /* bytes just read */
	uint64_t now_ns;   /* of the current read or tick */
	struct histogram latency;
	struct histogram remote; /* the part of it between clients of different URLs */
	struct histogram lag;    /* how late the generator itself sent, when paced */
};

enum bench_failing {
	BENCH_WELL,
	BENCH_WRITING, /* one thread writes the reason */
	BENCH_FAILED,
};

struct bench {
	struct options options;
	struct endpoint *endpoints;
	struct client *clients;
	struct worker *workers;
	uint64_t start_ns;  /* time 0 of intended_ns in events */
	struct order order; /* written by the main thread before order_number, read by workers after it */
	atomic_uint order_number;
	atomic_int failing; /* enum bench_failing */
	char failure[320];  /* good once failing is BENCH_FAILED */
};

/* [start] Resolves URLs, makes clients and workers. 0, or negative errno after telling on standard error. */
int bench_init(struct bench *bench, const struct options *options);
void bench_deinit(struct bench *bench);

/* [any] Notes why the run has failed; only the first reason is kept. */
__attribute__((format(printf, 2, 3))) void bench_fail(struct bench *bench, const char *format, ...);

/* [any] Whether it has. */
bool bench_has_failed(const struct bench *bench);

/* [any] Members of `room` that read. */
uint32_t bench_room_readers(const struct bench *bench, uint32_t room);

/* [any] Members of `room`; the last one may have fewer. */
uint32_t bench_room_members(const struct bench *bench, uint32_t room);

/* [any] Whether a client sends events in this scenario. */
bool bench_is_sender(const struct bench *bench, const struct client *client);

#endif
