/*
 * climb - brings clients from where they stand to a goal: connected, mounted, or in a room.
 *
 * A limited number of a worker's clients climb at the same time (closed loop), or one starts at each interval (open
 * loop). Preparing a scenario is a climb; so is the measured part of `connect`, `mount`, `join` and `churn`. All
 * functions run on the worker's thread.
 */
#ifndef BENCH_CLIMB_H
#define BENCH_CLIMB_H

#include "clients/bench/bench.h"

/* Takes up ORDER_CLIMB. */
void climb_start(struct worker *worker, const struct order *order);

/* No new climbs; with `again`, those under way end at the goal. */
void climb_halt(struct worker *worker);

/* Starts the clients that are due. Returns when to call again at the latest (CLOCK_MONOTONIC), UINT64_MAX for never. */
uint64_t climb_tick(struct worker *worker, uint64_t now_ns);

/* A client stands at its goal. True if it shall close now, to climb anew. */
bool climb_reached(struct worker *worker, struct client *client);

/* A client that was to close has. */
void climb_closed(struct worker *worker, struct client *client);

#endif
