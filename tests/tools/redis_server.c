#include "tools/redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"

/* Stands for a word that is empty. */
#define EMPTY_WORD "-"

enum { DEADLINE_MS = 20000, WORDS_MAX = 40, PAIRS_MAX = 64, PIECE = 65536 };

/* ---- processes ---- */

/* A child that ends when the test does. */
static pid_t child_of_test(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert_always(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static void end_child(pid_t *pid)
{
	if (*pid == 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	assert_always(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	address.sin_port = htons((uint16_t)*port);
	int rc = bind(fd, (struct sockaddr *)&address, sizeof address);
	assert_always(rc == 0);
	rc = listen(fd, 64);
	assert_always(rc == 0);
	rc = getsockname(fd, (struct sockaddr *)&address, &size);
	assert_always(rc == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

unsigned redis_server_free_port(void)
{
	unsigned port = 0;

	close(listen_somewhere(&port));
	return port;
}

/* ---- the server ---- */

static void run_redis(const struct redis_server *server)
{
	char words[1024];
	char *argv[WORDS_MAX] = {"redis-server"};
	char *rest = NULL;
	int count = 1;
	bool is_sentinel = !strncmp(server->options, "sentinel ", 9);

	/* A sentinel begins with its file; what it keeps goes there. */
	if (is_sentinel)
		snprintf(words, sizeof words, "%s --sentinel --port %u --bind 127.0.0.1 --dir %s", server->options + 9,
			 server->port, server->folder);
	else
		snprintf(words, sizeof words,
			 "--port %u --bind 127.0.0.1 --unixsocket %s/socket --dir %s --loglevel warning "
			 "--appendonly no --save %s %s",
			 server->port, server->folder, server->folder, EMPTY_WORD, server->options);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_always(count < WORDS_MAX - 1);
		argv[count++] = strcmp(word, EMPTY_WORD) ? word : "";
	}
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	execvp(argv[0], argv);
	perror("redis-server");
	_exit(127);
}

redisContext *redis_server_client(struct redis_server *server)
{
	const char *password = strstr(server->options, "--requirepass ");
	redisContext *client = redisConnect("127.0.0.1", (int)server->port);
	struct timeval deadline = {.tv_sec = DEADLINE_MS / 1000};
	char word[64];

	assert_always(client);
	if (client->err) {
		redisFree(client);
		return NULL;
	}
	redisSetTimeout(client, deadline);
	if (password && sscanf(password, "--requirepass %63s", word) == 1)
		freeReplyObject(redisCommand(client, "AUTH %s", word));
	return client;
}

/* Connects a client and asks until Redis is ready. */
static void await_ready(struct redis_server *server)
{
	int64_t until = clock_now_mono_ms() + DEADLINE_MS;

	while (clock_now_mono_ms() < until) {
		server->client = redis_server_client(server);
		redisReply *reply = server->client ? redisCommand(server->client, "PING") : NULL;
		bool is_ready = reply && reply->type == REDIS_REPLY_STATUS;

		if (reply)
			freeReplyObject(reply);
		if (is_ready)
			return;
		if (server->client)
			redisFree(server->client);
		server->client = NULL;
		poll(NULL, 0, 5);
	}
	fprintf(stderr, "redis-server did not start\n");
	abort();
}

void redis_server_start(struct redis_server *server)
{
	server->pid = child_of_test();
	if (server->pid == 0)
		run_redis(server);
	await_ready(server);
}

struct redis_server *redis_server_new(const char *options)
{
	struct redis_server *server = mem_alloc(sizeof *server);
	const char *temporary = getenv("TMPDIR");

	snprintf(server->folder, sizeof server->folder, "%s/redis-XXXXXX",
		 temporary && strlen(temporary) < 40 ? temporary : "/tmp");
	char *made = mkdtemp(server->folder);
	assert_always(made);
	snprintf(server->options, sizeof server->options, "%s", options);
	server->port = redis_server_free_port();
	snprintf(server->url, sizeof server->url, "redis://127.0.0.1:%u/0", server->port);
	snprintf(server->unix_url, sizeof server->unix_url, "unix://%s/socket", server->folder);
	redis_server_start(server);
	return server;
}

void redis_server_kill(struct redis_server *server)
{
	end_child(&server->pid);
	if (server->client)
		redisFree(server->client);
	server->client = NULL;
}

void redis_server_free(struct redis_server *server)
{
	static const char *const files[] = {"socket", "dump.rdb", "sentinel.conf"};
	char path[128];

	redis_server_kill(server);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", server->folder, files[i]);
		unlink(path);
	}
	rmdir(server->folder);
	free(server);
}

void redis_server_pause(struct redis_server *server, bool paused)
{
	kill(server->pid, paused ? SIGSTOP : SIGCONT);
}

/* ---- asking ---- */

static redisReply *ask(struct redis_server *server, const char *format, va_list arguments)
{
	va_list again;

	va_copy(again, arguments);
	redisReply *reply = redisvCommand(server->client, format, arguments);
	if (!reply) { /* it has ended our connection: a failover does that */
		redisFree(server->client);
		await_ready(server);
		reply = redisvCommand(server->client, format, again);
	}
	va_end(again);
	assert_always(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fprintf(stderr, "redis: %s: %s\n", format, reply->str);
	return reply;
}

redisReply *redis_server_ask(struct redis_server *server, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = ask(server, format, arguments);
	va_end(arguments);
	return reply;
}

long long redis_server_ask_number(struct redis_server *server, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = ask(server, format, arguments);
	va_end(arguments);
	long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
			   : reply->str                       ? strtoll(reply->str, NULL, 10)
							      : -1;
	freeReplyObject(reply);
	return number;
}

const char *redis_server_ask_text(struct redis_server *server, const char *format, ...)
{
	static char text[65536];
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = ask(server, format, arguments);
	va_end(arguments);
	snprintf(text, sizeof text, "%s", reply->str ? reply->str : "");
	freeReplyObject(reply);
	return text;
}

/* ---- the cable ---- */

static volatile sig_atomic_t cable_is_cut;
static volatile sig_atomic_t cable_is_held;

static void cable_signal(int number)
{
	if (number == SIGUSR1)
		cable_is_cut = 1;
	else if (number == SIGUSR2)
		cable_is_cut = cable_is_held = 0;
	else
		cable_is_held = 1;
}

static int dial(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Passes on what one end has to say. false: it has ended. */
static bool pass(int from, int to)
{
	static char piece[PIECE];
	ssize_t got = read(from, piece, sizeof piece);

	for (ssize_t at = 0; at < got;) {
		ssize_t sent = send(to, piece + at, (size_t)(got - at), MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		at += sent > 0 ? sent : 0;
	}
	return got > 0 || (got < 0 && errno == EINTR);
}

static void run_cable(int listener, unsigned target)
{
	struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN}};
	unsigned count = 1;

	for (;;) {
		if (poll(fds, count, 2) < 0)
			continue;
		if (cable_is_held)
			continue;
		for (unsigned i = 1; i + 1 < count || i < count; i += 2) {
			bool lives = !cable_is_cut && (!fds[i].revents || pass(fds[i].fd, fds[i + 1].fd)) &&
				     (!fds[i + 1].revents || pass(fds[i + 1].fd, fds[i].fd));
			if (lives)
				continue;
			close(fds[i].fd);
			close(fds[i + 1].fd);
			fds[i] = fds[count - 2];
			fds[i + 1] = fds[count - 1];
			count -= 2;
			i -= 2;
		}
		if (!(fds[0].revents & POLLIN))
			continue;
		int near = accept(listener, NULL, NULL);
		int far = cable_is_cut || count > 2 * PAIRS_MAX - 2 ? -1 : dial(target);
		if (far < 0) {
			close(near);
			continue;
		}
		fds[count++] = (struct pollfd){.fd = near, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = far, .events = POLLIN};
	}
}

struct redis_cable *redis_cable_new(const struct redis_server *server)
{
	struct redis_cable *cable = mem_alloc(sizeof *cable);
	int listener = listen_somewhere(&cable->port);

	snprintf(cable->url, sizeof cable->url, "redis://127.0.0.1:%u/0", cable->port);
	cable->pid = child_of_test();
	if (cable->pid == 0) {
		/* What the test has open must end when the test closes it. */
		dup2(listener, 3);
		close_range(4, ~0U, 0);
		signal(SIGUSR1, cable_signal);
		signal(SIGUSR2, cable_signal);
		signal(SIGWINCH, cable_signal);
		run_cable(3, server->port);
	}
	close(listener);
	return cable;
}

void redis_cable_free(struct redis_cable *cable)
{
	end_child(&cable->pid);
	free(cable);
}

void redis_cable_cut(struct redis_cable *cable, bool is_cut)
{
	kill(cable->pid, is_cut ? SIGUSR1 : SIGUSR2);
}

void redis_cable_hold(struct redis_cable *cable, bool is_held)
{
	kill(cable->pid, is_held ? SIGWINCH : SIGUSR2);
}
