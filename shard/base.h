/*
 * base - a libevent loop for one thread, set up as all of ours are.
 *
 * Private to shard/. Threads: [start].
 */
#ifndef SHARD_BASE_H
#define SHARD_BASE_H

struct event_base;

/* A loop without locks; free it with event_base_free. 0 or -errno (-EMFILE: no descriptors for it). */
int base_new(struct event_base **out) __attribute__((warn_unused_result));

#endif
