/*
 * worker - one thread of the generator: an epoll loop over its own clients.
 *
 * It takes orders from the main thread, lets climb and load send what is due, and hands what arrives to session.
 * Nothing is locked: what threads share is in bench.h. Threads: worker_start and worker_join are the main thread's;
 * worker_poke is anyone's.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include "clients/bench/bench.h"

#define WORKER_SCRATCH ((size_t)512 << 10)

/* Starts the thread. 0 or negative errno. */
int worker_start(struct worker *worker);

/* Waits until it has taken up ORDER_QUIT and ended; from then on its clients may be read. */
void worker_join(struct worker *worker);

/* Makes it look for orders and for completed flights. */
void worker_poke(struct worker *worker);

#endif
