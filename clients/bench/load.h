/*
 * load - sends actions and room events, at given moments or as fast as the answers come.
 *
 * Open loop: each send has an intended time, fixed beforehand, and latency counts from it, so a server (or generator)
 * that stalls pays for all that should have been sent meanwhile. Closed loop: a fixed number is in flight. All
 * functions run on the worker's thread.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "clients/bench/bench.h"

/* Takes up ORDER_ACTIONS, ORDER_EVENTS or ORDER_ROUND. */
void load_start(struct worker *worker, const struct order *order);

/* Sends nothing new from here on. */
void load_halt(struct worker *worker);

/* Sends what is due. Returns when to call again at the latest (CLOCK_MONOTONIC), UINT64_MAX for never. */
uint64_t load_tick(struct worker *worker, uint64_t now_ns);

/* Reply `number` has come to `client`. */
void load_answered(struct worker *worker, struct client *client, uint32_t number);

/* A member has received event `number` of client `sender` (an index into all clients). */
void load_delivered(struct worker *worker, uint32_t sender, uint32_t number);

#endif
