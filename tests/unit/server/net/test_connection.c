#include "server/net/connection.h"

#include "core/mem.h"
#include "server/net/wire.h"
#include "unit/server/net/net_stage.h"

/* An owner that writes down what it hears, and does what the test tells it. */
struct owner {
	struct connection *conn;
	char heard[4096];
	size_t heard_len;
	size_t consume; /* the most that it consumes per on_read */
	size_t says;    /* bytes to say in the next on_flush */
	bool pauses;    /* after each on_read */
	unsigned reads;
	unsigned flushes;
	unsigned drained;
	unsigned marks;
	unsigned ends;
	unsigned deadlines;
	unsigned closed;
	int error;
};

static size_t on_read(void *self, struct connection *conn, char *bytes, size_t len)
{
	struct owner *owner = self;
	size_t used = len < owner->consume ? len : owner->consume;
	memcpy(owner->heard + owner->heard_len, bytes, used);
	owner->heard_len += used;
	owner->reads++;
	if (owner->pauses)
		connection_pause_read(conn);
	return used;
}

static void on_flush(void *self, struct connection *conn, struct buf *out)
{
	struct owner *owner = self;
	owner->flushes++;
	for (; owner->says; owner->says--) {
		buf_append_char(out, (char)('a' + owner->says % 26));
		if (out->len > 200000)
			connection_spill(conn, out);
	}
}

static void on_drained(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->drained++;
}

static void on_backlog(void *self, struct connection *conn, enum connection_level level)
{
	(void)conn;
	ck_assert_int_eq(level, CONNECTION_SOFT);
	((struct owner *)self)->marks++;
}

static void on_end(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->ends++;
}

static void on_deadline(void *self, struct connection *conn)
{
	(void)conn;
	((struct owner *)self)->deadlines++;
}

static void on_closed(void *self, struct connection *conn, int error)
{
	struct owner *owner = self;
	(void)conn;
	owner->closed++;
	owner->error = error;
}

static const struct connection_ops all_ops = {
	.on_read = on_read,
	.on_flush = on_flush,
	.on_drained = on_drained,
	.on_backlog = on_backlog,
	.on_end = on_end,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};
static const struct connection_ops few_ops = {.on_read = on_read, .on_closed = on_closed};

static struct net_stage stage;
static struct connection_options options;
static int peer;

static void setup(void)
{
	net_stage_start(&stage, &(struct net_options){.receive_bytes = 4096});
	options = (struct connection_options){
		.soft_bytes = 10000, .hard_bytes = 1000000, .soft_age_ms = 1000, .hard_age_ms = 3000};
	connection_options_fill(&options);
}

static void teardown(void)
{
	close(peer);
	net_stage_end(&stage);
}

static void open_owner(struct owner *owner, const struct connection_ops *ops)
{
	struct address address = {.family = ADDRESS_UNIX};
	int fd;
	memset(owner, 0, sizeof *owner);
	owner->consume = SIZE_MAX;
	net_stage_pair(&peer, &fd);
	ck_assert_int_eq(connection_new(&owner->conn, stage.net, fd, &address, &options, ops, owner), 0);
}

static void say(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
	net_stage_run(&stage);
}

START_TEST(what_is_not_consumed_comes_again)
{
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
	open_owner(&owner, &first);
	say("oldnew");
	ck_assert_mem_eq(owner.heard, "new", 3);
	ck_assert_uint_eq(owner.reads, 1);
}
END_TEST

START_TEST(one_flush_a_tick)
{
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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
	ck_assert_int_eq(connection_backlog_age_ms(owner.conn), 999);
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
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
	open_owner(&owner, &few_ops);
	shutdown(peer, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, 0);
}
END_TEST

