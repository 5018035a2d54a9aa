/* How many handshakes a tick goes on with, who waits, and who does not. */
#include "server/net/tls.h"

#include <signal.h>

#include "unit/server/net/tls_stage.h"

enum { PER_TICK = 2, CROWD = 7 };

static struct made_files files;
static struct net_stage stage;
static struct tls_context *context;
static struct tls_seed *seed;
static struct peer crowd[CROWD];

static void start(void)
{
	signal(SIGPIPE, SIG_IGN);
	tls_files_make(&files, "one.test", NULL);
	context = tls_stage_context(&files);
	net_stage_start(&stage, NULL);
	seed = tls_seed_new(1, stage.now_ms);
	tls_shard_new(stage.net, context, seed, &(struct tls_options){.handshakes_per_tick = PER_TICK});
}

static void stop(void)
{
	net_stage_end(&stage);
	tls_seed_free(seed);
	tls_context_unref(context);
	tls_files_remove(&files);
}

static void step(void)
{
	shard_step(stage.shard);
	shard_enter(stage.shard);
}

static void gather(void)
{
	for (int i = 0; i < CROWD; i++) {
		peer_connect(&crowd[i], &stage, NULL, NULL);
		ck_assert(!peer_step(&crowd[i]));
	}
}

static void disperse(void)
{
	for (int i = 0; i < CROWD; i++)
		peer_free(&crowd[i]);
}

/* How many of the crowd got the server's answer to their hello. */
static unsigned count_answered(void)
{
	unsigned count = 0;
	char byte;
	for (int i = 0; i < CROWD; i++)
		count += recv(crowd[i].fd, &byte, 1, MSG_PEEK) == 1;
	return count;
}

START_TEST(a_tick_goes_on_with_its_ration_and_the_next_with_the_others)
{
	gather();
	step();
	ck_assert_uint_eq(count_answered(), PER_TICK);
	for (unsigned ticks = 2; ticks <= CROWD / PER_TICK; ticks++) {
		step();
		ck_assert_uint_le(count_answered(), ticks * PER_TICK);
	}
	for (int i = 0; i < CROWD; i++)
		ck_assert(peer_shake(&crowd[i]));
	ck_assert_uint_eq(counter_read(&stage.counters->tls_handshakes), CROWD);
	ck_assert_uint_ge(counter_read(&stage.counters->tls_waits), CROWD - PER_TICK);
	disperse();
}
END_TEST

START_TEST(who_is_connected_is_answered_while_a_crowd_shakes_hands)
{
	struct peer friend;
	char heard[4];
	peer_connect(&friend, &stage, NULL, NULL);
	ck_assert(peer_shake(&friend));
	gather();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(SSL_write(friend.ssl, "ping", 4), 4);
		step();
		/* In the very tick, and the crowd not done in any of them. */
		ck_assert_int_eq(SSL_read(friend.ssl, heard, 4), 4);
		ck_assert_uint_lt(count_answered(), CROWD);
	}
	disperse();
	peer_free(&friend);
}
END_TEST

START_TEST(nobody_overtakes_those_who_wait)
{
	gather();
	step(); /* some two have had their turn; the others wait */
	struct peer late;
	bool before[CROWD];
	char byte;
	peer_connect(&late, &stage, NULL, NULL);
	peer_step(&late);
	while (recv(late.fd, &byte, 1, MSG_PEEK) != 1) {
		step();
		for (int i = 0; i < CROWD; i++)
			before[i] = recv(crowd[i].fd, &byte, 1, MSG_PEEK) == 1;
	}
	for (int i = 0; i < CROWD; i++)
		ck_assert(before[i]);
	disperse();
	peer_free(&late);
}
END_TEST

START_TEST(those_who_drip_use_up_no_turns)
{
	struct peer drips[CROWD], honest;
	for (int i = 0; i < CROWD; i++) {
		peer_connect_raw(&drips[i], &stage);
		ck_assert_int_eq(send(drips[i].fd, "\x16", 1, 0), 1);
	}
	peer_connect(&honest, &stage, NULL, NULL);
	peer_step(&honest);
	step();
	ck_assert_uint_eq(counter_read(&stage.counters->tls_waits), 0);
	char byte;
	ck_assert_int_eq(recv(honest.fd, &byte, 1, MSG_PEEK), 1);
	for (int i = 0; i < CROWD; i++)
		peer_free(&drips[i]);
	peer_free(&honest);
}
END_TEST

START_TEST(who_waits_may_be_closed_meanwhile)
{
	gather();
	step();
	for (int i = 0; i < CROWD; i++)
		connection_close(crowd[i].conn, CONNECTION_AT_ONCE);
	net_stage_run(&stage);
	for (int i = 0; i < CROWD; i++)
		ck_assert(crowd[i].is_closed);
	ck_assert_uint_eq(net_shard_count(stage.net), 0);
	disperse();
}
END_TEST

START_TEST(who_waits_may_be_too_late)
{
	gather();
	step();
	net_stage_pass(&stage, 10001);
	for (int i = 0; i < CROWD; i++) {
		ck_assert(crowd[i].is_closed);
		ck_assert_int_eq(crowd[i].error, -ETIMEDOUT);
	}
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_late), CROWD);
	disperse();
}
END_TEST

START_TEST(who_waits_may_be_gone_when_his_turn_comes)
{
	gather();
	step();
	for (int i = 0; i < CROWD; i++)
		close(crowd[i].fd), crowd[i].fd = -1;
	for (int i = 0; i < CROWD; i++)
		net_stage_run(&stage);
	for (int i = 0; i < CROWD; i++)
		ck_assert(crowd[i].is_closed);
	disperse();
}
END_TEST

START_TEST(the_server_may_end_while_they_wait)
{
	gather();
	step();
	net_shard_shutdown(stage.net);
	net_stage_run(&stage);
	ck_assert_uint_gt(net_shard_count(stage.net), 0); /* who was accepted is let in, or comes too late */
	net_stage_pass(&stage, 10001);
	ck_assert_uint_eq(net_shard_count(stage.net), 0);
	disperse();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_tick_goes_on_with_its_ration_and_the_next_with_the_others);
	tcase_add_test(tests, who_is_connected_is_answered_while_a_crowd_shakes_hands);
	tcase_add_test(tests, nobody_overtakes_those_who_wait);
	tcase_add_test(tests, those_who_drip_use_up_no_turns);
	tcase_add_test(tests, who_waits_may_be_closed_meanwhile);
	tcase_add_test(tests, who_waits_may_be_too_late);
	tcase_add_test(tests, who_waits_may_be_gone_when_his_turn_comes);
	tcase_add_test(tests, the_server_may_end_while_they_wait);
}

int main(void)
{
	return run_tests("tls_ration", add_tests);
}
