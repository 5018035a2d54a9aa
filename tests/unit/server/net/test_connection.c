/* What a connection tells its owner, and when: reading, writing, backlog, deadlines, ends. */
#include "connection_stage.h"

START_TEST(what_is_not_consumed_comes_again)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	owner.consume = 2;
	say("abc");
	ck_assert_uint_eq(owner.heard_len, 2);
	say("de");
	ck_assert_uint_eq(owner.heard_len, 4);
	owner.consume = SIZE_MAX;
	say("f");
	ck_assert_mem_eq(owner.heard, "abcdef", 6);
}
END_TEST

START_TEST(input_that_nobody_consumes_ends_it)
{
	static struct owner owner;
	char text[4097];
	memset(text, 'x', sizeof text);
	open_owner(&owner, &all_ops);
	owner.consume = 0;
	ck_assert_int_eq(send(peer, text, sizeof text, 0), (ssize_t)sizeof text);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, -EMSGSIZE);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_input), 1);
}
END_TEST

START_TEST(paused_means_silence_until_resumed)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	owner.consume = 1;
	owner.pauses = true;
	say("abc");
	say("def");
	ck_assert_uint_eq(owner.reads, 1);
	ck_assert(!connection_is_reading(owner.conn));
	owner.consume = SIZE_MAX;
	connection_resume_read(owner.conn);
	ck_assert_uint_eq(owner.reads, 1); /* never from inside the call */
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.reads, 2);
	connection_resume_read(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.heard_len, 6);
	ck_assert_mem_eq(owner.heard, "abcdef", 6);
}
END_TEST

static size_t hand_over(void *self, struct connection *conn, char *bytes, size_t len)
{
	struct owner *next = self;
	ck_assert_uint_ge(len, 3);
	ck_assert_mem_eq(bytes, "old", 3);
	connection_set_ops(conn, &all_ops, next);
	return 3;
}

START_TEST(bytes_behind_a_hand_over_go_to_the_next_owner)
{
	static const struct connection_ops first = {.on_read = hand_over, .on_closed = on_closed};
	static struct owner owner;
	open_owner(&owner, &first);
	say("oldnew");
	ck_assert_mem_eq(owner.heard, "new", 3);
	ck_assert_uint_eq(owner.reads, 1);
}
END_TEST

START_TEST(one_flush_a_tick)
{
	static struct owner owner;
	char got[100];
	open_owner(&owner, &all_ops);
	owner.says = 50;
	for (int i = 0; i < 10; i++)
		connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.flushes, 1);
	ck_assert_uint_eq(counter_read(&stage.counters->sends), 1);
	ck_assert_uint_eq(net_stage_receive(peer, got, sizeof got), 50);
	ck_assert_uint_eq(connection_backlog_bytes(owner.conn), 0);
}
END_TEST

/* What n letters of on_flush look like, so that order is checked to the byte. */
static void check_letters(const char *got, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ck_assert_int_eq(got[i], (char)('a' + (from - i) % 26));
}

START_TEST(a_slow_peer_gets_everything_in_order)
{
	static struct owner owner;
	static char got[600000];
	open_owner(&owner, &all_ops);
	owner.says = 500000;
	connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_gt(connection_backlog_bytes(owner.conn), 0);
	ck_assert_uint_eq(owner.marks, 1);
	ck_assert(!connection_is_reading(owner.conn));
	ck_assert_uint_eq(counter_read(&stage.counters->backlog_bytes), connection_backlog_bytes(owner.conn));
	owner.says = 1000; /* goes behind */
	connection_flush_soon(owner.conn);
	size_t len = 0;
	for (int i = 0; i < 10000 && len < 501000; i++) {
		len += net_stage_receive(peer, got + len, sizeof got - len);
		net_stage_run(&stage);
	}
	ck_assert_uint_eq(len, 501000);
	check_letters(got, 500000, 500000);
	check_letters(got + 500000, 1000, 1000);
	ck_assert_uint_eq(owner.drained, 1);
	ck_assert(connection_is_reading(owner.conn));
	ck_assert_uint_eq(counter_read(&stage.counters->backlog_bytes), 0);
}
END_TEST

START_TEST(over_the_hard_mark_it_is_closed)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	owner.says = 2000000;
	connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, -ENOBUFS);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_backlog_bytes), 1);
	ck_assert_uint_gt(counter_read(&stage.counters->dropped_bytes), 0);
	ck_assert_uint_eq(counter_read(&stage.counters->backlog_bytes), 0);
}
END_TEST

START_TEST(age_marks_too)
{
	static struct owner owner;
	int fill = 0;
	open_owner(&owner, &all_ops);
	do { /* just past what the kernel takes: few bytes, far below the marks by size */
		owner.says = 1000;
		connection_flush_soon(owner.conn);
		net_stage_run(&stage);
	} while (connection_backlog_bytes(owner.conn) == 0 && ++fill < 1000);
	ck_assert_uint_eq(owner.marks, 0);
	net_stage_pass(&stage, 999);
	ck_assert_uint_eq(owner.marks, 0);
	net_stage_pass(&stage, 1);
	ck_assert_uint_eq(owner.marks, 1);
	net_stage_pass(&stage, 1999);
	ck_assert_uint_eq(owner.closed, 0);
	net_stage_pass(&stage, 1);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, -ENOBUFS);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_backlog_age), 1);
}
END_TEST

