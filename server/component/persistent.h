/*
 * persistent - data that all instances of a component share, on all shards, for as long as the process lives.
 *
 * A component's name has one home among the shards, by its hash; there updates run, one after the other, so none is
 * lost. At the end of a tick in which it changed the home sends every other shard the new value, then answers those who
 * asked for the changes: whoever has its answer reads what it made. Reading is a look at the shard's own snapshot.
 *
 * Data is kept by name, not by definition: it outlives instances and reloads. What one may get wrong: a component reads
 * what was there before its own update until that is answered, also at home.
 *
 * Owner: component_shard. Threads: [shard].
 */
#ifndef SERVER_COMPONENT_PERSISTENT_H
#define SERVER_COMPONENT_PERSISTENT_H

#include <live/component.h>

struct component_shard;

/* Frees what here holds. */
void persistent_forget_all(struct component_shard *here);

#endif
