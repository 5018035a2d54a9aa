#include "unit/server/ws/ws_stage.h"

static const struct ws_options options = {.ping_ms = 1000, .message_ms = 500, .close_ms = 300};
static struct ws_stage stage;

static void setup(void)
{
	ws_stage_start(&stage, &options);
	net_stage_run(&stage.net);
}

static void teardown(void)
{
	ws_stage_end(&stage);
}

START_TEST(opens_without_a_byte_from_the_peer)
{
	ck_assert_uint_eq(stage.opens, 1);
}
END_TEST

START_TEST(a_silent_peer_is_pinged_then_reaped)
{
	net_stage_pass(&stage.net, 999);
	ws_stage_expect(&stage, "");
	net_stage_pass(&stage.net, 1);
	ws_stage_expect(&stage, "\x89\0");
	net_stage_pass(&stage.net, 999);
	ck_assert_uint_eq(stage.closes, 0);
	net_stage_pass(&stage.net, 1);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, WS_ABNORMAL);
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_closes_half_open), 1);
}
END_TEST

START_TEST(a_pong_saves_it)
{
	for (int i = 0; i < 5; i++) {
		net_stage_pass(&stage.net, 1000);
		ws_stage_expect(&stage, "\x89\0");
		net_stage_pass(&stage.net, 900);
		ws_stage_send(&stage, 0x8a, "");
	}
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_pings), 5);
	ck_assert_uint_eq(stage.closes, 0);
}
END_TEST

START_TEST(who_talks_is_not_pinged)
{
	for (int i = 0; i < 20; i++) {
		net_stage_pass(&stage.net, 600);
		ws_stage_send(&stage, 0x81, "x");
	}
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_pings), 0);
	ck_assert_uint_eq(stage.messages, 20);
}
END_TEST

START_TEST(a_held_peer_is_not_reaped)
{
	stage.holds = true;
	ws_stage_send(&stage, 0x81, "x");
	for (int i = 0; i < 10; i++)
		net_stage_pass(&stage.net, 1000);
	ck_assert_uint_eq(stage.closes, 0);
	ws_resume(stage.ws);
	net_stage_pass(&stage.net, 1000);
	net_stage_pass(&stage.net, 1000);
	net_stage_pass(&stage.net, 1000);
	ck_assert_uint_eq(stage.closes, 1);
}
END_TEST

START_TEST(an_unfinished_message_has_its_deadline)
{
	ws_stage_send(&stage, 0x01, "a");
	net_stage_pass(&stage.net, 300);
	ws_stage_send(&stage, 0x00, "b"); /* dust does not extend it */
	net_stage_pass(&stage.net, 199);
	ws_stage_expect(&stage, "");
	net_stage_pass(&stage.net, 1);
	ws_stage_expect(&stage, "\x88\x17\x03\xf0message took too long");
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_closes_slow), 1);
}
END_TEST

START_TEST(pings_do_not_extend_it_either)
{
	ws_stage_send(&stage, 0x01, "a");
	net_stage_pass(&stage.net, 300);
	ws_stage_send(&stage, 0x89, "");
	ws_stage_expect(&stage, "\x8a\0");
	net_stage_pass(&stage.net, 200);
	ws_stage_expect(&stage, "\x88\x17\x03\xf0message took too long");
}
END_TEST

START_TEST(an_unfinished_header_has_its_deadline)
{
	ck_assert_int_eq(send(stage.peer, "\x81", 1, 0), 1);
	net_stage_run(&stage.net);
	net_stage_pass(&stage.net, 300);
	ck_assert_int_eq(send(stage.peer, "\x83", 1, 0), 1);
	net_stage_run(&stage.net);
	net_stage_pass(&stage.net, 200);
	ws_stage_expect(&stage, "\x88\x17\x03\xf0message took too long");
}
END_TEST

START_TEST(a_finished_message_frees_the_next)
{
	for (int i = 0; i < 5; i++) {
		ws_stage_send(&stage, 0x01, "a");
		net_stage_pass(&stage.net, 400);
		ws_stage_send(&stage, 0x80, "b");
		ck_assert_str_eq(stage.last, "ab");
	}
	ck_assert_uint_eq(stage.messages, 5);
}
END_TEST

START_TEST(a_close_frame_must_be_answered_in_time)
{
	ws_close(stage.ws, 1000, STR("bye"));
	ws_stage_expect(&stage, "\x88\5\x03\xe8"
				"bye");
	net_stage_pass(&stage.net, 299);
	ck_assert_uint_eq(stage.closes, 0);
	net_stage_pass(&stage.net, 1);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, 1000);
	ck_assert_str_eq(stage.reason, "bye");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, opens_without_a_byte_from_the_peer);
	tcase_add_test(tests, a_silent_peer_is_pinged_then_reaped);
	tcase_add_test(tests, a_pong_saves_it);
	tcase_add_test(tests, who_talks_is_not_pinged);
	tcase_add_test(tests, a_held_peer_is_not_reaped);
	tcase_add_test(tests, an_unfinished_message_has_its_deadline);
	tcase_add_test(tests, pings_do_not_extend_it_either);
	tcase_add_test(tests, an_unfinished_header_has_its_deadline);
	tcase_add_test(tests, a_finished_message_frees_the_next);
	tcase_add_test(tests, a_close_frame_must_be_answered_in_time);
}

int main(void)
{
	return run_tests("liveness", add);
}
