/* Connections as a shard sees them: shutdown, shares of an address, and what lies between them and the socket. */
#include "connection_stage.h"

START_TEST(a_shutdown_ends_all_and_takes_none)
{
	static struct owner owners[3];
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
	static struct owner owner;
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
	static struct owner owner;
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
	static struct owner owner;
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
	tcase_add_test(tests, a_shutdown_ends_all_and_takes_none);
	tcase_add_test(tests, an_address_has_its_share);
	tcase_add_test(tests, a_wire_shakes_hands_first);
	tcase_add_test(tests, a_handshake_has_its_deadline);
}

int main(void)
{
	return run_tests("connection_wire", add);
}
