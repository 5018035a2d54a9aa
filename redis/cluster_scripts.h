/*
 * cluster_scripts - what Redis does for singletons in one step, as Lua.
 *
 * Beside the keys of behaviour.md 14.2 each singleton has a hash, its "meta": the fence (a number that grows with each
 * claim), the id of the component, the claim that it is of, and the number of the last delta; and a list of answers
 * that were given to other nodes. The fence is at least the time in ms, so that it is above all that was given before
 * Redis lost it. The epoch is a name that Redis has as long as it forgets nothing. States and answers are text to the
 * scripts. Threads: [start] to prepare, [any] to read.
 */
#ifndef REDIS_CLUSTER_SCRIPTS_H
#define REDIS_CLUSTER_SCRIPTS_H

#include "redis/script.h"

/*
 * claim: KEYS claim, meta, singleton state, answers, epoch. ARGV: "claim" or "look", port, component id, "1" to insist
 * on that id, lease in ms, TTL in seconds (0: none), the prefix of component states, the epoch that is known or "", a
 * new one, "1" to claim nothing that Redis knows nothing of. Returns {verdict, claim or false, state or false, seq or
 * false, fence or false, answers...}; or {"forgotten", epoch}: it may be somebody's that will come back and say so.
 */
extern struct redis_script cluster_script_claim;

/*
 * keep: KEYS claim, meta, singleton state, answers, component state. ARGV: "keep", "save" or "release", claim, fence,
 * "1" to revive, lease in ms, TTL, component id, seq, state or "", head and tail of the singleton state, head and tail
 * of the component state, "1" to forget, number of answers, channel, "1" if these are all answers there are,
 * answers..., messages... Returns {verdict, claim or false, false, false, fence or false}: claim and fence as they were
 * before.
 */
extern struct redis_script cluster_script_keep;

/* epoch: KEYS epoch. ARGV: a new one. Returns {"forgotten", epoch}. */
extern struct redis_script cluster_script_epoch;

#endif
