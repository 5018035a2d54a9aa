/* The order of things in a tick, with shards stepped by hand. */
#include "shard/shard.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage/stage.h"
#include "unit/shard/actor.h"
#include "unit/shard/shard_test.h"

static struct actor close_task, flush_task, dead, local, far, extra;

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
	struct shard_group *group = actor_group_new(100);
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
	diary_assert("talcfd");
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 1);
	ck_assert_uint_eq(shard_step(shard_group_at(group, 1)), 1);
	diary_assert("m");
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 0);
	ck_assert_uint_eq(shard_step(here), 0);
	shard_group_free(group);
}
END_TEST

static void post_local(struct shard *here)
{
	shard_post(here, shard_index(here), &local.mail);
	diary_note('-'); /* before the delivery: it does not re-enter */
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
	struct shard_group *group = actor_group_new(100);
	struct shard *here = shard_group_at(group, 0);
	/* A flush posts mail here, which queues a close; a close that posts mail has it delivered before the flush. */
	actor_init(&flush_task, 'f', post_local);
	actor_init(&local, 'l', queue_close);
	actor_init(&close_task, 'c', NULL);
	shard_enter(here);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_step(here);
	diary_assert("f-lc");

	actor_init(&flush_task, 'f', NULL);
	actor_init(&local, 'l', NULL);
	actor_init(&close_task, 'c', post_local);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_at_tick_end(here, TICK_CLOSE, &close_task.task);
	shard_step(here);
	diary_assert("c-lf");

	/* One that queues itself again and again goes on in the next tick. */
	actor_init(&flush_task, 'f', queue_self_while_any);
	times_left = 11;
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	ck_assert_uint_eq(shard_step(here), 8);
	ck_assert_uint_eq(shard_step(here), 4);
	diary_assert("ffffffffffff");
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
	struct shard_group *group = actor_group_new(100);
	struct shard *here = shard_group_at(group, 0);
	/* In the last of the 8 rounds it buries itself and is still queued. */
	actor_init(&flush_task, 'f', bury_dead);
	actor_init(&dead, 'd', NULL);
	times_left = 8;
	shard_enter(here);
	shard_at_tick_end(here, TICK_FLUSH, &flush_task.task);
	shard_step(here);
	diary_assert("ffffffff");
	flush_task.then = NULL;
	shard_step(here);
	diary_assert("fd");
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
	struct shard_group *group = actor_group_new(100);
	struct shard *here = shard_group_at(group, 0);
	actor_init(&dead, 'd', NULL);
	actor_init(&extra, 'e', NULL);
	dead.grave.free = bury_extra;
	shard_enter(here);
	shard_bury(here, &dead.grave);
	shard_step(here);
	diary_assert("de");

	/* And what waits in the graveyard when the group goes is freed too. */
	shard_bury(here, &dead.grave);
	shard_enter(NULL);
	shard_group_free(group);
	diary_assert("de");
}
END_TEST

START_TEST(mail_beyond_the_budget_waits_but_the_flush_does_not)
{
	struct shard_group *group = actor_group_new(2);
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
	diary_assert("abf");
	ck_assert_uint_eq(shard_step(here), 2);
	diary_assert("cd");
	ck_assert_uint_eq(shard_step(here), 1);
	diary_assert("e");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

START_TEST(free_discards_mail_wherever_it_is)
{
	struct shard_group *group = actor_group_new(1);
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
	diary_assert("a");
	shard_group_free(group);
	diary_assert("BCD");
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
	diary_assert("");
	stage_advance(stage, 6);
	diary_assert("");
	stage_advance(stage, 1);
	diary_assert("s");
	stage_advance(stage, 100000);
	diary_assert("l");
	here = stage_enter(stage, 1);
	ck_assert_int_eq(shard_clock(here)->wall_ms, STAGE_WALL_MS + 100007);
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
	diary_note(byte);
}

/* The descriptor of a socket that is closed and that of one opened later in the same tick are often the same number. */
START_TEST(a_descriptor_may_be_used_again_within_a_tick)
{
	struct shard_group *group = actor_group_new(1);
	struct shard *here = shard_group_at(group, 0);
	shard_enter(here);
	int old[2], new[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, old), 0);
	struct event *event = event_new(shard_base(here), old[0], EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	ck_assert_int_eq(write(old[1], "1", 1), 1);
	shard_step(here);
	diary_assert("1");

	event_free(event);
	close(old[0]);
	close(old[1]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, new), 0);
	ck_assert_int_eq(new[0], old[0]);
	event = event_new(shard_base(here), new[0], EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	ck_assert_int_eq(write(new[1], "2", 1), 1);
	shard_step(here);
	diary_assert("2");
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
		ck_assert_int_eq(shard_group_new(&group, &bad[i]), -EINVAL);
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
	tcase_add_test(tests, free_discards_mail_wherever_it_is);
	tcase_add_test(tests, time_moves_by_hand);
	tcase_add_test(tests, a_descriptor_may_be_used_again_within_a_tick);
	tcase_add_test(tests, options_out_of_range_are_refused);
}

int main(void)
{
	return run_case("tick", add_tests);
}
