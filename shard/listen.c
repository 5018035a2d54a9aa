#include "shard/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How often another free port is tried when one address of a name has it and another has not. */
enum { FREE_PORT_TRIES = 16 };

/* The longest queue that the system allows: whoever set it has thought about it. */
static int longest_backlog(void)
{
	int backlog = SOMAXCONN;
	FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
	if (!file)
		return backlog;
	if (fscanf(file, "%d", &backlog) != 1 || backlog < 1)
		backlog = SOMAXCONN;
	fclose(file);
	return backlog;
}

static int set_flag(int fd, int level, int option)
{
	int on = 1;
	return setsockopt(fd, level, option, &on, sizeof on) < 0 ? -errno : 0;
}

/* Nagle would hold back the last frame of a burst. An accepted socket inherits the flag, which saves a call for each.
 */
static int set_no_delay(int fd)
{
	return set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* ---- TCP ---- */

static int bind_and_listen(int fd, const struct addrinfo *address)
{
	int rc = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	/* Else "all addresses" of IPv6 would take those of IPv4 too, which have their own socket. */
	if (rc == 0 && address->ai_family == AF_INET6)
		rc = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (rc == 0)
		rc = set_no_delay(fd);
	if (rc < 0)
		return rc;
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, longest_backlog()) < 0)
		return -errno;
	return 0;
}

static int open_address(const struct addrinfo *address, int *out)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int rc = bind_and_listen(fd, address);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static in_port_t *port_of(struct sockaddr *address)
{
	return address->sa_family == AF_INET6 ? &((struct sockaddr_in6 *)address)->sin6_port
					      : &((struct sockaddr_in *)address)->sin_port;
}

static int bound_port_of(int fd, unsigned *port)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	memset(&address, 0, sizeof address);
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	*port = ntohs(*port_of((struct sockaddr *)&address));
	return 0;
}

/* Resolvers name an address twice when the hosts file does. */
static bool is_repeated(const struct addrinfo *all, const struct addrinfo *address)
{
	for (const struct addrinfo *other = all; other != address; other = other->ai_next) {
		if (other->ai_addrlen == address->ai_addrlen &&
		    memcmp(other->ai_addr, address->ai_addr, address->ai_addrlen) == 0)
			return true;
	}
	return false;
}

static bool is_without_ipv6(const struct addrinfo *address, int rc)
{
	return address->ai_family == AF_INET6 && (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL);
}

static void close_all(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

/* Listens on all addresses; on one free port when *port is 0, which then gets it. */
static int open_all(struct addrinfo *all, int fds[LISTEN_MOST], unsigned *count, unsigned *port)
{
	int skipped = -ENOENT;
	*count = 0;
	for (struct addrinfo *address = all; address && *count < LISTEN_MOST; address = address->ai_next) {
		*port_of(address->ai_addr) = htons((in_port_t)*port);
		if (is_repeated(all, address))
			continue;
		int rc = open_address(address, &fds[*count]);
		if (is_without_ipv6(address, rc)) {
			skipped = rc;
			continue;
		}
		if (rc == 0) {
			++*count;
			rc = *port == 0 ? bound_port_of(fds[0], port) : 0;
		}
		if (rc < 0) {
			close_all(fds, *count);
			*count = 0;
			return rc;
		}
	}
	return *count > 0 ? 0 : skipped;
}

static int resolve(const char *host, struct addrinfo **out)
{
	char bare[NI_MAXHOST];
	size_t len = strlen(host);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof bare)
		return -ENOENT;
	memcpy(bare, host, len);
	bare[len] = '\0';

	bool is_any = len == 0 || strcmp(bare, "*") == 0;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	switch (getaddrinfo(is_any ? NULL : bare, "0", &hints, out)) {
	case 0: return 0;
	case EAI_AGAIN: return -EAGAIN;
	case EAI_MEMORY: return -ENOMEM;
	case EAI_SYSTEM: return errno > 0 ? -errno : -EIO;
	default: return -ENOENT;
	}
}

int listen_tcp(const char *host, unsigned port, int fds[LISTEN_MOST], unsigned *count, unsigned *bound_port)
{
	if (port > UINT16_MAX)
		return -EINVAL;
	struct addrinfo *all;
	int rc = resolve(host, &all);
	if (rc < 0)
		return rc;

	unsigned got;
	unsigned tries = 0;
	do {
		got = port;
		rc = open_all(all, fds, count, &got);
	} while (rc == -EADDRINUSE && port == 0 && ++tries < FREE_PORT_TRIES);
	freeaddrinfo(all);
	if (rc == 0 && bound_port)
		*bound_port = got;
	return rc;
}

/* ---- unix ---- */

/* Removes the socket file at address when nobody listens on it any more. 0 or -EADDRINUSE. */
static int remove_dead(const struct sockaddr_un *address)
{
	struct stat status;
	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -EADDRINUSE;
	if (!S_ISSOCK(status.st_mode))
		return -EADDRINUSE;

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	bool is_dead = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
	close(fd);
	if (!is_dead || (unlink(address->sun_path) < 0 && errno != ENOENT))
		return -EADDRINUSE;
	return 0;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
	int rc = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
	if (rc != -EADDRINUSE)
		return rc;
	rc = remove_dead(address);
	if (rc < 0)
		return rc;
	return bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
}

int listen_unix(const char *path, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len == 0)
		return -EINVAL;
	if (len >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);

	int made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return -errno;
	int rc = bind_unix(made, &address);
	if (rc == 0 && listen(made, longest_backlog()) < 0) {
		rc = -errno;
		unlink(path);
	}
	if (rc < 0) {
		close(made);
		return rc;
	}
	*fd = made;
	return 0;
}

/* ---- inherited ---- */

int listen_adopt(int fd)
{
	int listens = 0;
	int domain = 0;
	socklen_t len = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
		return -errno;
	len = sizeof domain;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -errno;
	if (!listens)
		return -EINVAL;

	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return domain == AF_INET || domain == AF_INET6 ? set_no_delay(fd) : 0;
}