START_TEST(a_deadline_fires_once)
{
	struct owner owner;
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
	struct owner owner;
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
	struct owner owner;
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

START_TEST(a_shutdown_ends_all_and_takes_none)
{
	struct owner owners[3];
	int peers[3];
	struct address address = {.family = ADDRESS_UNIX};
	for (int i = 0; i < 3; i++) {
		open_owner(&owners[i], &all_ops);
		peers[i] = peer;
	}
	net_shard_shutdown(stage.net);
	int ours, theirs;
	struct connection *conn;
	net_stage_pair(&ours, &theirs);
	ck_assert_int_eq(connection_new(&conn, stage.net, theirs, &address, &options, &all_ops, NULL), -ESHUTDOWN);
	close(ours);
	for (int i = 0; i < 3; i++)
		shutdown(peers[i], SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(net_shard_count(stage.net), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(owners[i].closed, 1);
	for (int i = 0; i < 2; i++)
		close(peers[i]);
}
END_TEST

START_TEST(an_address_has_its_share)
{
	struct owner owner;
	struct connection *conns[4];
	struct address address = {.family = ADDRESS_IPV4, .bytes = {1, 2, 3, 4}};
	struct connection *other;
	int ours[5], fd, rc = 0;
	memset(&owner, 0, sizeof owner);
	net_stage_end(&stage);
	net_stage_start(&stage, &(struct net_options){.per_address = 3});
	for (int i = 0; i < 4; i++) {
		net_stage_pair(&ours[i], &fd);
		rc = connection_new(&conns[i], stage.net, fd, &address, &options, &few_ops, &owner);
		ck_assert_int_eq(rc, i < 3 ? 0 : -EUSERS);
	}
	ck_assert_uint_eq(counter_read(&stage.counters->refused_address), 1);
	address.bytes[3] = 5;
	net_stage_pair(&ours[4], &fd);
	ck_assert_int_eq(connection_new(&other, stage.net, fd, &address, &options, &few_ops, &owner), 0);
	connection_close(conns[0], CONNECTION_AT_ONCE);
	net_stage_run(&stage);
	address.bytes[3] = 4;
	close(ours[3]);
	net_stage_pair(&ours[3], &fd);
	ck_assert_int_eq(connection_new(&conns[3], stage.net, fd, &address, &options, &few_ops, &owner), 0);
	for (int i = 0; i < 5; i++)
		close(ours[i]);
	net_stage_pair(&peer, &fd);
	close(fd);
}
END_TEST

/* A wire that turns letters, whose handshake needs two bytes and then to write. */
struct turning {
	int step;
	bool freed;
};

static int turning_handshake(struct connection *conn, void *state)
{
	struct turning *turning = state;
	char byte;
	while (turning->step < 2) {
		if (recv(connection_fd(conn), &byte, 1, 0) != 1)
			return -EAGAIN;
		turning->step++;
	}
	if (turning->step++ == 2) {
		connection_watch_write(conn);
		return -EAGAIN;
	}
	return 0;
}

static ssize_t turning_read(struct connection *conn, void *state, char *to, size_t room)
{
	ssize_t got = wire_plain.read(conn, NULL, to, room);
	(void)state;
	for (ssize_t i = 0; i < got; i++)
		to[i] ^= 1;
	return got;
}

static void turning_free(void *state)
{
	((struct turning *)state)->freed = true;
}

START_TEST(a_wire_shakes_hands_first)
{
	const struct wire wire = {
		.handshake = turning_handshake,
		.read = turning_read,
		.write = wire_plain.write,
		.end = wire_plain.end,
		.free = turning_free,
		.is_secure = true,
	};
	struct turning turning = {0};
	struct owner owner;
	char got[16];
	open_owner(&owner, &all_ops);
	connection_set_wire(owner.conn, &wire, &turning, 500);
	owner.says = 3;
	connection_flush_soon(owner.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(owner.flushes, 0);
	say("12ace");
	ck_assert_uint_eq(owner.flushes, 1);
	ck_assert_uint_eq(net_stage_receive(peer, got, sizeof got), 3);
	ck_assert_uint_eq(owner.heard_len, 3);
	ck_assert_mem_eq(owner.heard, "`bd", 3);
	ck_assert(connection_is_secure(owner.conn));
	connection_close(owner.conn, CONNECTION_AT_ONCE);
	net_stage_run(&stage);
	ck_assert(turning.freed);
}
END_TEST

START_TEST(a_handshake_has_its_deadline)
{
	const struct wire wire = {
		.handshake = turning_handshake, .read = turning_read, .write = wire_plain.write, .end = wire_plain.end};
	struct turning turning = {0};
	struct owner owner;
	open_owner(&owner, &all_ops);
	connection_set_wire(owner.conn, &wire, &turning, 500);
	say("1");
	net_stage_pass(&stage, 500);
	ck_assert_uint_eq(owner.closed, 1);
	ck_assert_int_eq(owner.error, -ETIMEDOUT);
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
	tcase_add_test(tests, a_shutdown_ends_all_and_takes_none);
	tcase_add_test(tests, an_address_has_its_share);
	tcase_add_test(tests, a_wire_shakes_hands_first);
	tcase_add_test(tests, a_handshake_has_its_deadline);
}

int main(void)
{
	return run_tests("connection", add);
}
