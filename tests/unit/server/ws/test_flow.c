#include "unit/server/ws/ws_stage.h"

static const struct ws_options options = {.max_message_bytes = 1000};
static struct ws_stage stage;

static void setup(void)
{
	ws_stage_start(&stage, &options);
}

static void teardown(void)
{
	ws_stage_end(&stage);
}

START_TEST(what_is_sent_comes_in_order)
{
	net_stage_run(&stage.net);
	ws_send(stage.ws, WS_TEXT, "one", 3);
	stage.says = "three";
	ws_flush_soon(stage.ws);
	ws_send(stage.ws, WS_BINARY, "two", 3);
	ws_stage_expect(&stage, "\x81\3one\x82\3two\x81\5three");
	ck_assert_uint_eq(stage.flushes, 1);
	ck_assert_uint_eq(counter_read(&stage.net.counters->sends), 1);
}
END_TEST

START_TEST(held_messages_wait_in_order)
{
	stage.holds = true;
	ck_assert_int_eq(send(stage.peer,
			      "\x81\x81\0\0\0\0"
			      "a\x81\x81\0\0\0\0"
			      "b\x81\x81\0\0\0\0"
			      "c",
			      21, 0),
			 21);
	net_stage_run(&stage.net);
	ck_assert_str_eq(stage.last, "a");
	ws_resume(stage.ws);
	ck_assert_str_eq(stage.last, "a");
	net_stage_run(&stage.net);
	ck_assert_str_eq(stage.last, "b");
	ws_resume(stage.ws);
	net_stage_run(&stage.net);
	ck_assert_str_eq(stage.last, "c");
	ck_assert_uint_eq(stage.messages, 3);
}
END_TEST

START_TEST(nothing_is_delivered_after_our_close)
{
	net_stage_run(&stage.net);
	ck_assert_int_eq(send(stage.peer,
			      "\x81\x81\0\0\0\0"
			      "a",
			      7, 0),
			 7);
	ws_close(stage.ws, 4003, STR("Origin not allowed"));
	ws_stage_expect(&stage, "\x88\x14\x0f\xa3Origin not allowed");
	ck_assert_uint_eq(stage.messages, 0);
	ws_stage_send(&stage, 0x81, "b");
	ck_assert_uint_eq(stage.messages, 0);
	ck_assert_uint_eq(stage.closes, 0);
	ws_stage_send(&stage, 0x88, "\x0f\xa3");
	shutdown(stage.peer, SHUT_WR);
	net_stage_run(&stage.net);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, 4003);
}
END_TEST

START_TEST(refused_at_once_is_never_opened)
{
	ws_close(stage.ws, 4003, STR("Origin not allowed"));
	ws_stage_expect(&stage, "\x88\x14\x0f\xa3Origin not allowed");
	ck_assert_uint_eq(stage.opens, 0);
}
END_TEST

START_TEST(last_words_precede_the_close_frame)
{
	net_stage_run(&stage.net);
	stage.says = "last";
	ws_flush_soon(stage.ws);
	ws_close(stage.ws, 1001, STR(""));
	ws_send(stage.ws, WS_TEXT, "too late", 8);
	ws_close(stage.ws, 1000, STR("twice"));
	ws_stage_expect(&stage, "\x81\4last\x88\2\x03\xe9");
}
END_TEST

START_TEST(the_peers_code_and_reason_are_told)
{
	ws_stage_send(&stage, 0x88,
		      "\x0f\xa1"
		      "because");
	ws_stage_expect(&stage, "\x88\2\x0f\xa1");
	shutdown(stage.peer, SHUT_WR);
	net_stage_run(&stage.net);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, 4001);
	ck_assert_str_eq(stage.reason, "because");
	ck_assert_uint_eq(counter_read(&stage.net.counters->ws_closes_peer), 1);
}
END_TEST

START_TEST(a_lost_link_is_1006)
{
	net_stage_run(&stage.net);
	shutdown(stage.peer, SHUT_WR);
	net_stage_run(&stage.net);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, WS_ABNORMAL);
}
END_TEST

START_TEST(a_shutdown_says_1001)
{
	net_stage_run(&stage.net);
	net_shard_shutdown(stage.net.net);
	ws_stage_expect(&stage, "\x88\x16\x03\xe9Server shutting down");
}
END_TEST

START_TEST(a_long_reason_is_cut_between_characters)
{
	char reason[201];
	char got[300];
	net_stage_run(&stage.net);
	for (int i = 0; i < 100; i++)
		memcpy(reason + 2 * i, "\xc3\xa9", 2);
	ws_close(stage.ws, 1000, (struct str){reason, 200});
	net_stage_run(&stage.net);
	ck_assert_uint_eq(net_stage_receive(stage.peer, got, sizeof got), 2 + 2 + 122);
	ck_assert(utf8_check((struct str){got + 4, 122}));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_sent_comes_in_order);
	tcase_add_test(tests, held_messages_wait_in_order);
	tcase_add_test(tests, nothing_is_delivered_after_our_close);
	tcase_add_test(tests, refused_at_once_is_never_opened);
	tcase_add_test(tests, last_words_precede_the_close_frame);
	tcase_add_test(tests, the_peers_code_and_reason_are_told);
	tcase_add_test(tests, a_lost_link_is_1006);
	tcase_add_test(tests, a_shutdown_says_1001);
	tcase_add_test(tests, a_long_reason_is_cut_between_characters);
}

int main(void)
{
	return run_tests("flow", add);
}
