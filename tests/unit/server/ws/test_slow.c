/* Peers that do not take what they are sent: over a hard mark they are closed, and told why, if they read on at all. */
#include "core/mem.h"
#include "unit/server/ws/ws_stage.h"

enum { HARD_BYTES = 200000, GOT_MAX = 4 << 20 };

static const struct ws_options options = {.ping_ms = 60000};
static struct connection_options limits;
static struct ws_stage stage;
static char *got; /* everything that the peer read */
static size_t got_len;

static void setup(void)
{
	limits = (struct connection_options){.soft_bytes = 10000,
					     .hard_bytes = HARD_BYTES,
					     .soft_age_ms = 500,
					     .hard_age_ms = 2000,
					     .linger_ms = 1000};
	connection_options_fill(&limits);
	ws_stage_start_limited(&stage, &options, &(struct net_options){.backlog_total_bytes = 100000000}, &limits);
	net_stage_run(&stage.net);
	got = mem_alloc(GOT_MAX);
	got_len = 0;
}

static void teardown(void)
{
	ws_stage_end(&stage);
	free(got);
}

static uint64_t count_of(const counter *counter)
{
	return counter_read(counter);
}

static void send_message(size_t len)
{
	char *text = mem_alloc(len + 1);
	memset(text, 'x', len);
	ws_send(stage.ws, WS_TEXT, text, len);
	free(text);
	net_stage_run(&stage.net);
}

static void read_some(size_t most)
{
	ck_assert_uint_lt(got_len + most, GOT_MAX);
	got_len += net_stage_receive(stage.peer, got + got_len, most);
}

/* Reads until nothing comes any more. */
static void read_all(void)
{
	size_t before;
	do {
		before = got_len;
		read_some(100000);
		net_stage_run(&stage.net);
	} while (got_len > before);
}

/* What was read must be whole messages, and then one close frame with these; how many messages. */
static unsigned check_ends_with(unsigned code, const char *reason)
{
	unsigned messages = 0;
	size_t at = 0;
	while (at + 2 <= got_len && (got[at] & 0x0f) == WS_TEXT) {
		size_t len = ws_frame_len((const unsigned char *)got + at);
		size_t head = len < 128 ? 2 : len < 65540 ? 4 : 10;
		ck_assert_uint_le(at + len, got_len);
		for (size_t i = head; i < len; i++)
			ck_assert_int_eq(got[at + i], 'x');
		at += len;
		messages++;
	}
	ck_assert_uint_eq(got_len - at, 4 + strlen(reason));
	ck_assert_int_eq((unsigned char)got[at], 0x88);
	ck_assert_uint_eq((unsigned)(unsigned char)got[at + 2] << 8 | (unsigned char)got[at + 3], code);
	ck_assert_mem_eq(got + at + 4, reason, strlen(reason));
	return messages;
}

/* The peer ends in order, and the owner hears why it is over. */
static void check_end(unsigned code)
{
	shutdown(stage.peer, SHUT_WR);
	net_stage_run(&stage.net);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, code);
	ck_assert_uint_eq(count_of(&stage.net.counters->backlog_bytes), 0);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_linger), 0);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_ours), 0);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_peer), 0);
	ck_assert_uint_eq(count_of(&stage.net.counters->ws_closes_ours), 1);
}

static const char too_slow[] = "WebSocket backpressure: client too slow";

START_TEST(over_the_bytes_it_is_told_why)
{
	unsigned sent = 0;
	for (; !ws_is_closing(stage.ws); sent++)
		send_message(1000);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_bytes), 1);
	ck_assert_uint_lt(connection_backlog_bytes(ws_connection(stage.ws)), 1100);
	ck_assert_uint_gt(count_of(&stage.net.counters->dropped_bytes), HARD_BYTES - 2000);
	ck_assert_uint_eq(stage.closes, 0);
	send_message(1000); /* too late */
	read_all();
	ck_assert_uint_lt(check_ends_with(WS_POLICY, too_slow), sent);
	check_end(WS_POLICY);
	ck_assert_str_eq(stage.reason, too_slow);
}
END_TEST

START_TEST(over_the_age_too)
{
	while (connection_backlog_bytes(ws_connection(stage.ws)) < 5000)
		send_message(900);
	net_stage_pass(&stage.net, 1999);
	ck_assert(!ws_is_closing(stage.ws));
	net_stage_pass(&stage.net, 1);
	ck_assert(ws_is_closing(stage.ws));
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_age), 1);
	read_all();
	check_ends_with(WS_POLICY, too_slow);
	check_end(WS_POLICY);
}
END_TEST

START_TEST(when_all_are_slow_the_server_is_to_blame)
{
	/* As if others held the rest. */
	counter_add(&stage.net.counters->backlog_bytes, 99990000);
	for (int i = 0; i < 100 && !ws_is_closing(stage.ws); i++)
		send_message(1000);
	counter_sub(&stage.net.counters->backlog_bytes, 99990000);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_total), 1);
	read_all();
	check_ends_with(WS_TRY_AGAIN, "WebSocket backpressure: server is busy");
	check_end(WS_TRY_AGAIN);
}
END_TEST

