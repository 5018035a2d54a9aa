/*
 * room_scripts - what Redis does for rooms in one step, as Lua.
 *
 * No script looks inside a state: it is text to them, so that no number, empty array or null is mangled. A version is
 * counted beside the state; a state that somebody wrote without counting (a node of the reference) is found out by its
 * digest and counted as a change then. docs/internals/room-adapter.md has the whole story. Threads: [start] to prepare,
 * [any] to read.
 */
#ifndef REDIS_ROOM_SCRIPTS_H
#define REDIS_ROOM_SCRIPTS_H

#include "redis/script.h"

/*
 * read: KEYS state, meta. ARGV: origin, a lineage to begin, TTL in seconds (0: none).
 * Returns {version, lineage, state or false, signature or "", acks}; acks are {origin, its last commit, ...}.
 */
extern struct redis_script room_script_read;

/*
 * commit: KEYS state, meta. ARGV: origin, commit, expected version, expected lineage ("": a room that is not there),
 * new version, new lineage, new state, its signature or "", TTL, "commit" or "restore", ms that a restored room rests,
 * how many nodes' last commits are in what is restored, these as pairs origin, commit, then the channel and the
 * messages. Returns {"ok"}; {"conflict", version, lineage, state or false, signature, acks}; or {"wait", ms}.
 */
extern struct redis_script room_script_commit;

/*
 * member: KEYS members. ARGV: "join" or "leave", member, origin, TTL, channel, message. Returns 1.
 */
extern struct redis_script room_script_member;

/*
 * members: KEYS members, nodes. ARGV: origin, TTL, our members... . Sets ours, takes out those of nodes that are gone.
 * Returns {{origin, count, origin, count, ...}, {member, origin, ...}}: the living others, and who was taken out.
 */
extern struct redis_script room_script_members;

/*
 * beat: KEYS nodes. ARGV: origin, ms to live. Returns {1 if we were thought to be gone, {origins that live}}.
 */
extern struct redis_script room_script_beat;

#endif
