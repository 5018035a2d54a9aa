/*
 * receive - understands what a server sends, and checks it.
 *
 * This is the hot path of the generator: one walk over the text, no tree. All functions run on the worker's thread.
 */
#ifndef BENCH_RECEIVE_H
#define BENCH_RECEIVE_H

#include "clients/bench/bench.h"

/* A text message for `client`: one JSON object, or an array of them. */
void receive_text(struct worker *worker, struct client *client, const char *text, size_t length);

/* A binary message: from the floor, the reply to a join; from others, only counted. */
void receive_binary(struct worker *worker, struct client *client, const uint8_t *bytes, size_t length);

#endif
