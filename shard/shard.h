/*
 * shard - one thread, one libevent loop, one mailbox: the owner of all actors that live on it.
 *
 * Nothing on a shard is ever locked, since only its thread touches it. The tick: run whatever is ready (sockets,
 * timers, mail), then (1) the tasks of the CLOSE phase, (2) those of the FLUSH phase, (3) post the mail collected for
 * each other shard as one chain, (4) empty the graveyard, reset the arena, flush the log. Mail to the own shard is
 * queued and delivered in the same tick, before the phases; tasks and mail that arise meanwhile are run too, within a
 * budget, and what is over it waits for the next tick. So handlers only append, and a burst costs one system call per
 * connection.
 *
 * Owner: the shard group. What one may get wrong: calling a [shard] function from another thread; debug builds assert
 * it.
 */
#ifndef SHARD_SHARD_H
#define SHARD_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/counter.h"
#include "core/list.h"
#include "shard/mailbox.h"
#include "shard/wheel.h"

struct event_base;
struct shard;
struct shard_group;

struct shard_options {
	unsigned count;         /* shards, 1 to 1024 */
	unsigned mailbox_depth; /* at least 1: mail in flight from one shard to another before the sender is pressed */
	unsigned mail_budget;   /* at least 1: deliveries per tick before the sockets have their turn again */
	bool manual;            /* no threads: tests step the shards by hand */
};

/* ---- the group [start] ---- */

/* Builds count shards. Each has its loop and mailbox but no thread yet. 0 or -errno (-EINVAL: options out of range). */
int shard_group_new(struct shard_group **out, const struct shard_options *options) __attribute__((warn_unused_result));
/* Starts a thread per shard; on_start (may be NULL) runs first on each, on_stop (may be NULL) last, and what it queued
 * is still flushed. Not for manual groups. 0 or -errno (then all that had started has stopped again). */
int shard_group_start(struct shard_group *group, void (*on_start)(struct shard *, void *),
		      void (*on_stop)(struct shard *, void *), void *argument) __attribute__((warn_unused_result));
/* [any but a shard] Asks every shard to end its loop after its current tick, and waits for the threads. Does nothing
 * when they do not run. */
void shard_group_stop(struct shard_group *group);
/* [start] After the stop, and after all other threads that post here have ended: discards mail that was not delivered,
 * frees what waits in the graveyards, frees the group. NULL is fine. */
void shard_group_free(struct shard_group *group);
unsigned shard_group_count(const struct shard_group *group);                   /* [any] */
struct shard *shard_group_at(const struct shard_group *group, unsigned index); /* [any] */

/* ---- what a shard is ---- */

unsigned shard_index(const struct shard *shard);               /* [any] */
struct shard_group *shard_group_of(const struct shard *shard); /* [any] */
struct event_base *shard_base(struct shard *shard);            /* [shard] */
struct wheel *shard_wheel(struct shard *shard);                /* [shard] */
/* [shard] Memory until the end of this tick. */
struct arena *shard_arena(struct shard *shard);
/* [shard] The time as of this tick: read when first asked for after the loop woke, the same until the tick ends. */
const struct tick_clock *shard_clock(struct shard *shard);
/* The shard whose thread this is (in a manual group: the one being stepped or entered), or NULL. [any] */
struct shard *shard_here(void);
/* [any] Asserts in debug builds that the caller runs on shard. A thread that is no shard passes while the group has no
 * threads: before the start, after the stop, and between the steps of a manual group. */
void shard_assert_here(const struct shard *shard);
/* [shard] Arms timer to fire after delay_ms (at least 0) from this tick's time. */
void shard_timer_after(struct shard *shard, struct timer *timer, int64_t delay_ms);

/* What the floors above keep per shard: one pointer for each, theirs to set and read. [shard], and [start] to set */
enum shard_context { SHARD_ROOMS, SHARD_CLUSTER, SHARD_COMPONENTS, SHARD_SERVER, SHARD_CONTEXTS };
void shard_set_context(struct shard *shard, enum shard_context which, void *context);
void *shard_context(const struct shard *shard, enum shard_context which);

/* ---- mail ---- */

/* [shard] Sends mail from here to the shard numbered to; it leaves at the end of the tick (for here itself: is
 * delivered before the tick ends). Per ordered pair FIFO. Gives mail away. */
void shard_post(struct shard *here, unsigned to, struct mail *mail);
/* [any] Sends mail from a thread that is no shard. Gives mail away. */
void shard_post_outside(struct shard *to, struct mail *mail);
/* [any] Sends mail to the shard numbered to of group, by one of the two above. Gives mail away. */
void shard_post_any(struct shard_group *group, unsigned to, struct mail *mail);

