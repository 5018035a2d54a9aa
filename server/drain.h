/*
 * drain - how a server leaves without hurting anybody: first the balancer hears of it, then what lives here moves, then
 * the clients are sent away, not all at once.
 *
 * The main thread asks for each step and may give up at any time; the shards send their own clients away. The phases,
 * each with an end by the clock, whatever the others do:
 *
 *	DELAY     /readyz says 503, and we go on accepting, so that a balancer notices before anybody is refused
 *	WINDOW    nothing is accepted; singletons that are owned here go to other nodes; clients are closed with
 *	          1001, evenly over the window
 *	GOODBYE   all have been told; we wait for them to go
 *
 * Threads: [start], the main thread, but where tagged.
 */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct drain;
struct server;
struct server_shard;

enum drain_phase { DRAIN_NOT, DRAIN_DELAY, DRAIN_WINDOW, DRAIN_GOODBYE, DRAIN_OVER };

struct drain_plan { /* of the server; the main thread's */
	enum drain_phase phase;
	int64_t until_ms; /* of the phase */
	int64_t window_ms;
	_Atomic unsigned orders; /* to shards, on their way; counted down by them (release), read by main (acquire) */
};

/* Begins. The plan must be DRAIN_NOT. */
void drain_begin(struct server *server, int64_t delay_ms, int64_t window_ms);
/* Goes on; true: all have left, or the time is over. */
bool drain_step(struct server *server);
/* Ends the shard's part. NULL is fine. [shard] */
void drain_free(struct drain *drain);

#endif
