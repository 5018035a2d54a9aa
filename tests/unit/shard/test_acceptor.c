#include "shard/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/log.h"
#include "shard/listen.h"
#include "shard/shard.h"
#include "unit/shard/shard_test.h"

enum { MOST = 64, MOST_SHARDS = 4 };

/* The shards are stepped by the test, so what they take changes only when it says so; the acceptor has its thread. */
static struct shard_group *group;
static struct acceptor *acceptor;

static struct accepted taken[MOST];
static unsigned taken_count, taken_by[MOST_SHARDS];

static void take(struct shard *here, const struct accepted *accepted, void *argument)
{
	ck_assert_ptr_eq(argument, &group);
	ck_assert_uint_lt(taken_count, MOST);
	taken[taken_count++] = *accepted;
	taken_by[shard_index(here)]++;
	counter_add(&shard_counters(here)->load, 1);
}

static void setup(unsigned shards, enum accept_policy policy, uint64_t max_connections)
{
	struct shard_options shard_options = {
		.count = shards, .mailbox_depth = 100, .mail_budget = 100, .manual = true};
	ck_assert_int_eq(shard_group_new(&group, &shard_options), 0);
	struct acceptor_options options = {.policy = policy,
					   .batch = 4,
					   .max_connections = max_connections,
					   .on_accept = take,
					   .argument = &group};
	ck_assert_int_eq(acceptor_new(&acceptor, group, &options), 0);
}

static void start(void)
{
	ck_assert_int_eq(acceptor_start(acceptor), 0);
}

static void teardown(void)
{
	acceptor_free(acceptor);
	shard_group_free(group);
	for (unsigned i = 0; i < taken_count; i++)
		close(taken[i].fd);
}

static void step_all(void)
{
	for (unsigned i = 0; i < shard_group_count(group); i++)
		shard_step(shard_group_at(group, i));
}

static uint64_t accepted_count(void)
{
	return counter_read(&acceptor_counters(acceptor)->accepted);
}

static void await_taken(unsigned count)
{
	await((step_all(), taken_count >= count));
	ck_assert_uint_eq(taken_count, count);
}

static int connect_to(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(connect(fd, address, len) == 0, "connect: %s", strerror(errno));
	return fd;
}

static int connect_ipv4(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_to((struct sockaddr *)&address, sizeof address);
}

static int connect_ipv6(unsigned port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};
	address.sin6_addr = in6addr_loopback;
	return connect_to((struct sockaddr *)&address, sizeof address);
}

static int try_connect_unix(const char *path, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(*fd, 0);
	return connect(*fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0)
		close(fd);
	return has;
}

static void assert_flags(int fd, bool is_tcp)
{
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	if (!is_tcp)
		return;
	int no_delay = 0;
	socklen_t len = sizeof no_delay;
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &len), 0);
	ck_assert_int_ne(no_delay, 0);
}

/* ---- where it listens ---- */

START_TEST(listens_on_ipv4)
{
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	int tag;
	unsigned port = 0, same;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, &tag, &port), 0);
	ck_assert_uint_ne(port, 0);
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", port, &tag, &same), -EADDRINUSE);
	start();
	int client = connect_ipv4(port);
	await_taken(1);
	ck_assert_ptr_eq(taken[0].listener_tag, &tag);
	assert_flags(taken[0].fd, true);

	struct sockaddr_in mine;
	socklen_t len = sizeof mine;
	getsockname(client, (struct sockaddr *)&mine, &len);
	struct sockaddr_in *peer = (struct sockaddr_in *)&taken[0].peer;
	ck_assert_uint_eq(taken[0].peer_len, sizeof *peer);
	ck_assert_int_eq(peer->sin_family, AF_INET);
	ck_assert_uint_eq(peer->sin_port, mine.sin_port);
	close(client);
	teardown();
}
END_TEST

START_TEST(listens_on_ipv6)
{
	if (!has_ipv6())
		return;
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	int tags[2];
	unsigned ports[2];
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "[::1]", 0, &tags[0], &ports[0]), 0);
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "::1", 0, &tags[1], &ports[1]), 0);
	start();
	for (unsigned i = 0; i < 2; i++) {
		int client = connect_ipv6(ports[i]);
		await_taken(i + 1);
		ck_assert_ptr_eq(taken[i].listener_tag, &tags[i]);
		ck_assert_int_eq(taken[i].peer.ss_family, AF_INET6);
		assert_flags(taken[i].fd, true);
		close(client);
	}
	teardown();
}
END_TEST

