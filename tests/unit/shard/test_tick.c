/* The order of things in a tick, with shards stepped by hand. */
#include "shard/shard.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "stage/stage.h"
#include "unit/shard/shard_test.h"

/* What happened, a letter each. */
static char diary[256];

static void note(char letter)
{
	size_t len = strlen(diary);
	ck_assert_uint_lt(len, sizeof diary - 1);
	diary[len] = letter;
	diary[len + 1] = '\0';
}

static void assert_diary(const char *expected)
{
	ck_assert_str_eq(diary, expected);
	diary[0] = '\0';
}

struct actor {
	struct mail mail;
	struct tick_task task;
	struct grave grave;
	struct timer timer;
	struct relief relief;
	char letter;
	void (*then)(struct shard *here); /* what it does besides */
};

static void act(struct actor *actor, struct shard *here)
{
	ck_assert_ptr_eq(shard_here(), here);
	note(actor->letter);
	if (actor->then)
		actor->then(here);
}

static void actor_deliver(struct mail *mail, struct shard *here)
{
	act(LIST_OF(mail, struct actor, mail), here);
}

static void actor_discard(struct mail *mail)
{
	note((char)(LIST_OF(mail, struct actor, mail)->letter + 'A' - 'a'));
}

static void actor_run(struct tick_task *task, struct shard *here)
{
	act(LIST_OF(task, struct actor, task), here);
}

static void actor_fire(struct timer *timer)
{
	act(LIST_OF(timer, struct actor, timer), shard_here());
}

static void actor_relieved(struct relief *relief, struct shard *here)
{
	act(LIST_OF(relief, struct actor, relief), here);
}

static void actor_free(struct grave *grave)
{
	note(LIST_OF(grave, struct actor, grave)->letter);
}

static void actor_init(struct actor *actor, char letter, void (*then)(struct shard *here))
{
	*actor = (struct actor){.letter = letter, .then = then};
	actor->mail.deliver = actor_deliver;
	actor->mail.discard = actor_discard;
	actor->task.run = actor_run;
	actor->grave.free = actor_free;
	actor->relief.relieved = actor_relieved;
	list_init(&actor->relief.link);
	timer_init(&actor->timer, actor_fire);
}

static struct actor close_task, flush_task, dead, local, far, extra;

/* A group of two with a budget that the test chooses, stepped by the test itself. */
static struct shard_group *group_new(unsigned budget)
{
	struct shard_options options = {.count = 2, .mailbox_depth = 4, .mail_budget = budget, .manual = true};
	struct shard_group *group;
	ck_assert_int_eq(shard_group_new(&group, &options), 0);
	return group;
}

static void queue_everything(struct shard *here)
{
	shard_bury(here, &dead.grave);
	shard_post(here, 1, &far.mail);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_at_tick_end(here, TICK_CLOSE, &close_task.task);
	shard_post(here, 0, &local.mail);
}

START_TEST(phases_come_in_order)
{
	struct shard_group *group = group_new(100);
	struct actor first, timer;
	actor_init(&first, 'a', queue_everything);
	actor_init(&timer, 't', NULL);
	actor_init(&local, 'l', NULL);
	actor_init(&close_task, 'c', NULL);
	actor_init(&flush_task, 'f', NULL);
	actor_init(&dead, 'd', NULL);
	actor_init(&far, 'm', NULL);

	struct shard *here = shard_group_at(group, 0);
	shard_enter(here);
	shard_timer_after(here, &timer.timer, 0);
	shard_enter(NULL);
	shard_post_outside(here, &first.mail);
	ck_assert_uint_eq(shard_step(here), 6); /* t, a, l, c, f and a chain posted */
	assert_diary("talcfd");
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 1);
	ck_assert_uint_eq(shard_step(shard_group_at(group, 1)), 1);
	assert_diary("m");
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 0);
	ck_assert_uint_eq(shard_step(here), 0);
	shard_group_free(group);
}
END_TEST

static void post_local(struct shard *here)
{
	shard_post(here, shard_index(here), &local.mail);
	note('-'); /* before the delivery: it does not re-enter */
}

static void queue_close(struct shard *here)
{
	shard_at_tick_end(here, TICK_CLOSE, &close_task.task);
	shard_at_tick_end(here, TICK_CLOSE, &close_task.task); /* once all the same */
}

