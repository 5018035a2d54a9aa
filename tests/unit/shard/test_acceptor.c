/* Whom the acceptor gives its sockets to, and what it does at its limits. */
#include "shard/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/log.h"
#include "unit/shard/door.h"
#include "unit/shard/shard_test.h"

/* ---- whom it gives them to ---- */

static int clients[DOOR_MOST];

/* Connects count clients while no shard takes anything, then lets the shards take them all. */
static void burst(unsigned count)
{
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, NULL, &port), 0);
	door_start();
	for (unsigned i = 0; i < count; i++)
		clients[i] = door_connect_ipv4(port);
	await(door_accepted() == count);
	door_await_taken(count);
	for (unsigned i = 0; i < count; i++)
		close(clients[i]);
}

START_TEST(least_connections_spreads_a_burst)
{
	door_open(4, ACCEPT_LEAST_CONNECTIONS, 0);
	burst(40);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(door.taken_by[i], 10);
	door_close();
}
END_TEST

START_TEST(least_connections_fills_up_who_has_fewer)
{
	door_open(3, ACCEPT_LEAST_CONNECTIONS, 0);
	counter_add(&shard_counters(shard_group_at(door.group, 0))->load, 5);
	counter_add(&shard_counters(shard_group_at(door.group, 1))->load, 2);
	burst(11);
	ck_assert_uint_eq(door.taken_by[0], 1);
	ck_assert_uint_eq(door.taken_by[1], 4);
	ck_assert_uint_eq(door.taken_by[2], 6);
	door_close();
}
END_TEST

START_TEST(round_robin_takes_turns)
{
	door_open(3, ACCEPT_ROUND_ROBIN, 0);
	counter_add(&shard_counters(shard_group_at(door.group, 0))->load, 50);
	burst(9);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(door.taken_by[i], 3);
	door_close();
}
END_TEST

START_TEST(random_reaches_all)
{
	door_open(2, ACCEPT_RANDOM, 0);
	burst(60);
	ck_assert_uint_gt(door.taken_by[0], 0);
	ck_assert_uint_gt(door.taken_by[1], 0);
	door_close();
}
END_TEST

/* ---- limits ---- */

START_TEST(at_the_limit_clients_wait_until_one_leaves)
{
	door_open(2, ACCEPT_LEAST_CONNECTIONS, 3);
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_setup(LOG_WARN, log);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, NULL, &port), 0);
	door_start();
	for (unsigned i = 0; i < 5; i++)
		clients[i] = door_connect_ipv4(port);
	await(counter_read(&acceptor_counters(door.acceptor)->paused) == 1);
	ck_assert_uint_eq(door_accepted(), 3);
	door_await_taken(3);
	ck_assert_uint_eq(door_accepted(), 3);

	/* Each that leaves lets one in, and then the limit is reached again. */
	for (unsigned gone = 1; gone <= 2; gone++) {
		counter_sub(&shard_counters(shard_group_at(door.group, 0))->load, 1);
		door_await_taken(3 + gone);
		ck_assert_uint_eq(door_accepted(), 3 + gone);
	}
	for (unsigned i = 0; i < 5; i++)
		close(clients[i]);
	door_close();
	close(log);
}
END_TEST

/* The soft limit of descriptors becomes the first number that is free. Returns the limit there was. */
static rlim_t allow_no_more_descriptors(void)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	rlim_t before = limit.rlim_cur;
	int first_free = dup(0);
	close(first_free);
	limit.rlim_cur = (rlim_t)first_free;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void allow_descriptors(rlim_t count)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Each test is a child of its own, so the limit is that of this child. */
START_TEST(out_of_descriptors_it_pauses_and_goes_on_later)
{
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_setup(LOG_WARN, log);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, NULL, &port), 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned i = 0; i < 3; i++)
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
	rlim_t before = allow_no_more_descriptors();
	door_start();
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(connect(clients[i], (struct sockaddr *)&address, sizeof address), 0);
	/* It tries again, now and then; that is one pause. */
	await(counter_read(&acceptor_counters(door.acceptor)->failed) >= 2);
	ck_assert_uint_eq(counter_read(&acceptor_counters(door.acceptor)->paused), 1);
	ck_assert_uint_eq(door_accepted(), 0);

	allow_descriptors(before);
	door_await_taken(3);
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
	door_close();
	close(log);
}
END_TEST

/* ---- the end ---- */

START_TEST(sockets_on_their_way_are_closed_at_the_end)
{
	door_open(2, ACCEPT_ROUND_ROBIN, 0);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, NULL, &port), 0);
	door_start();
	for (unsigned i = 0; i < 4; i++)
		clients[i] = door_connect_ipv4(port);
	await(door_accepted() == 4);
	acceptor_stop(door.acceptor);
	acceptor_stop(door.acceptor);
	door_close();
	for (unsigned i = 0; i < 4; i++) {
		char byte;
		ck_assert_int_eq(read(clients[i], &byte, 1), 0);
		close(clients[i]);
	}
	acceptor_free(NULL);
}
END_TEST

/* ---- with real threads ---- */

static void greet(struct shard *here, const struct accepted *accepted, void *argument)
{
	(void)argument;
	char number = (char)('0' + shard_index(here));
	counter_add(&shard_counters(here)->load, 1);
	if (write(accepted->fd, &number, 1) == 1)
		close(accepted->fd);
	counter_sub(&shard_counters(here)->load, 1);
}

START_TEST(shards_on_threads_get_theirs)
{
	struct shard_options shard_options = {.count = 3, .mailbox_depth = 100, .mail_budget = 100};
	ck_assert_int_eq(shard_group_new(&door.group, &shard_options), 0);
	struct acceptor_options options = {
		.policy = ACCEPT_LEAST_CONNECTIONS, .batch = 10, .max_connections = 1000, .on_accept = greet};
	ck_assert_int_eq(acceptor_new(&door.acceptor, door.group, &options), 0);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, NULL, &port), 0);
	ck_assert_int_eq(shard_group_start(door.group, NULL, NULL, NULL), 0);
	door_start();
	unsigned greeted_by[3] = {0};
	for (unsigned i = 0; i < 300; i++) {
		int client = door_connect_ipv4(port);
		char number;
		ck_assert_int_eq(read(client, &number, 1), 1);
		greeted_by[number - '0']++;
		close(client);
	}
	/* One at a time, all equal: the turn goes round, whatever the timing, unless a socket is still being
	 * door.taken. */
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_gt(greeted_by[i], 0);
	acceptor_stop(door.acceptor);
	shard_group_stop(door.group);
	door_close();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, least_connections_spreads_a_burst);
	tcase_add_test(tests, least_connections_fills_up_who_has_fewer);
	tcase_add_test(tests, round_robin_takes_turns);
	tcase_add_test(tests, random_reaches_all);
	tcase_add_test(tests, at_the_limit_clients_wait_until_one_leaves);
	tcase_add_test(tests, out_of_descriptors_it_pauses_and_goes_on_later);
	tcase_add_test(tests, sockets_on_their_way_are_closed_at_the_end);
	tcase_add_test(tests, shards_on_threads_get_theirs);
}

int main(void)
{
	return run_case("acceptor", add_tests);
}