START_TEST(listens_on_all_addresses_with_one_port)
{
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	const char *all[] = {"", "*", "localhost"};
	unsigned ports[3];
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(acceptor_listen_tcp(acceptor, all[i], 0, NULL, &ports[i]), 0);
	start();
	unsigned count = 0;
	for (unsigned i = 0; i < 3; i++) {
		int client = connect_ipv4(ports[i]);
		await_taken(++count);
		close(client);
		if (!has_ipv6() || i == 2)
			continue;
		client = connect_ipv6(ports[i]);
		await_taken(++count);
		close(client);
	}
	teardown();
}
END_TEST

START_TEST(says_what_it_cannot_listen_on)
{
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 65536, NULL, NULL), -EINVAL);
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "192.0.2.1", 0, NULL, NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "[127.0.0.1", 0, NULL, NULL), -ENOENT);
	ck_assert_int_eq(acceptor_listen_unix(acceptor, "", NULL), -EINVAL);
	ck_assert_int_eq(acceptor_listen_unix(acceptor, "/no/such/folder/at/all", NULL), -ENOENT);
	char path[200];
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(acceptor_listen_unix(acceptor, path, NULL), -ENAMETOOLONG);
	struct acceptor *none;
	struct acceptor_options options = {.batch = 0, .on_accept = take};
	ck_assert_int_eq(acceptor_new(&none, group, &options), -EINVAL);
	teardown(); /* never started */
}
END_TEST

START_TEST(listens_on_an_inherited_socket)
{
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(acceptor_listen_fd(acceptor, fd, NULL), -EINVAL); /* does not listen */
	ck_assert_int_eq(listen(fd, 8), 0);
	struct sockaddr_in address;
	socklen_t len = sizeof address;
	getsockname(fd, (struct sockaddr *)&address, &len);
	ck_assert_int_eq(acceptor_listen_fd(acceptor, fd, &fd), 0);
	int pipe_fds[2];
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(acceptor_listen_fd(acceptor, pipe_fds[0], NULL), -ENOTSOCK);
	start();
	int client = connect_ipv4(ntohs(address.sin_port));
	await_taken(1);
	assert_flags(taken[0].fd, true);
	ck_assert_ptr_eq(taken[0].listener_tag, &fd);
	close(client);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	teardown();
}
END_TEST

/* ---- unix sockets ---- */

static char folder[64], path[96];

static void make_folder(void)
{
	snprintf(folder, sizeof folder, "%s/acceptor-XXXXXX", P_tmpdir);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
}

static void remove_folder(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(listens_on_a_unix_socket)
{
	make_folder();
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	ck_assert_int_eq(acceptor_listen_unix(acceptor, path, folder), 0);
	start();
	int client;
	ck_assert_int_eq(try_connect_unix(path, &client), 0);
	await_taken(1);
	assert_flags(taken[0].fd, false);
	ck_assert_ptr_eq(taken[0].listener_tag, folder);
	close(client);
	/* It lives: nobody else may have it. */
	int second;
	ck_assert_int_eq(listen_unix(path, &second), -EADDRINUSE);
	acceptor_stop(acceptor);
	ck_assert_int_eq(access(path, F_OK), -1);
	teardown();
	remove_folder();
}
END_TEST

START_TEST(a_dead_socket_file_is_replaced_and_others_are_not)
{
	make_folder();
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	/* A file that is no socket stays. */
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(file);
	ck_assert_int_eq(acceptor_listen_unix(acceptor, path, NULL), -EADDRINUSE);
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);

	/* What a server that was killed leaves. */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(dead, 1), 0);
	close(dead);
	ck_assert_int_eq(acceptor_listen_unix(acceptor, path, NULL), 0);
	start();
	int client;
	ck_assert_int_eq(try_connect_unix(path, &client), 0);
	await_taken(1);
	close(client);

	/* A successor that took the path meanwhile keeps it. */
	unlink(path);
	int successor = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(successor, (struct sockaddr *)&address, sizeof address), 0);
	acceptor_stop(acceptor);
	ck_assert_int_eq(access(path, F_OK), 0);
	close(successor);
	teardown();
	remove_folder();
}
END_TEST

/* ---- whom it gives them to ---- */

static int clients[MOST];

/* Connects count clients while no shard takes anything, then lets the shards take them all. */
static void burst(unsigned count)
{
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, NULL, &port), 0);
	start();
	for (unsigned i = 0; i < count; i++)
		clients[i] = connect_ipv4(port);
	await(accepted_count() == count);
	await_taken(count);
	for (unsigned i = 0; i < count; i++)
		close(clients[i]);
}

START_TEST(least_connections_spreads_a_burst)
{
	setup(4, ACCEPT_LEAST_CONNECTIONS, 0);
	burst(40);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(taken_by[i], 10);
	teardown();
}
END_TEST

