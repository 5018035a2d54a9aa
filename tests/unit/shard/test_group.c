/* Shards on real threads: start, traffic, pressure, timers, stop. */
#include "shard/shard.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/mem.h"
#include "unit/shard/shard_test.h"

static struct shard_group *group_new(unsigned count, unsigned depth)
{
	struct shard_options options = {.count = count, .mailbox_depth = depth, .mail_budget = 64};
	struct shard_group *group;
	ck_assert_int_eq(shard_group_new(&group, &options), 0);
	return group;
}

/* ---- start and stop ---- */

static atomic_uint started, stopped, flushed;
static struct tick_task last_flush[4];

static void count_flush(struct tick_task *task, struct shard *here)
{
	(void)task;
	(void)here;
	atomic_fetch_add(&flushed, 1);
}

static void count_start(struct shard *shard, void *argument)
{
	ck_assert_ptr_eq(shard_here(), shard);
	ck_assert_ptr_eq(argument, &started);
	shard_assert_here(shard);
	atomic_fetch_add(&started, 1);
}

static void count_stop(struct shard *shard, void *argument)
{
	(void)argument;
	struct tick_task *task = &last_flush[shard_index(shard)];
	task->run = count_flush;
	shard_at_tick_end(shard, TICK_FLUSH, task);
	atomic_fetch_add(&stopped, 1);
}

START_TEST(starts_and_stops)
{
	struct shard_group *group = group_new(4, 100);
	ck_assert_ptr_null(shard_here());
	shard_group_stop(group); /* does not run yet */
	ck_assert_int_eq(shard_group_start(group, count_start, count_stop, &started), 0);
	shard_group_stop(group);
	ck_assert_uint_eq(atomic_load(&started), 4);
	ck_assert_uint_eq(atomic_load(&stopped), 4);
	ck_assert_uint_eq(atomic_load(&flushed), 4);
	shard_group_stop(group);
	shard_group_free(group);

	group = group_new(1, 1); /* that never starts */
	shard_group_free(group);
}
END_TEST

/* ---- everybody talks to everybody ---- */

enum { SHARDS = 3, COURIERS = 100, TRAFFIC = 60000 };

struct courier {
	struct mail mail;
	unsigned from;
	unsigned number;
};

/* Each row is its shard's own. */
static unsigned sent[SHARDS][SHARDS], received[SHARDS][SHARDS];
static unsigned hop_limit; /* set before the shards start */
static atomic_uint hops;

static void courier_send(struct courier *courier, struct shard *here)
{
	unsigned from = shard_index(here);
	unsigned to = (from + courier->number * 7 + 1) % SHARDS;
	courier->from = from;
	courier->number = sent[from][to]++;
	shard_post(here, to, &courier->mail);
}

static void courier_discard(struct mail *mail)
{
	free(mail);
}

static void courier_deliver(struct mail *mail, struct shard *here)
{
	struct courier *courier = (struct courier *)mail;
	unsigned to = shard_index(here);
	ck_assert_uint_eq(courier->number, received[to][courier->from]);
	received[to][courier->from]++;
	if (atomic_fetch_add(&hops, 1) < hop_limit)
		courier_send(courier, here);
	else
		free(courier);
}

static void send_couriers(struct shard *here, void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < COURIERS; i++) {
		struct courier *courier = mem_alloc(sizeof *courier);
		courier->mail.deliver = courier_deliver;
		courier->mail.discard = courier_discard;
		courier->number = i;
		courier_send(courier, here);
	}
}

START_TEST(each_pair_is_fifo_and_nothing_is_lost)
{
	struct shard_group *group = group_new(SHARDS, 1 << 20);
	hop_limit = TRAFFIC;
	ck_assert_int_eq(shard_group_start(group, send_couriers, NULL, NULL), 0);
	/* Of all deliveries, TRAFFIC sent their courier on: each of those and of the first sendings was delivered. */
	await(atomic_load(&hops) == TRAFFIC + SHARDS * COURIERS);
	shard_group_stop(group);
	uint64_t total_sent = 0, total_delivered = 0, wakeups = 0;
	for (unsigned a = 0; a < SHARDS; a++) {
		struct shard_counters *counters = shard_counters(shard_group_at(group, a));
		total_delivered += counter_read(&counters->mail_delivered);
		total_sent += counter_read(&counters->mail_sent);
		wakeups += counter_read(&counters->wakeups);
		for (unsigned b = 0; b < SHARDS; b++) {
			ck_assert_uint_eq(sent[a][b], received[b][a]);
			ck_assert_uint_eq(shard_mail_in_flight(group, a, b), 0);
		}
	}
	ck_assert_uint_ge(total_delivered, total_sent);
	ck_assert_uint_le(wakeups, total_sent);
	shard_group_free(group);
}
END_TEST