START_TEST(who_never_reads_is_gone_in_time)
{
	while (!ws_is_closing(stage.ws))
		send_message(1000);
	net_stage_pass(&stage.net, 999);
	ck_assert_uint_eq(stage.closes, 0);
	net_stage_pass(&stage.net, 1);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(stage.code, WS_POLICY);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_bytes), 1);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_linger), 0);
	ck_assert_uint_eq(count_of(&stage.net.counters->backlog_bytes), 0);
}
END_TEST

START_TEST(to_read_a_little_buys_no_time)
{
	while (!ws_is_closing(stage.ws))
		send_message(60000);
	for (int i = 0; i < 9; i++) {
		net_stage_pass(&stage.net, 100);
		read_some(100);
		ck_assert_uint_eq(stage.closes, 0);
	}
	net_stage_pass(&stage.net, 100);
	ck_assert_uint_eq(stage.closes, 1);
}
END_TEST

START_TEST(a_message_over_the_mark_is_cut_off)
{
	send_message(HARD_BYTES * 2);
	net_stage_run(&stage.net);
	ck_assert_uint_eq(stage.closes, 1);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_bytes), 1);
	ck_assert_uint_gt(count_of(&stage.net.counters->dropped_bytes), HARD_BYTES);
	ck_assert_uint_eq(count_of(&stage.net.counters->backlog_bytes), 0);
}
END_TEST

START_TEST(behind_a_small_message_a_large_one_is_left_out)
{
	while (!connection_backlog_bytes(ws_connection(stage.ws)))
		send_message(900);
	send_message(HARD_BYTES * 2);
	read_all();
	check_ends_with(WS_POLICY, too_slow);
	check_end(WS_POLICY);
}
END_TEST

START_TEST(in_one_flush_with_others_it_is_left_out_too)
{
	char *text = mem_alloc(HARD_BYTES);
	memset(text, 'x', HARD_BYTES);
	for (size_t i = 0; i < 10; i++)
		ws_send(stage.ws, WS_TEXT, text, 20000 * i);
	free(text);
	net_stage_run(&stage.net);
	read_all();
	check_ends_with(WS_POLICY, too_slow);
	check_end(WS_POLICY);
}
END_TEST

START_TEST(what_is_too_long_to_be_composed_ends_it_with_1011)
{
	ws_stage_end(&stage);
	ws_stage_start_limited(&stage, &options, &(struct net_options){.staging_limit_bytes = 10000}, &limits);
	net_stage_run(&stage.net);
	send_message(20000);
	read_all();
	ck_assert_uint_eq(check_ends_with(WS_INTERNAL_ERROR, "message too large to be sent"), 0);
	check_end(WS_INTERNAL_ERROR);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_bytes), 1);
}
END_TEST

START_TEST(its_own_close_is_said_again)
{
	while (connection_backlog_bytes(ws_connection(stage.ws)) < 5000)
		send_message(900);
	net_stage_pass(&stage.net, 1990);
	ws_close(stage.ws, 4000, STR("bye"));
	net_stage_pass(&stage.net, 10);
	ck_assert_uint_eq(count_of(&stage.net.counters->closes_backlog_age), 1);
	read_all();
	check_ends_with(4000, "bye");
	check_end(4000);
}
END_TEST

/* Whatever lengths, whatever is read when: the stream stays one of whole frames. */
START_TEST(wherever_the_cut_falls)
{
	uint32_t state = (uint32_t)_i * 2654435761u + 1;
	static const size_t sizes[] = {1, 100, 124, 130, 1000, 5000, 70000};
	for (unsigned i = 0; i < 4000 && !ws_is_closing(stage.ws); i++) {
		state = state * 1664525 + 1013904223;
		send_message(sizes[(state >> 16) % (sizeof sizes / sizeof sizes[0])] + (state >> 8 & 31));
		if (i % 7 == 0 && got_len < 3 << 20)
			read_some(state >> 17);
		net_stage_pass(&stage.net, state >> 24 & 3);
	}
	ck_assert(ws_is_closing(stage.ws));
	read_all();
	check_ends_with(WS_POLICY, too_slow);
	check_end(WS_POLICY);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, over_the_bytes_it_is_told_why);
	tcase_add_test(tests, over_the_age_too);
	tcase_add_test(tests, when_all_are_slow_the_server_is_to_blame);
	tcase_add_test(tests, who_never_reads_is_gone_in_time);
	tcase_add_test(tests, to_read_a_little_buys_no_time);
	tcase_add_test(tests, a_message_over_the_mark_is_cut_off);
	tcase_add_test(tests, behind_a_small_message_a_large_one_is_left_out);
	tcase_add_test(tests, in_one_flush_with_others_it_is_left_out_too);
	tcase_add_test(tests, what_is_too_long_to_be_composed_ends_it_with_1011);
	tcase_add_test(tests, its_own_close_is_said_again);
	tcase_add_loop_test(tests, wherever_the_cut_falls, 0, 50);
}

int main(void)
{
	return run_tests("slow", add);
}
