/* The tick of a shard, and what its owner asks of it. */
#include "shard/shard.h"

#include <event2/event.h>
#include <sys/timerfd.h>

#include "core/assert.h"
#include "core/log.h"
#include "shard/shard_private.h"

/* How often in one tick tasks and mail may give rise to more of them; what is left then waits for the next tick. */
enum { ROUNDS_PER_TICK = 8 };

/* What the arena keeps from tick to tick. */
enum { ARENA_KEEP_BYTES = 256 * 1024 };

/* Written and read by its own thread alone. */
static _Thread_local struct shard *here_now;

/* ---- time ---- */

static void look_at_clock(struct shard *shard)
{
	if (shard->clock_is_fresh)
		return;
	shard->clock_is_fresh = true;
	shard->woke_ns = clock_now_mono_ns();
	atomic_store_explicit(&shard->watched.began_ns, shard->woke_ns, memory_order_relaxed);
	if (shard->group->options.manual)
		return;
	shard->clock.mono_ms = shard->woke_ns / 1000000;
	shard->clock.wall_ms = clock_now_wall_ms();
}

void shard_on_timer(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct shard *shard = argument;
	/* Not read: the event is edge-triggered, and setting the timer anew clears it. The tick advances the wheel. */
	shard->timer_set_ms = -1;
}

/*
 * Sets the timer for next_ms, unless it is set for that moment or an earlier one: then it wakes the shard once for
 * nothing, which is rarer than a deadline that moves away (each message moves its connection's) and so costs fewer
 * system calls.
 */
