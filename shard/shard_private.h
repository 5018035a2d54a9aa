/*
 * shard_private - what a shard is inside: for shard.c (the tick), shard_mail.c (traffic between shards) and
 * shard_group.c (birth and death) only. Threads: [shard]; [start] for what begins or ends one.
 */
#ifndef SHARD_SHARD_PRIVATE_H
#define SHARD_SHARD_PRIVATE_H

#include <pthread.h>
#include <stdalign.h>

#include "shard/handles.h"
#include "shard/padded.h"
#include "shard/shard.h"

struct event;

/* A shard number for mail from threads that are no shards: it is not counted. */
enum { FROM_OUTSIDE = UINT32_MAX };

struct mail_queue {
	struct mail *first; /* the oldest */
	struct mail *last;
};

struct task_queue {
	struct tick_task *first;
	struct tick_task *last;
};

struct grave_queue {
	struct grave *first;
	struct grave *last;
};

/* What the watchdog reads; written by its shard alone, relaxed but where said. */
struct watched {
	_Atomic int64_t began_ns;   /* of this tick, since the clock was read; 0: none runs. The store of 0 releases
				       longest_ns to the watchdog, which acquires */
	_Atomic int64_t longest_ns; /* what the last tick over the limit took */
	_Atomic(const char *) who;  /* struct shard_job */
	_Atomic(const char *) what;
};

/* The way from one shard to one other, as its sender sees it. */
struct lane {
	struct mail_queue leaving; /* at the end of this tick */
	uint64_t seen_delivered;   /* of what was sent, as of the last look */
	bool pressed;              /* since too much was in flight, until less than half of that is */
};

struct shard { /* NOLINT(clang-analyzer-optin.performance.Padding): the counters have lines of their own */
	/* What every tick touches. */
	struct shard_group *group;
	unsigned index;
	bool ending;         /* the stop was delivered: this tick is the last */
	bool clock_is_fresh; /* in this tick */
	unsigned mail_left;  /* deliveries that this tick may still make */
	struct tick_clock clock;
	int64_t woke_ns; /* when the clock was read */
	struct event_base *base;
	struct wheel *wheel;
	struct arena *arena;
	struct mail_queue arrived; /* taken from the box, or sent from here to here; not delivered */
	struct task_queue tasks[TICK_PHASES];
	struct grave_queue graves;
	struct grave_queue old_graves; /* of the tick before, spared because tasks were left over */
	struct list kept;              /* of struct kept */

	/* What mail to others touches: arrays of one entry per shard. */
	struct lane *lanes;
	unsigned *leaving; /* the shards to which something leaves */
	unsigned leaving_count;
	unsigned pressed_count; /* lanes that are pressed */
	struct list waiting;    /* struct relief */
	struct timer look;      /* wakes a pressed shard to look at its lanes */

	/* What is touched seldom. */
	struct mailbox *box;
	struct event *box_event;
	int timer_fd;
	int64_t timer_set_ms; /* the moment for which timer_fd is set, -1: none */
	struct event *timer_event;
	struct handles handles;
	void *contexts[SHARD_CONTEXTS];
	int64_t watch_limit_ns; /* longer ticks are told to the watchdog; 0: none watches. Set before the start */
	struct mail stop;       /* ends the loop; here so that stopping cannot fail */
	pthread_t thread;

	/* What other threads read; written by this shard alone, relaxed, and paired with nothing: they are mere
	 * figures. */
	counter *sent;      /* to each shard; the reader is whoever asks for mail in flight */
	counter *delivered; /* from each shard; read by the sender, to know when it is pressed */
	alignas(CACHE_LINE) struct shard_counters counters;
	struct watched watched;
};

struct shard_group {
	struct shard_options options;
	void (*on_start)(struct shard *shard, void *argument);
	void (*on_stop)(struct shard *shard, void *argument);
	void *argument;
	bool running; /* has threads; written while there are none */
	struct shard *shards[];
};

/* ---- shard.c ---- */

/* What the thread of shard does until the stop is delivered. */
void shard_run(struct shard *shard);
/* Ends a tick by hand: delivers, runs the tasks, posts, buries. Returns the number of things done. */
unsigned shard_end_tick(struct shard *shard);
/* The callbacks of a shard's own descriptors; argument is the shard. */
void shard_on_mailbox(int fd, short what, void *argument);
void shard_on_timer(int fd, short what, void *argument);
/* Frees what is buried; all of it when nothing may need it any more. */
void shard_free_graves(struct shard *shard, bool all);
/* The group ends: nobody holds any more what was kept for that. */
void shard_free_kept(struct shard *shard);

/* ---- shard_mail.c ---- */

void shard_mail_init(struct shard *shard);
void shard_mail_deinit(struct shard *shard);
/* Delivers at most mail_left of what arrived; returns how many. */
unsigned shard_deliver(struct shard *shard);
/* Posts what is to leave for other shards; returns the number of chains. */
unsigned shard_post_leaving(struct shard *shard);
/* Looks whether shard is still pressed, and calls those who wait when not; returns how many. */
unsigned shard_relieve(struct shard *shard);
/* Discards all that has not been delivered; returns how many. */
unsigned shard_discard_mail(struct shard *shard);

#endif
