#include "clients/bench/client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, by the whole 4-tuple, so each source address has all of them.
 */
static int source_bind(int fd, const struct sockaddr_in *source)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)source, sizeof *source) < 0)
		return -errno;
	return 0;
}

static void events_set(struct client *client, int epoll_fd, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	epoll_ctl(epoll_fd, operation, client->fd, &event);
}

int client_connect(struct client *client, int epoll_fd, const struct endpoint *endpoint,
		   const struct sockaddr_in *source)
{
	int on = 1;
	int rc = 0;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	/* Nagle would hold back the second of two small sends until the first is acknowledged. */
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (source)
		rc = source_bind(client->fd, source);
	if (rc == 0 && connect(client->fd, (const struct sockaddr *)&endpoint->address, sizeof endpoint->address) < 0 &&
	    errno != EINPROGRESS)
		rc = -errno;
	if (rc < 0) {
		close(client->fd);
		client->fd = -1;
		return rc;
	}
	client->wants_write = false;
	events_set(client, epoll_fd, EPOLL_CTL_ADD, EPOLLOUT);
	return 0;
}

int client_connect_result(const struct client *client)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static void write_watch(struct client *client, int epoll_fd, bool wanted)
{
	if (client->wants_write == wanted)
		return;
	client->wants_write = wanted;
	events_set(client, epoll_fd, EPOLL_CTL_MOD, EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0));
}

/* Bytes taken by the socket, or negative errno; a full socket takes 0. */
static ssize_t socket_send(const struct client *client, const uint8_t *bytes, size_t length)
{
	ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return sent;
}

int client_send(struct client *client, int epoll_fd, const struct buffer *out)
{
	ssize_t sent = 0;

	if (!client->backlog.length)
		sent = socket_send(client, out->bytes, out->length);
	if (sent < 0)
		return (int)sent;
	if ((size_t)sent < out->length) {
		buffer_append(&client->backlog, out->bytes + sent, out->length - (size_t)sent);
		write_watch(client, epoll_fd, true);
	}
	return 0;
}

int client_flush(struct client *client, int epoll_fd)
{
	ssize_t sent = socket_send(client, client->backlog.bytes, client->backlog.length);

	if (sent < 0)
		return (int)sent;
	buffer_consume(&client->backlog, (size_t)sent);
	if (!client->backlog.length) {
		buffer_deinit(&client->backlog);
		write_watch(client, epoll_fd, false);
	}
	return 0;
}

ssize_t client_receive(const struct client *client, void *bytes, size_t size)
{
	ssize_t got = recv(client->fd, bytes, size, 0);

	return got < 0 ? -errno : got;
}

void client_watch(struct client *client, int epoll_fd, bool read)
{
	client->wants_write = false;
	events_set(client, epoll_fd, EPOLL_CTL_MOD, read ? EPOLLIN : 0);
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->stage = CLIENT_CLOSED;
	inbox_deinit(&client->inbox);
	buffer_deinit(&client->backlog);
	buffer_deinit(&client->event_start);
}

void client_deinit(struct client *client)
{
	client_close(client);
	sequence_deinit(&client->sequence);
	free(client->flight);
	free(client->asked_ns);
}