START_TEST(least_connections_fills_up_who_has_fewer)
{
	setup(3, ACCEPT_LEAST_CONNECTIONS, 0);
	counter_add(&shard_counters(shard_group_at(group, 0))->load, 5);
	counter_add(&shard_counters(shard_group_at(group, 1))->load, 2);
	burst(11);
	ck_assert_uint_eq(taken_by[0], 1);
	ck_assert_uint_eq(taken_by[1], 4);
	ck_assert_uint_eq(taken_by[2], 6);
	teardown();
}
END_TEST

START_TEST(round_robin_takes_turns)
{
	setup(3, ACCEPT_ROUND_ROBIN, 0);
	counter_add(&shard_counters(shard_group_at(group, 0))->load, 50);
	burst(9);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(taken_by[i], 3);
	teardown();
}
END_TEST

START_TEST(random_reaches_all)
{
	setup(2, ACCEPT_RANDOM, 0);
	burst(60);
	ck_assert_uint_gt(taken_by[0], 0);
	ck_assert_uint_gt(taken_by[1], 0);
	teardown();
}
END_TEST

/* ---- limits ---- */

START_TEST(at_the_limit_clients_wait_until_one_leaves)
{
	setup(2, ACCEPT_LEAST_CONNECTIONS, 3);
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_setup(LOG_WARN, log);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, NULL, &port), 0);
	start();
	for (unsigned i = 0; i < 5; i++)
		clients[i] = connect_ipv4(port);
	await(counter_read(&acceptor_counters(acceptor)->paused) == 1);
	ck_assert_uint_eq(accepted_count(), 3);
	await_taken(3);
	ck_assert_uint_eq(accepted_count(), 3);

	/* Each that leaves lets one in, and then the limit is reached again. */
	for (unsigned gone = 1; gone <= 2; gone++) {
		counter_sub(&shard_counters(shard_group_at(group, 0))->load, 1);
		await_taken(3 + gone);
		ck_assert_uint_eq(accepted_count(), 3 + gone);
	}
	for (unsigned i = 0; i < 5; i++)
		close(clients[i]);
	teardown();
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
	setup(1, ACCEPT_ROUND_ROBIN, 0);
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_setup(LOG_WARN, log);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, NULL, &port), 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned i = 0; i < 3; i++)
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
	rlim_t before = allow_no_more_descriptors();
	start();
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(connect(clients[i], (struct sockaddr *)&address, sizeof address), 0);
	/* It tries again, now and then; that is one pause. */
	await(counter_read(&acceptor_counters(acceptor)->failed) >= 2);
	ck_assert_uint_eq(counter_read(&acceptor_counters(acceptor)->paused), 1);
	ck_assert_uint_eq(accepted_count(), 0);

	allow_descriptors(before);
	await_taken(3);
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
	teardown();
	close(log);
}
END_TEST

/* ---- the end ---- */

START_TEST(sockets_on_their_way_are_closed_at_the_end)
{
	setup(2, ACCEPT_ROUND_ROBIN, 0);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, NULL, &port), 0);
	start();
	for (unsigned i = 0; i < 4; i++)
		clients[i] = connect_ipv4(port);
	await(accepted_count() == 4);
	acceptor_stop(acceptor);
	acceptor_stop(acceptor);
	teardown();
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
	ck_assert_int_eq(shard_group_new(&group, &shard_options), 0);
	struct acceptor_options options = {
		.policy = ACCEPT_LEAST_CONNECTIONS, .batch = 10, .max_connections = 1000, .on_accept = greet};
	ck_assert_int_eq(acceptor_new(&acceptor, group, &options), 0);
	unsigned port;
	ck_assert_int_eq(acceptor_listen_tcp(acceptor, "127.0.0.1", 0, NULL, &port), 0);
	ck_assert_int_eq(shard_group_start(group, NULL, NULL, NULL), 0);
	start();
	unsigned greeted_by[3] = {0};
	for (unsigned i = 0; i < 300; i++) {
		int client = connect_ipv4(port);
		char number;
		ck_assert_int_eq(read(client, &number, 1), 1);
		greeted_by[number - '0']++;
		close(client);
	}
	/* One at a time, all equal: the turn goes round, whatever the timing, unless a socket is still being taken. */
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_gt(greeted_by[i], 0);
	acceptor_stop(acceptor);
	shard_group_stop(group);
	teardown();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, listens_on_ipv4);
	tcase_add_test(tests, listens_on_ipv6);
	tcase_add_test(tests, listens_on_all_addresses_with_one_port);
	tcase_add_test(tests, says_what_it_cannot_listen_on);
	tcase_add_test(tests, listens_on_an_inherited_socket);
	tcase_add_test(tests, listens_on_a_unix_socket);
	tcase_add_test(tests, a_dead_socket_file_is_replaced_and_others_are_not);
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