START_TEST(stop_and_free_with_mail_in_flight_leak_nothing)
{
	/* Couriers that never end: some are in a box, some on their way, some over the budget. LeakSanitizer looks. */
	struct shard_group *group = group_new(SHARDS, 1 << 20);
	hop_limit = UINT_MAX;
	ck_assert_int_eq(shard_group_start(group, send_couriers, NULL, NULL), 0);
	await(atomic_load(&hops) > 1000);
	shard_group_stop(group);
	shard_group_free(group);
}
END_TEST

/* ---- pressure ---- */

enum { DEPTH = 64, FLOOD = 20000 };

static unsigned flood_sent, flood_received; /* the sender's, the receiver's */
static atomic_bool flood_over;
static atomic_uint_fast64_t most_in_flight;
static struct relief flood_relief;

static void flood_deliver(struct mail *mail, struct shard *here)
{
	uint64_t flying = shard_mail_in_flight(shard_group_of(here), 0, 1);
	if (flying > atomic_load(&most_in_flight))
		atomic_store(&most_in_flight, flying);
	free(mail);
	if (++flood_received == FLOOD)
		atomic_store(&flood_over, true);
}

static void flood_discard(struct mail *mail)
{
	free(mail);
}

/* As a shard does that reads sockets: goes on until it is pressed, then waits, and does nothing else at all. */
static void flood(struct relief *relief, struct shard *here)
{
	while (flood_sent < FLOOD && !shard_is_pressed(here)) {
		struct mail *mail = mem_alloc(sizeof *mail);
		mail->deliver = flood_deliver;
		mail->discard = flood_discard;
		shard_post(here, 1, mail);
		flood_sent++;
	}
	if (flood_sent < FLOOD)
		shard_await_relief(here, relief);
}

static void start_flood(struct shard *here, void *argument)
{
	(void)argument;
	if (shard_index(here) != 0)
		return;
	list_init(&flood_relief.link);
	flood_relief.relieved = flood;
	flood(&flood_relief, here);
}

START_TEST(pressure_bounds_what_is_in_flight_and_relief_is_never_missed)
{
	struct shard_group *group = group_new(2, DEPTH);
	ck_assert_int_eq(shard_group_start(group, start_flood, NULL, NULL), 0);
	await(atomic_load(&flood_over));
	shard_group_stop(group);
	ck_assert_uint_eq(flood_received, FLOOD);
	ck_assert_uint_le(atomic_load(&most_in_flight), DEPTH + 1);

	/* Each wave of pressure needs a tick to start, and some looks to end; a sender that spins would tick far more
	 * often. */
	struct shard_counters *sender = shard_counters(shard_group_at(group, 0));
	uint64_t waves = counter_read(&sender->pressed);
	ck_assert_uint_ge(waves, FLOOD / (DEPTH + 1) - 1);
	shard_group_free(group);
}
END_TEST

/* A receiver that sleeps in its delivery keeps the sender pressed: that one must look now and then, but not spin. */

static atomic_bool may_wake, relieved;
static atomic_int_fast64_t pressed_ms; /* when */
static struct mail sleepers[3];

static void sleep_in_delivery(struct mail *mail, struct shard *here)
{
	(void)mail;
	(void)here;
	await(atomic_load(&may_wake));
}

static void note_relief(struct relief *relief, struct shard *here)
{
	(void)relief;
	ck_assert(!shard_is_pressed(here));
	atomic_store(&relieved, true);
}

static void press_one(struct shard *here, void *argument)
{
	(void)argument;
	if (shard_index(here) != 0)
		return;
	atomic_store(&pressed_ms, clock_now_mono_ms());
	for (unsigned i = 0; i < 3; i++) {
		sleepers[i].deliver = sleep_in_delivery;
		shard_post(here, 1, &sleepers[i]);
	}
	ck_assert(shard_is_pressed(here));
	list_init(&flood_relief.link);
	flood_relief.relieved = note_relief;
	shard_await_relief(here, &flood_relief);
}

