/*
 * session - what a client says and hears: the client's side of the protocol.
 *
 * It takes the steps of a climb, understands what the server sends, and checks it: each delivery must be for this
 * member, of its room, and in sequence; each reply must be the next one. The first thing wrong fails the run. All
 * functions run on the worker's thread.
 */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "clients/bench/bench.h"

/* Takes the next step towards the client's goal, or tells climb that it is there. */
void session_advance(struct worker *worker, struct client *client);

/* Something happened on the client's socket (EPOLL* bits). */
void session_event(struct worker *worker, struct client *client, uint32_t events);

/* Sends the frames in worker->out, and empties it. */
void session_send(struct worker *worker, struct client *client);

#endif
