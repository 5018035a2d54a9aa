/*
 * room_commits - what waits in a room whose changes are committed outside before anybody is told.
 *
 * Changes of the state, and events and questions that come behind them, wait in the order of coming. A batch of them is
 * run against the room's state, which tells what the changes would be; the adapter commits that, and only then members
 * are told and askers answered. When somebody else was first, the same is run again against the newer state: so an
 * update's function may be called several times, and what it did counts once.
 *
 * What was committed is remembered for a while, with the number of its first commit: a store that lost it, and was
 * given an older state by somebody else, makes it wait again, though its asker has long been answered.
 *
 * For the files of pubsub alone. Owner: the room. Threads: [shard] the home.
 */
#ifndef PUBSUB_ROOM_COMMITS_H
#define PUBSUB_ROOM_COMMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "pubsub/adapter.h"
#include "pubsub/room_mail.h"

struct room;
struct room_commits;

/* Never NULL. */
struct room_commits *room_commits_new(struct room *room);
/* Frees it with what waits, telling nobody. NULL is fine. */
void room_commits_free(struct room_commits *commits);
/* Takes mail that must wait, and asks the adapter for a commit; or answers it, when too much waits. false: it need not
 * wait, and is still the caller's. */
bool room_commits_take(struct room_commits *commits, struct room_mail *mail);
/* rooms_adapter_run and so on. */
const struct room_batch *room_commits_run(struct room_commits *commits, uint64_t number);
const struct room_batch *room_commits_out(const struct room_commits *commits);
void room_commits_commit(struct room_commits *commits);
void room_commits_drop(struct room_commits *commits, bool may_be_done);
void room_commits_settle(struct room_commits *commits, uint64_t acked, const char *error);
int64_t room_commits_expire(struct room_commits *commits, int64_t before_ms, const char *error, const char *out_error);
/* When the oldest of those that may be run (again) came or was done, monotonic; INT64_MAX: there are none. */
int64_t room_commits_since_ms(struct room_commits *commits);
/* Says error to all. */
void room_commits_fail(struct room_commits *commits, const char *error);

#endif