START_TEST(a_pressed_shard_does_not_spin)
{
	struct shard_group *group = group_new(2, 2);
	ck_assert_int_eq(shard_group_start(group, press_one, NULL, NULL), 0);
	struct shard_counters *sender = shard_counters(shard_group_at(group, 0));
	await(counter_read(&sender->ticks) >= 20);
	/* It looks every 2 ms, so 20 ticks cannot take less than about 36 ms, on however fast a machine. */
	ck_assert_int_ge(clock_now_mono_ms() - atomic_load(&pressed_ms), 30);
	ck_assert(!atomic_load(&relieved));
	atomic_store(&may_wake, true);
	await(atomic_load(&relieved));
	shard_group_stop(group);
	shard_group_free(group);
}
END_TEST

/* ---- timers ---- */

static struct timer_probe {
	struct timer timer;
	int64_t due_ms;
} soon, later, at_once;
static atomic_uint fired;

static void note_fire(struct timer *timer)
{
	struct timer_probe *probe = LIST_OF(timer, struct timer_probe, timer);
	ck_assert_int_ge(shard_clock(shard_here())->mono_ms, probe->due_ms);
	ck_assert_int_ge(clock_now_mono_ms(), probe->due_ms);
	atomic_fetch_add(&fired, 1);
}

static void arm(struct shard *here, struct timer_probe *probe, int64_t delay_ms)
{
	timer_init(&probe->timer, note_fire);
	probe->due_ms = shard_clock(here)->mono_ms + delay_ms;
	shard_timer_after(here, &probe->timer, delay_ms);
}

/* The second is due before the first, so the loop's timer must be set anew; the third before anything. */
static void arm_timers(struct shard *here, void *argument)
{
	(void)argument;
	arm(here, &later, 200);
	arm(here, &soon, 30);
	arm(here, &at_once, 0);
}

START_TEST(timers_fire_on_an_idle_shard)
{
	struct shard_group *group = group_new(1, 100);
	ck_assert_int_eq(shard_group_start(group, arm_timers, NULL, NULL), 0);
	await(atomic_load(&fired) == 3);
	shard_group_stop(group);
	/* One tick for each timer and for the stop, and a few in which the wheel sorted finer: no spinning. */
	ck_assert_uint_le(counter_read(&shard_counters(shard_group_at(group, 0))->ticks), 12);
	shard_group_free(group);
}
END_TEST

/* ---- what may go wrong ---- */

/* Each test is a child of its own, so the limit is that of this child. */
START_TEST(a_group_that_finds_no_descriptors_leaves_nothing)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit before = limit;
	struct shard_options options = {.count = 4, .mailbox_depth = 1, .mail_budget = 1};
	int first_free = dup(0);
	close(first_free);
	/* A shard takes several: so each of them is once the one that fails. */
	for (unsigned allowed = 0; allowed < 8; allowed++) {
		limit.rlim_cur = (rlim_t)first_free + allowed;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		struct shard_group *group;
		ck_assert_int_eq(shard_group_new(&group, &options), -EMFILE);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	int still_free = dup(0);
	ck_assert_int_eq(still_free, first_free);
	close(still_free);
}
END_TEST

#ifndef NDEBUG
START_TEST(a_shard_function_from_a_foreign_thread_is_caught)
{
	struct shard_group *group = group_new(1, 100);
	ck_assert_int_eq(shard_group_start(group, NULL, NULL, NULL), 0);
	shard_is_pressed(shard_group_at(group, 0));
}
END_TEST
#endif

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, starts_and_stops);
	tcase_add_test(tests, each_pair_is_fifo_and_nothing_is_lost);
	tcase_add_test(tests, stop_and_free_with_mail_in_flight_leak_nothing);
	tcase_add_test(tests, pressure_bounds_what_is_in_flight_and_relief_is_never_missed);
	tcase_add_test(tests, a_pressed_shard_does_not_spin);
	tcase_add_test(tests, timers_fire_on_an_idle_shard);
	tcase_add_test(tests, a_group_that_finds_no_descriptors_leaves_nothing);
#ifndef NDEBUG
	tcase_add_test_raise_signal(tests, a_shard_function_from_a_foreign_thread_is_caught, SIGABRT);
#endif
}

int main(void)
{
	return run_case("group", add_tests);
}