static void set_timer(struct shard *shard, int64_t next_ms)
{
	if (shard->timer_set_ms >= 0 && shard->timer_set_ms <= next_ms)
		return;
	struct itimerspec at = {.it_value = {.tv_sec = next_ms / 1000, .tv_nsec = next_ms % 1000 * 1000000}};
	int rc = timerfd_settime(shard->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
	assert_always(rc == 0);
	shard->timer_set_ms = next_ms;
}

/* ---- the tick ---- */

static unsigned run_tasks(struct shard *shard, enum tick_phase phase)
{
	/* What these queue anew is for the next round. */
	struct tick_task *task = shard->tasks[phase].first;
	shard->tasks[phase] = (struct task_queue){NULL, NULL};
	unsigned count = 0;
	while (task) {
		struct tick_task *next = task->next;
		task->queued = false;
		task->run(task, shard);
		task = next;
		count++;
	}
	return count;
}

static bool has_tasks(const struct shard *shard)
{
	return shard->tasks[TICK_CLOSE].first || shard->tasks[TICK_FLUSH].first;
}

static bool can_deliver(const struct shard *shard)
{
	return shard->arrived.first && shard->mail_left > 0;
}

/* Delivers mail and closes, again and again until neither gives rise to more, so that each flush has all there is. */
static unsigned settle(struct shard *shard, unsigned *rounds)
{
	unsigned did = 0;
	do {
		did += shard_deliver(shard);
		did += run_tasks(shard, TICK_CLOSE);
		--*rounds;
	} while (*rounds > 0 && (can_deliver(shard) || shard->tasks[TICK_CLOSE].first));
	return did;
}

unsigned shard_end_tick(struct shard *shard)
{
	shard->mail_left = shard->group->options.mail_budget;
	unsigned rounds = ROUNDS_PER_TICK;
	unsigned did = 0;
	do {
		did += settle(shard, &rounds);
		did += run_tasks(shard, TICK_FLUSH);
	} while (rounds > 0 && (can_deliver(shard) || has_tasks(shard)));

	did += shard_post_leaving(shard);
	/* A task that is left over may belong to a thing that was buried; in the next tick it runs for sure. */
	shard_free_graves(shard, !has_tasks(shard));
	/* What it is to flush may lie in the tick's memory. */
	if (!has_tasks(shard))
		arena_reset(shard->arena, ARENA_KEEP_BYTES);
	log_flush();
	return did;
}

/* Bounds are powers of 4, so a tick's bucket is half the place of its highest bit. */
static void count_tick(struct shard_counters *counters, int64_t took_ns)
{
	uint64_t above = (uint64_t)(took_ns - 1) >> 14;
	unsigned bucket = took_ns <= shard_tick_bound_ns(0) ? 0 : (63 - (unsigned)__builtin_clzll(above)) / 2 + 1;

	counter_add(&counters->tick_buckets[bucket < SHARD_TICK_BUCKETS ? bucket : SHARD_TICK_BUCKETS - 1], 1);
	counter_add(&counters->ticks, 1);
}

static void end_watch(struct shard *shard, int64_t took_ns)
{
	counter_add(&shard->counters.busy_ns, (uint64_t)took_ns);
	if (shard->watch_limit_ns && took_ns >= shard->watch_limit_ns)
		atomic_store_explicit(&shard->watched.longest_ns, took_ns, memory_order_relaxed);
	atomic_store_explicit(&shard->watched.began_ns, 0, memory_order_release);
}

static unsigned tick(struct shard *shard, int loop_flags)
{
	shard->clock_is_fresh = false;
	int rc = event_base_loop(shard->base, loop_flags);
	assert_always(rc >= 0);
	look_at_clock(shard);

	unsigned did = wheel_advance(shard->wheel, shard->clock.mono_ms);
	did += shard_relieve(shard);
	did += shard_end_tick(shard);

	int64_t took_ns = clock_now_mono_ns() - shard->woke_ns;
	count_tick(&shard->counters, took_ns);
	end_watch(shard, took_ns);
	return did;
}

int64_t shard_tick_began_ns(const struct shard *shard)
{
	return atomic_load_explicit(&shard->watched.began_ns, memory_order_relaxed);
}

/* Whether something waits that no descriptor and no timer will announce. */
static bool has_leftovers(const struct shard *shard)
{
	return shard->arrived.first || has_tasks(shard) || shard->leaving_count > 0 ||
	       (shard->pressed_count == 0 && !list_is_empty(&shard->waiting));
}

void shard_run(struct shard *shard)
{
	/* What on_start did was no tick. */
	atomic_store_explicit(&shard->watched.began_ns, 0, memory_order_relaxed);
	while (!shard->ending) {
		int64_t next_ms = wheel_next_ms(shard->wheel);
		bool is_idle = !has_leftovers(shard) && (next_ms < 0 || next_ms > shard->clock.mono_ms);
		if (is_idle && next_ms >= 0)
			set_timer(shard, next_ms);
		tick(shard, is_idle ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	}
}

void shard_at_tick_end(struct shard *here, enum tick_phase phase, struct tick_task *task)
{
	shard_assert_here(here);
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	struct task_queue *queue = &here->tasks[phase];
	if (queue->last)
		queue->last->next = task;
	else
		queue->first = task;
	queue->last = task;
}

/* ---- the graveyard ---- */

void shard_bury(struct shard *here, struct grave *grave)
{
	shard_assert_here(here);
	grave->next = NULL;
	if (here->graves.last)
		here->graves.last->next = grave;
	else
		here->graves.first = grave;
	here->graves.last = grave;
}

static void free_graves(struct grave_queue *queue)
{
	while (queue->first) {
		struct grave *grave = queue->first;
		queue->first = grave->next;
		if (!queue->first)
			queue->last = NULL;
		grave->free(grave);
	}
}

void shard_free_graves(struct shard *shard, bool all)
{
	free_graves(&shard->old_graves);
	if (all) {
		free_graves(&shard->graves);
		return;
	}
	shard->old_graves = shard->graves;
	shard->graves = (struct grave_queue){NULL, NULL};
}

void shard_keep(struct shard *here, struct kept *kept)
{
	shard_assert_here(here);
	list_append(&here->kept, &kept->link);
}

void shard_free_kept(struct shard *shard)
{
	while (!list_is_empty(&shard->kept)) {
		struct kept *kept = LIST_OF(shard->kept.next, struct kept, link);
		list_remove(&kept->link);
		kept->free(kept);
	}
}

/* ---- what a shard is ---- */

unsigned shard_index(const struct shard *shard)
{
	return shard->index;
}

struct shard_group *shard_group_of(const struct shard *shard)
{
	return shard->group;
}

struct event_base *shard_base(struct shard *shard)
{
	shard_assert_here(shard);
	return shard->base;
}

struct wheel *shard_wheel(struct shard *shard)
{
	shard_assert_here(shard);
	return shard->wheel;
}

struct arena *shard_arena(struct shard *shard)
{
	shard_assert_here(shard);
	return shard->arena;
}

const struct tick_clock *shard_clock(struct shard *shard)
{
	shard_assert_here(shard);
	look_at_clock(shard);
	return &shard->clock;
}

struct shard_job shard_say_job(struct shard *here, struct shard_job job)
{
	struct watched *watched = &here->watched;
	struct shard_job before = {
		.who = atomic_load_explicit(&watched->who, memory_order_relaxed),
		.what = atomic_load_explicit(&watched->what, memory_order_relaxed),
	};

	shard_assert_here(here);
	atomic_store_explicit(&watched->who, job.who, memory_order_relaxed);
	atomic_store_explicit(&watched->what, job.what, memory_order_relaxed);
	return before;
}

struct shard *shard_here(void)
{
	return here_now;
}

void shard_assert_here(const struct shard *shard)
{
	debug_assert(here_now == shard || (!here_now && !shard->group->running));
	(void)shard;
}

void shard_timer_after(struct shard *shard, struct timer *timer, int64_t delay_ms)
{
	int64_t now_ms = shard_clock(shard)->mono_ms;
	debug_assert(delay_ms >= 0);
	timer_arm(shard->wheel, timer, delay_ms < INT64_MAX - now_ms ? now_ms + delay_ms : INT64_MAX);
}

void shard_set_context(struct shard *shard, enum shard_context which, void *context)
{
	shard_assert_here(shard);
	shard->contexts[which] = context;
}

void *shard_context(const struct shard *shard, enum shard_context which)
{
	shard_assert_here(shard);
	return shard->contexts[which];
}

struct shard_counters *shard_counters(struct shard *shard)
{
	return &shard->counters;
}

/* ---- handles ---- */

struct handle shard_handle_open(struct shard *here, void *thing)
{
	shard_assert_here(here);
	struct handle handle = {.shard = (uint16_t)here->index};
	handles_open(&here->handles, thing, &handle.index, &handle.generation);
	return handle;
}

void *shard_handle_find(const struct shard *here, struct handle handle)
{
	shard_assert_here(here);
	debug_assert(!handle_is_set(handle) || handle.shard == here->index);
	return handles_find(&here->handles, handle.index, handle.generation);
}

void shard_handle_close(struct shard *here, struct handle handle)
{
	shard_assert_here(here);
	debug_assert(!handle_is_set(handle) || handle.shard == here->index);
	handles_close(&here->handles, handle.index, handle.generation);
}

/* ---- stepping by hand ---- */

unsigned shard_step(struct shard *shard)
{
	assert_always(shard->group->options.manual);
	struct shard *before = here_now;
	here_now = shard;
	unsigned did = tick(shard, EVLOOP_NONBLOCK);
	here_now = before;
	return did;
}

void shard_enter(struct shard *shard)
{
	here_now = shard;
}

void shard_set_time(struct shard *shard, int64_t wall_ms, int64_t mono_ms)
{
	assert_always(shard->group->options.manual);
	shard->clock = (struct tick_clock){.wall_ms = wall_ms, .mono_ms = mono_ms};
}
