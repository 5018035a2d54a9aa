/*
 * thread - how the threads of shard/ are started: named, and with the signals left to the main thread.
 *
 * Private to shard/. Threads: [start].
 */
#ifndef SHARD_THREAD_H
#define SHARD_THREAD_H

#include <pthread.h>

/* Starts run(argument) on a new thread called name (at most 15 bytes are kept), in the log too. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, void (*run)(void *argument), void *argument)
	__attribute__((warn_unused_result));

#endif
