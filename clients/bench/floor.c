/*
 * liveshard-floor: the kernel's share of a server's work, and nothing else.
 *
 * One thread, one epoll. It shakes hands, then echoes text frames of clients in no room and passes on those of clients
 * in a room (floor_wire.h), without looking into them. What it costs is what sockets cost; liveshard-bench --raw
 * measures it with the same scenarios and frame sizes as a real server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients/bench/floor_room.h"
#include "clients/bench/floor_wire.h"
#include "clients/bench/frame.h"
#include "clients/bench/handshake.h"

#define EVENTS_PER_TURN 1024
#define CPU_ANY UINT_MAX
#define READ_SIZE ((size_t)256 << 10)

struct floor {
	enum floor_mode mode;
	int listener;
	int epoll_fd;
	struct floor_rooms *rooms;
	struct floor_conn *graveyard;
	struct buffer in;  /* bytes just read, behind the connection's unfinished frame */
	struct buffer out; /* echoes of this read */
};

static volatile sig_atomic_t is_ending;

static void on_signal(int number)
{
	(void)number;
	is_ending = 1;
}

static void conn_close(struct floor *floor, struct floor_conn *conn)
{
	if (conn->is_dead)
		return;
	conn->is_dead = true;
	floor_rooms_leave(floor->rooms, conn);
	close(conn->fd);
	conn->next_dead = floor->graveyard;
	floor->graveyard = conn;
}

static void graveyard_empty(struct floor *floor)
{
	while (floor->graveyard) {
		struct floor_conn *conn = floor->graveyard;

		floor->graveyard = conn->next_dead;
		buffer_deinit(&conn->in);
		buffer_deinit(&conn->out);
		free(conn);
	}
}

