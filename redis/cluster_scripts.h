/*
 * cluster_scripts - what Redis does for singletons in one step, as Lua.
 *
 * Beside the keys of behaviour.md 14.2 each singleton has a hash, its "meta": the fence (a number that grows with each
 * claim), the id of the component, the claim that it is of, and the number of the last delta; and a list of answers
 * that were given to other nodes. When the fence is lost it begins anew at the time in ms, which is above all that was
 * before. States and answers are text to the scripts. Threads: [start] to prepare, [any] to read.
 */
#ifndef REDIS_CLUSTER_SCRIPTS_H
#define REDIS_CLUSTER_SCRIPTS_H

#include "redis/script.h"

/*
 * claim: KEYS claim, meta, singleton state, answers. ARGV: "claim" or "look", port, component id, "1" to insist on that
 * id, lease in ms, TTL in seconds (0: none), the prefix of component states.
 * Returns {verdict, claim or false, state or false, seq or false, fence or false, answers...}.
 */
extern struct redis_script cluster_script_claim;

/*
 * keep: KEYS claim, meta, singleton state, answers, component state. ARGV: "keep", "save" or "release", claim, fence,
 * "1" to revive, lease in ms, TTL, component id, seq, state or "", head and tail of the singleton state, head and tail
 * of the component state, "1" to forget, number of answers, channel, answers..., messages... Returns {verdict, claim or
 * false}.
 */
extern struct redis_script cluster_script_keep;

#endif
