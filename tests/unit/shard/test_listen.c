/* Where the acceptor listens: IPv4, IPv6, names, unix sockets, inherited ones; and what it says when it cannot. */
#include "shard/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/shard/door.h"
#include "unit/shard/shard_test.h"

static int connect_ipv6(unsigned port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};
	address.sin6_addr = in6addr_loopback;
	return door_connect((struct sockaddr *)&address, sizeof address);
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
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	int tag;
	unsigned port = 0, same;
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 0, &tag, &port), 0);
	ck_assert_uint_ne(port, 0);
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", port, &tag, &same), -EADDRINUSE);
	door_start();
	int client = door_connect_ipv4(port);
	door_await_taken(1);
	ck_assert_ptr_eq(door.taken[0].listener_tag, &tag);
	assert_flags(door.taken[0].fd, true);

	struct sockaddr_in mine;
	socklen_t len = sizeof mine;
	getsockname(client, (struct sockaddr *)&mine, &len);
	struct sockaddr_in *peer = (struct sockaddr_in *)&door.taken[0].peer;
	ck_assert_uint_eq(door.taken[0].peer_len, sizeof *peer);
	ck_assert_int_eq(peer->sin_family, AF_INET);
	ck_assert_uint_eq(peer->sin_port, mine.sin_port);
	close(client);
	door_close();
}
END_TEST

START_TEST(listens_on_ipv6)
{
	if (!has_ipv6())
		return;
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	int tags[2];
	unsigned ports[2];
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "[::1]", 0, &tags[0], &ports[0]), 0);
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "::1", 0, &tags[1], &ports[1]), 0);
	door_start();
	for (unsigned i = 0; i < 2; i++) {
		int client = connect_ipv6(ports[i]);
		door_await_taken(i + 1);
		ck_assert_ptr_eq(door.taken[i].listener_tag, &tags[i]);
		ck_assert_int_eq(door.taken[i].peer.ss_family, AF_INET6);
		assert_flags(door.taken[i].fd, true);
		close(client);
	}
	door_close();
}
END_TEST

START_TEST(listens_on_all_addresses_with_one_port)
{
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	const char *all[] = {"", "*", "localhost"};
	unsigned ports[3];
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, all[i], 0, NULL, &ports[i]), 0);
	door_start();
	unsigned count = 0;
	for (unsigned i = 0; i < 3; i++) {
		int client = door_connect_ipv4(ports[i]);
		door_await_taken(++count);
		close(client);
		if (!has_ipv6() || i == 2)
			continue;
		client = connect_ipv6(ports[i]);
		door_await_taken(++count);
		close(client);
	}
	door_close();
}
END_TEST

static void take_none(struct shard *here, const struct accepted *accepted, void *argument)
{
	(void)here;
	(void)argument;
	close(accepted->fd);
}

START_TEST(says_what_it_cannot_listen_on)
{
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "127.0.0.1", 65536, NULL, NULL), -EINVAL);
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "192.0.2.1", 0, NULL, NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(acceptor_listen_tcp(door.acceptor, "[127.0.0.1", 0, NULL, NULL), -ENOENT);
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, "", NULL), -EINVAL);
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, "/no/such/folder/at/all", NULL), -ENOENT);
	char path[200];
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, path, NULL), -ENAMETOOLONG);
	struct acceptor *none;
	struct acceptor_options options = {.batch = 0, .on_accept = take_none};
	ck_assert_int_eq(acceptor_new(&none, door.group, &options), -EINVAL);
	door_close(); /* never started */
}
END_TEST

START_TEST(listens_on_an_inherited_socket)
{
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(acceptor_listen_fd(door.acceptor, fd, NULL), -EINVAL); /* does not listen */
	ck_assert_int_eq(listen(fd, 8), 0);
	struct sockaddr_in address;
	socklen_t len = sizeof address;
	getsockname(fd, (struct sockaddr *)&address, &len);
	ck_assert_int_eq(acceptor_listen_fd(door.acceptor, fd, &fd), 0);
	int pipe_fds[2];
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(acceptor_listen_fd(door.acceptor, pipe_fds[0], NULL), -ENOTSOCK);
	door_start();
	int client = door_connect_ipv4(ntohs(address.sin_port));
	door_await_taken(1);
	assert_flags(door.taken[0].fd, true);
	ck_assert_ptr_eq(door.taken[0].listener_tag, &fd);
	close(client);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	door_close();
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
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, path, folder), 0);
	door_start();
	int client;
	ck_assert_int_eq(try_connect_unix(path, &client), 0);
	door_await_taken(1);
	assert_flags(door.taken[0].fd, false);
	ck_assert_ptr_eq(door.taken[0].listener_tag, folder);
	close(client);
	/* It lives: nobody else may have it. */
	int second;
	ck_assert_int_eq(listen_unix(path, &second), -EADDRINUSE);
	acceptor_stop(door.acceptor);
	ck_assert_int_eq(access(path, F_OK), -1);
	door_close();
	remove_folder();
}
END_TEST

START_TEST(a_dead_socket_file_is_replaced_and_others_are_not)
{
	make_folder();
	door_open(1, ACCEPT_ROUND_ROBIN, 0);
	/* A file that is no socket stays. */
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(file);
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, path, NULL), -EADDRINUSE);
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);

	/* What a server that was killed leaves. */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(dead, 1), 0);
	close(dead);
	ck_assert_int_eq(acceptor_listen_unix(door.acceptor, path, NULL), 0);
	door_start();
	int client;
	ck_assert_int_eq(try_connect_unix(path, &client), 0);
	door_await_taken(1);
	close(client);

	/* A successor that took the path meanwhile keeps it. */
	unlink(path);
	int successor = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(successor, (struct sockaddr *)&address, sizeof address), 0);
	acceptor_stop(door.acceptor);
	ck_assert_int_eq(access(path, F_OK), 0);
	close(successor);
	door_close();
	remove_folder();
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
}

int main(void)
{
	return run_case("listen", add_tests);
}