/* [shard] Whether mail from here waits at some shard beyond mailbox_depth (and since then at none fell below half of
 * it): then stop reading what feeds it. */
bool shard_is_pressed(const struct shard *here);

struct relief {
	struct list link; /* list_init it before first use; list_remove it to give up waiting */
	void (*relieved)(struct relief *self, struct shard *here);
};

/* [shard] Calls relief once, in a later tick, when here is not pressed (any more): in the order of asking, and no
 * further ones once their work presses here again. */
void shard_await_relief(struct shard *here, struct relief *relief);

/* ---- the end of the tick ---- */

enum tick_phase { TICK_CLOSE, TICK_FLUSH, TICK_PHASES };

struct tick_task { /* zeroed before first use; embed it in what has work at the end of the tick */
	struct tick_task *next;
	bool queued;
	void (*run)(struct tick_task *self, struct shard *here);
};

/* [shard] Runs task once in the phase of this tick; does nothing when it is queued already. Queued tasks must not be
 * freed: bury them. */
void shard_at_tick_end(struct shard *here, enum tick_phase phase, struct tick_task *task);

struct grave { /* embed it in what dies */
	struct grave *next;
	void (*free)(struct grave *self);
};

/* [shard] Frees the dead at the end of this tick: pointers to it stay good until then, and until its tasks that are
 * queued already have run. */
void shard_bury(struct shard *here, struct grave *grave);

struct kept { /* embed it in what others may hold until the end, threads that are none of ours perhaps */
	struct list link;
	void (*free)(struct kept *self);
};

/* [shard] Frees it with the group, after the last mail was discarded, unless it is taken off the list before. */
void shard_keep(struct shard *here, struct kept *kept);

/* ---- handles: what other shards keep instead of pointers ---- */

struct handle {
	uint32_t index;
	uint32_t generation; /* 0 is no handle */
	uint16_t shard;
};

/* [shard] Names thing, which lives here. */
struct handle shard_handle_open(struct shard *here, void *thing);
/* [shard] The thing, or NULL when it is gone; the handle must be of here. */
void *shard_handle_find(const struct shard *here, struct handle handle);
/* [shard] From now on the handle finds nothing. */
void shard_handle_close(struct shard *here, struct handle handle);
static inline bool handle_is_set(struct handle handle)
{
	return handle.generation != 0;
}

/* ---- what runs now, for the watchdog ---- */

struct shard_job {        /* a function of an author; text that stays valid for as long as it may run */
	const char *who;  /* the component's name; NULL: none runs */
	const char *what; /* the action, or the hook */
};

/* [shard] Says what runs from now on. Returns what ran before, to be said again when this has ended. Two stores. */
struct shard_job shard_say_job(struct shard *here, struct shard_job job);

/* ---- figures, each shard its own ---- */

/* Ticks by how long their work took: up to 16 us, each further bucket four times as long, the last without a bound. */
enum { SHARD_TICK_BUCKETS = 10 };

struct shard_counters {
	counter ticks;
	counter busy_ns; /* in ticks, from the first look at the clock after waking */
	counter tick_buckets[SHARD_TICK_BUCKETS];
	counter mail_sent;      /* to other shards */
	counter mail_delivered; /* from anywhere, here included */
	counter wakeups;        /* eventfd writes by this shard */
	counter pressed;        /* times that this shard became pressed */
	counter load;           /* connections: the floors above add and subtract, the acceptor reads */
	counter idle; /* of load: kept open without being clients; they do not count when the next is dealt out */
};

/* The longest tick that bucket counts; not of the last one. [any] */
static inline int64_t shard_tick_bound_ns(unsigned bucket)
{
	return INT64_C(1) << (14 + 2 * bucket);
}

/* When the tick that shard is at began, by the monotonic clock; 0: it waits for something to do. [any] */
int64_t shard_tick_began_ns(const struct shard *shard);
/* The counters: written [shard], read [any]. */
struct shard_counters *shard_counters(struct shard *shard);
/* [any] Mail that shard from sent to shard to and that is not delivered yet; from other threads a recent figure. */
uint64_t shard_mail_in_flight(const struct shard_group *group, unsigned from, unsigned to);

/* ---- stepping by hand (manual groups, tests) ---- */

/* Runs one tick of shard on this thread without waiting for events; returns the number of things it did (deliveries,
 * timers, tasks, reliefs, chains posted; not: sockets). [start] */
unsigned shard_step(struct shard *shard);
/* Makes shard the one that shard_here finds between steps, so that a test may call [shard] functions; NULL: none.
 * [start] */
void shard_enter(struct shard *shard);
/* Sets shard's clocks, which in a manual group start at 0 and move only by this. [start] */
void shard_set_time(struct shard *shard, int64_t wall_ms, int64_t mono_ms);

#endif