static unsigned times_left;

static void queue_self_while_any(struct shard *here)
{
	if (times_left-- > 0)
		shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
}

START_TEST(what_tasks_give_rise_to_runs_in_the_same_tick)
{
	struct shard_group *group = group_new(100);
	struct shard *here = shard_group_at(group, 0);
	/* A flush posts mail here, which queues a close; a close that posts mail has it delivered before the flush. */
	actor_init(&flush_task, 'f', post_local);
	actor_init(&local, 'l', queue_close);
	actor_init(&close_task, 'c', NULL);
	shard_enter(here);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_step(here);
	assert_diary("f-lc");

	actor_init(&flush_task, 'f', NULL);
	actor_init(&local, 'l', NULL);
	actor_init(&close_task, 'c', post_local);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_at_tick_end(here, TICK_CLOSE, &close_task.task);
	shard_step(here);
	assert_diary("c-lf");

	/* One that queues itself again and again goes on in the next tick. */
	actor_init(&flush_task, 'f', queue_self_while_any);
	times_left = 11;
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	ck_assert_uint_eq(shard_step(here), 8);
	ck_assert_uint_eq(shard_step(here), 4);
	assert_diary("ffffffffffff");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

static void bury_dead(struct shard *here)
{
	queue_self_while_any(here);
	if (times_left == 0)
		shard_bury(here, &dead.grave);
}

START_TEST(the_dead_outlive_their_queued_tasks)
{
	struct shard_group *group = group_new(100);
	struct shard *here = shard_group_at(group, 0);
	/* In the last of the 8 rounds it buries itself and is still queued. */
	actor_init(&flush_task, 'f', bury_dead);
	actor_init(&dead, 'd', NULL);
	times_left = 8;
	shard_enter(here);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_step(here);
	assert_diary("ffffffff");
	flush_task.then = NULL;
	shard_step(here);
	assert_diary("fd");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

static void bury_extra(struct grave *grave)
{
	actor_free(grave);
	shard_bury(shard_here(), &extra.grave);
}

START_TEST(freeing_may_bury_more)
{
	struct shard_group *group = group_new(100);
	struct shard *here = shard_group_at(group, 0);
	actor_init(&dead, 'd', NULL);
	actor_init(&extra, 'e', NULL);
	dead.grave.free = bury_extra;
	shard_enter(here);
	shard_bury(here, &dead.grave);
	shard_step(here);
	assert_diary("de");

	/* And what waits in the graveyard when the group goes is freed too. */
	shard_bury(here, &dead.grave);
	shard_enter(NULL);
	shard_group_free(group);
	assert_diary("de");
}
END_TEST

START_TEST(mail_beyond_the_budget_waits_but_the_flush_does_not)
{
	struct shard_group *group = group_new(2);
	struct shard *here = shard_group_at(group, 0);
	struct actor mail[5];
	for (unsigned i = 0; i < 5; i++) {
		actor_init(&mail[i], (char)('a' + i), NULL);
		shard_post_outside(here, &mail[i].mail);
	}
	actor_init(&flush_task, 'f', NULL);
	shard_enter(here);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	ck_assert_uint_eq(shard_step(here), 3);
	assert_diary("abf");
	ck_assert_uint_eq(shard_step(here), 2);
	assert_diary("cd");
	ck_assert_uint_eq(shard_step(here), 1);
	assert_diary("e");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

static void await_again(struct shard *here)
{
	shard_await_relief(here, &extra.relief);
}

static void press_again(struct shard *here)
{
	static struct actor flood[5];
	for (unsigned i = 0; i < 5; i++) {
		actor_init(&flood[i], 'x', NULL);
		shard_post(here, 1, &flood[i].mail);
	}
}

START_TEST(pressure_comes_above_the_depth_and_goes_below_half)
{
	struct shard_group *group = group_new(1);
	struct shard *here = shard_group_at(group, 0);
	struct shard *there = shard_group_at(group, 1);
	struct actor mail[5], waiting[3], gone;
	shard_enter(here);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert(!shard_is_pressed(here));
		actor_init(&mail[i], 'm', NULL);
		shard_post(here, 1, &mail[i].mail);
	}
	ck_assert(shard_is_pressed(here)); /* 5 in flight, the depth is 4 */
	ck_assert_uint_eq(counter_read(&shard_counters(here)->pressed), 1);

	actor_init(&waiting[0], 'a', await_again);
	actor_init(&waiting[1], 'b', press_again);
	actor_init(&waiting[2], 'c', NULL);
	actor_init(&gone, 'g', NULL);
	actor_init(&extra, 'e', NULL);
	shard_await_relief(here, &waiting[0].relief);
	shard_await_relief(here, &gone.relief);
	shard_await_relief(here, &waiting[1].relief);
	shard_await_relief(here, &waiting[2].relief);
	list_remove(&gone.relief.link);
	for (unsigned delivered = 1; delivered <= 3; delivered++) {
		shard_step(here);
		ck_assert(shard_is_pressed(here));
		shard_step(there);
	}
	assert_diary("mmm");
	shard_step(there);
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 1);
	shard_step(here);
	/* The second one pressed again: the third waits on, and the one that asked meanwhile behind it. */
	assert_diary("mab");
	ck_assert(shard_is_pressed(here));
	for (unsigned i = 0; i < 6; i++)
		shard_step(there);
	shard_step(here);
	assert_diary("mxxxxxce");
	ck_assert(!shard_is_pressed(here));
	ck_assert_uint_eq(shard_step(here), 0);

	/* Asked for without pressure: it comes with the next tick. */
	shard_await_relief(here, &waiting[2].relief);
	ck_assert_uint_eq(shard_step(here), 1);
	assert_diary("c");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

START_TEST(a_shard_can_be_pressed_by_mail_to_itself)
{
	struct shard_group *group = group_new(3);
	struct shard *here = shard_group_at(group, 0);
	struct actor mail[5];
	shard_enter(here);
	for (unsigned i = 0; i < 5; i++) {
		actor_init(&mail[i], 'm', NULL);
		shard_post(here, 0, &mail[i].mail);
	}
	ck_assert(shard_is_pressed(here));
	shard_step(here);
	shard_step(here);
	shard_step(here);
	ck_assert(!shard_is_pressed(here));
	ck_assert_uint_eq(counter_read(&shard_counters(here)->mail_sent), 0);
	ck_assert_uint_eq(counter_read(&shard_counters(here)->mail_delivered), 5);
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

START_TEST(free_discards_mail_wherever_it_is)
{
	struct shard_group *group = group_new(1);
	struct shard *here = shard_group_at(group, 0);
	struct actor mail[5];
	for (unsigned i = 0; i < 5; i++)
		actor_init(&mail[i], (char)('a' + i), NULL);
	shard_enter(here);
	shard_post(here, 0, &mail[0].mail);
	shard_post(here, 0, &mail[1].mail);
	shard_step(here); /* delivers a, b has arrived */
	shard_enter(NULL);
	shard_post_outside(here, &mail[2].mail); /* c is in the box */
	shard_enter(here);
	shard_post(here, 1, &mail[3].mail); /* d is to leave */
	shard_enter(NULL);
	assert_diary("a");
	shard_group_free(group);
	assert_diary("BCD");
	shard_group_free(NULL);
}
END_TEST

START_TEST(time_moves_by_hand)
{
	struct stage *stage = stage_new(3, 0);
	struct actor soon, late;
	actor_init(&soon, 's', NULL);
	actor_init(&late, 'l', NULL);
	struct shard *here = stage_enter(stage, 1);
	ck_assert_int_eq(shard_clock(here)->mono_ms, STAGE_MONO_MS);
	shard_timer_after(here, &late.timer, 60000);
	shard_timer_after(stage_enter(stage, 2), &soon.timer, 7);
	stage_run(stage);
	assert_diary("");
	stage_advance(stage, 6);
	assert_diary("");
	stage_advance(stage, 1);
	assert_diary("s");
	stage_advance(stage, 100000);
	assert_diary("l");
	here = stage_enter(stage, 1);
	ck_assert_int_eq(shard_clock(here)->wall_ms, STAGE_WALL_MS + 100007);
	stage_free(stage);
}
END_TEST

/* ---- FIFO per pair, whatever the order of the steps ---- */

enum { STAGE_SHARDS = 4, HOPS = 2000 };

struct courier {
	struct mail mail;
	unsigned from;
	unsigned number;
};

static unsigned sent[STAGE_SHARDS][STAGE_SHARDS], received[STAGE_SHARDS][STAGE_SHARDS], hops;
static uint64_t courier_random;

static void courier_send(struct shard *here, struct courier *courier);

static void courier_deliver(struct mail *mail, struct shard *here)
{
	struct courier *courier = (struct courier *)mail;
	unsigned to = shard_index(here);
	ck_assert_uint_eq(courier->number, received[courier->from][to]);
	received[courier->from][to]++;
	if (++hops < HOPS)
		courier_send(here, courier);
	else
		free(courier);
}

static void courier_send(struct shard *here, struct courier *courier)
{
	unsigned to = stage_random_below(&courier_random, STAGE_SHARDS);
	courier->from = shard_index(here);
	courier->number = sent[courier->from][to]++;
	courier->mail.deliver = courier_deliver;
	shard_post(here, to, &courier->mail);
}

START_TEST(each_pair_is_fifo)
{
	struct stage *stage = stage_new(STAGE_SHARDS, 0);
	courier_random = 1;
	for (unsigned i = 0; i < 50; i++)
		courier_send(stage_enter(stage, i % STAGE_SHARDS), mem_alloc(sizeof(struct courier)));
	stage_run(stage);
	for (unsigned from = 0; from < STAGE_SHARDS; from++) {
		for (unsigned to = 0; to < STAGE_SHARDS; to++) {
			ck_assert_uint_eq(sent[from][to], received[from][to]);
			ck_assert_uint_eq(shard_mail_in_flight(stage_group(stage), from, to), 0);
		}
	}
	stage_free(stage);
}
END_TEST

/* ---- sockets ---- */

static void on_readable(int fd, short what, void *argument)
{
	(void)what;
	(void)argument;
	char byte;
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	note(byte);
}

/* The descriptor of a socket that is closed and that of one opened later in the same tick are often the same number. */
START_TEST(a_descriptor_may_be_used_again_within_a_tick)
{
	struct shard_group *group = group_new(1);
	struct shard *here = shard_group_at(group, 0);
	shard_enter(here);
	int old[2], new[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, old), 0);
	struct event *event = event_new(shard_base(here), old[0], EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	ck_assert_int_eq(write(old[1], "1", 1), 1);
	shard_step(here);
	assert_diary("1");

	event_free(event);
	close(old[0]);
	close(old[1]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, new), 0);
	ck_assert_int_eq(new[0], old[0]);
	event = event_new(shard_base(here), new[0], EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	ck_assert_int_eq(write(new[1], "2", 1), 1);
	shard_step(here);
	assert_diary("2");
	event_free(event);
	close(new[0]);
	close(new[1]);
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

START_TEST(options_out_of_range_are_refused)
{
	struct shard_group *group;
	struct shard_options good = {.count = 1, .mailbox_depth = 1, .mail_budget = 1, .manual = true};
	struct shard_options bad[] = {good, good, good, good};
	bad[0].count = 0;
	bad[1].count = 1025;
	bad[2].mailbox_depth = 0;
	bad[3].mail_budget = 0;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_int_eq(shard_group_new(&group, &bad[i]), -22);
	ck_assert_int_eq(shard_group_new(&group, &good), 0);
	ck_assert_uint_eq(shard_group_count(group), 1);
	shard_group_free(group);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, phases_come_in_order);
	tcase_add_test(tests, what_tasks_give_rise_to_runs_in_the_same_tick);
	tcase_add_test(tests, the_dead_outlive_their_queued_tasks);
	tcase_add_test(tests, freeing_may_bury_more);
	tcase_add_test(tests, mail_beyond_the_budget_waits_but_the_flush_does_not);
	tcase_add_test(tests, pressure_comes_above_the_depth_and_goes_below_half);
	tcase_add_test(tests, a_shard_can_be_pressed_by_mail_to_itself);
	tcase_add_test(tests, free_discards_mail_wherever_it_is);
	tcase_add_test(tests, time_moves_by_hand);
	tcase_add_test(tests, each_pair_is_fifo);
	tcase_add_test(tests, a_descriptor_may_be_used_again_within_a_tick);
	tcase_add_test(tests, options_out_of_range_are_refused);
}

int main(void)
{
	return run_case("tick", add_tests);
}