static void accept_all(struct floor *floor)
{
	for (;;) {
		int fd = accept4(floor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct epoll_event event = {.events = EPOLLIN};
		struct floor_conn *conn;
		int on = 1;

		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		conn = bench_alloc(1, sizeof *conn);
		*conn = (struct floor_conn){
			.fd = fd, .epoll_fd = floor->epoll_fd, .room = FLOOR_NOWHERE, .own_first = FLOOR_NOWHERE};
		event.data.ptr = conn;
		epoll_ctl(floor->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
}

static bool out_send(struct floor *floor, struct floor_conn *conn)
{
	struct iovec piece = {floor->out.bytes, floor->out.length};
	bool is_well = !piece.iov_len || floor_conn_send(conn, &piece, 1);

	floor->out.length = 0;
	return is_well;
}

static bool join_take(struct floor *floor, struct floor_conn *conn, const struct frame *frame)
{
	struct floor_join join;
	uint32_t number;

	if (frame->length < sizeof join || frame->payload[0] != FLOOR_JOIN)
		return false;
	memcpy(&join, frame->payload, sizeof join);
	memcpy(&number, join.room, sizeof number);
	floor_rooms_join(floor->rooms, conn, number, frame->payload + sizeof join, frame->length - sizeof join);
	frame_append_plain(&floor->out, FRAME_BINARY, &join, sizeof join);
	return out_send(floor, conn);
}

/* False when the connection shall close. */
static bool frame_take(struct floor *floor, struct floor_conn *conn, const struct frame *frame)
{
	switch (frame->opcode) {
	case FRAME_TEXT:
		if (conn->room != FLOOR_NOWHERE) {
			floor_rooms_emit(floor->rooms, conn, frame->payload, frame->length);
			return true;
		}
		frame_append_plain(&floor->out, FRAME_TEXT, frame->payload, frame->length);
		return floor->mode == FLOOR_BATCH || out_send(floor, conn);
	case FRAME_BINARY: return join_take(floor, conn, frame);
	case FRAME_CLOSE:
		frame_append_plain(&floor->out, FRAME_CLOSE, frame->payload, frame->length);
		out_send(floor, conn);
		return false;
	default: return true;
	}
}

/* Takes what is whole of `length` bytes; `*used` tells how far that is. False when the connection shall close. */
static bool bytes_take(struct floor *floor, struct floor_conn *conn, uint8_t *bytes, size_t length, size_t *used)
{
	*used = 0;
	if (!conn->is_upgraded) {
		ssize_t size = handshake_answer(bytes, length, &floor->out);

		if (size <= 0)
			return size == 0;
		*used = (size_t)size;
		conn->is_upgraded = true;
	}
	while (*used < length) {
		struct frame frame;
		ssize_t size = frame_parse(bytes + *used, length - *used, FRAME_FROM_CLIENT, &frame);

		if (size < 0 || (size > 0 && !frame_take(floor, conn, &frame)))
			return false;
		if (size == 0)
			break;
		*used += (size_t)size;
	}
	return out_send(floor, conn);
}

static void conn_read(struct floor *floor, struct floor_conn *conn)
{
	struct buffer *in = &floor->in;
	size_t used;
	ssize_t got;

	in->length = 0;
	buffer_append(in, conn->in.bytes, conn->in.length);
	got = recv(conn->fd, buffer_reserve(in, READ_SIZE), READ_SIZE, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_close(floor, conn);
		return;
	}
	in->length += (size_t)got;
	if (!bytes_take(floor, conn, in->bytes, in->length, &used)) {
		conn_close(floor, conn);
		return;
	}
	if (conn->in.length || used < in->length) {
		buffer_deinit(&conn->in);
		buffer_append(&conn->in, in->bytes + used, in->length - used);
	}
}

static void event_take(struct floor *floor, const struct epoll_event *event)
{
	struct floor_conn *conn = event->data.ptr;

	if (!conn) {
		accept_all(floor);
		return;
	}
	if (!conn->is_dead && event->events & EPOLLOUT && !floor_conn_flush(conn))
		conn_close(floor, conn);
	if (!conn->is_dead && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		conn_read(floor, conn);
}

static void floor_run(struct floor *floor)
{
	struct epoll_event events[EVENTS_PER_TURN];

	while (!is_ending) {
		int count = epoll_wait(floor->epoll_fd, events, EVENTS_PER_TURN, -1);

		for (int i = 0; i < count; i++)
			event_take(floor, &events[i]);
		floor_rooms_flush(floor->rooms);
		graveyard_empty(floor);
	}
}

/* 0, or negative errno. */
static int floor_listen(struct floor *floor, const char *host, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event event = {.events = EPOLLIN};
	socklen_t size = sizeof address;
	int on = 1;

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		return -EINVAL;
	floor->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	floor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (floor->listener < 0 || floor->epoll_fd < 0)
		return -errno;
	setsockopt(floor->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(floor->listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(floor->listener, 4096) < 0)
		return -errno;
	if (getsockname(floor->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	epoll_ctl(floor->epoll_fd, EPOLL_CTL_ADD, floor->listener, &event);
	printf("listening on http://%s:%u\n", host, (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	return 0;
}

static void files_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int cpu_pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

struct arguments {
	const char *host;
	unsigned port;
	unsigned cpu; /* CPU_ANY, or its number */
	enum floor_mode mode;
};

static bool number_read(const char *text, unsigned max, unsigned *out)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*out = (unsigned)number;
	return end != text && !*end && number <= max;
}

/* False when they are not understood, or help was asked for. */
static bool arguments_parse(struct arguments *out, int argc, char **argv)
{
	bool is_well = true;

	*out = (struct arguments){.host = "127.0.0.1", .cpu = CPU_ANY, .mode = FLOOR_EACH};
	for (int i = 1; i < argc && is_well; i++) {
		bool has_value = i + 1 < argc;

		if (!strcmp(argv[i], "--each"))
			out->mode = FLOOR_EACH;
		else if (!strcmp(argv[i], "--batch"))
			out->mode = FLOOR_BATCH;
		else if (!strcmp(argv[i], "--host") && has_value)
			out->host = argv[++i];
		else if (!strcmp(argv[i], "--port") && has_value)
			is_well = number_read(argv[++i], UINT16_MAX, &out->port);
		else if (!strcmp(argv[i], "--cpu") && has_value)
			is_well = number_read(argv[++i], CPU_SETSIZE - 1, &out->cpu);
		else
			is_well = false;
	}
	return is_well;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct arguments arguments;
	struct floor floor = {0};
	int rc = 0;

	if (!arguments_parse(&arguments, argc, argv)) {
		fprintf(stderr, "usage: liveshard-floor [--each | --batch] [--host ADDRESS] [--port N] [--cpu N]\n"
				"  --each   one send for each delivery (default)\n"
				"  --batch  one send for each member and turn of the event loop\n"
				"  --port   0 (default) takes a free one; it is printed\n"
				"  --cpu    run on this processor only\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	files_allow();
	if (arguments.cpu != CPU_ANY)
		rc = cpu_pin(arguments.cpu);
	if (rc == 0)
		rc = floor_listen(&floor, arguments.host, arguments.port);
	if (rc < 0) {
		fprintf(stderr, "liveshard-floor: %s\n", strerror(-rc));
		return 1;
	}
	floor.mode = arguments.mode;
	floor.rooms = floor_rooms_new(arguments.mode);
	floor_run(&floor);
	floor_rooms_free(floor.rooms);
	buffer_deinit(&floor.in);
	buffer_deinit(&floor.out);
	return 0;
}