START_TEST(last_words_are_sent_before_the_end)
{
	static struct owner owner;
	char got[100];
	open_owner(&owner, &all_ops);
	owner.says = 10;
	connection_flush_soon(owner.conn);
	connection_close(owner.conn, CONNECTION_AFTER_FLUSH);
	connection_close(owner.conn, CONNECTION_AFTER_FLUSH);
	ck_assert_uint_eq(owner.closed, 0);
	net_stage_run(&stage);
	ck_assert_uint_eq(net_stage_receive(peer, got, sizeof got), 10);
	ck_assert(net_stage_ended(peer));
	ck_assert_uint_eq(owner.closed, 0); /* it lingers: the peer may still be sending */
	say("late");
	ck_assert_uint_eq(owner.reads, 0);
	shutdown(peer, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, 0);
	ck_assert_uint_eq(net_shard_count(stage.net), 0);
}
END_TEST

START_TEST(lingering_has_its_end)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	connection_close(owner.conn, CONNECTION_AFTER_FLUSH);
	net_stage_run(&stage);
	net_stage_pass(&stage, options.linger_ms - 1);
	ck_assert_uint_eq(owner.closed, 0);
	net_stage_pass(&stage, 1);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_linger), 1);
}
END_TEST

START_TEST(at_once_is_not_from_inside)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	connection_close(owner.conn, CONNECTION_AT_ONCE);
	ck_assert(connection_is_closing(owner.conn));
	ck_assert_uint_eq(owner.closed, 0);
	connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_uint_eq(owner.flushes, 0);
}
END_TEST

START_TEST(the_peers_end_is_told)
{
	static struct owner owner;
	char got[10];
	open_owner(&owner, &all_ops);
	say("bye");
	shutdown(peer, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.ends, 1);
	owner.says = 4; /* its half is open yet */
	connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(net_stage_receive(peer, got, sizeof got), 4);
	connection_close(owner.conn, CONNECTION_AFTER_FLUSH);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_peer), 1);
}
END_TEST

START_TEST(without_on_end_it_closes)
{
	static struct owner owner;
	open_owner(&owner, &few_ops);
	shutdown(peer, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, 0);
}
END_TEST

START_TEST(a_deadline_fires_once)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	connection_set_deadline(owner.conn, 100);
	connection_set_deadline(owner.conn, 200);
	net_stage_pass(&stage, 199);
	ck_assert_uint_eq(owner.deadlines, 0);
	net_stage_pass(&stage, 1);
	net_stage_pass(&stage, 1000);
	ck_assert_uint_eq(owner.deadlines, 1);
	connection_set_deadline(owner.conn, 100);
	connection_set_deadline(owner.conn, -1);
	net_stage_pass(&stage, 1000);
	ck_assert_uint_eq(owner.deadlines, 1);
}
END_TEST

START_TEST(without_on_deadline_it_closes)
{
	static struct owner owner;
	open_owner(&owner, &few_ops);
	connection_set_deadline(owner.conn, 100);
	net_stage_pass(&stage, 100);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, -ETIMEDOUT);
}
END_TEST

struct letter {
	struct mail mail;
};

static void lose(struct mail *self, struct shard *here)
{
	(void)here;
	free(self);
}

static void drop(struct mail *self)
{
	free(self);
}

START_TEST(a_pressed_shard_stops_reading)
{
	static struct owner owner;
	open_owner(&owner, &all_ops);
	for (int i = 0; i < 10; i++) { /* the mailbox of shard 1 takes four */
		struct letter *letter = mem_alloc(sizeof *letter);
		letter->mail.deliver = lose;
		letter->mail.discard = drop;
		shard_post(stage.shard, 1, &letter->mail);
	}
	net_stage_run(&stage);
	ck_assert(shard_is_pressed(stage.shard));
	say("wait");
	ck_assert_uint_eq(owner.reads, 0);
	ck_assert_uint_eq(counter_read(&stage.counters->pauses_pressed), 1);
	shard_step(shard_group_at(stage.group, 1));
	shard_enter(stage.shard);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.heard_len, 4);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_not_consumed_comes_again);
	tcase_add_test(tests, input_that_nobody_consumes_ends_it);
	tcase_add_test(tests, paused_means_silence_until_resumed);
	tcase_add_test(tests, bytes_behind_a_hand_over_go_to_the_next_owner);
	tcase_add_test(tests, one_flush_a_tick);
	tcase_add_test(tests, a_slow_peer_gets_everything_in_order);
	tcase_add_test(tests, over_the_hard_mark_it_is_closed);
	tcase_add_test(tests, age_marks_too);
	tcase_add_test(tests, last_words_are_sent_before_the_end);
	tcase_add_test(tests, lingering_has_its_end);
	tcase_add_test(tests, at_once_is_not_from_inside);
	tcase_add_test(tests, the_peers_end_is_told);
	tcase_add_test(tests, without_on_end_it_closes);
	tcase_add_test(tests, a_deadline_fires_once);
	tcase_add_test(tests, without_on_deadline_it_closes);
	tcase_add_test(tests, a_pressed_shard_stops_reading);
}

int main(void)
{
	return run_tests("connection", add);
}
