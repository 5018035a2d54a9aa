#include "server/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FD = 3 }; /* of those that a service manager gives */

static bool read_number(const char *text, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == 0;
}

static int add(struct inherited *out, int fd, const char *name)
{
	if (out->count == INHERITED_MOST)
		return -EINVAL;
	/* Else a child of ours would hold it open. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	struct inherited_socket *socket = &out->sockets[out->count++];
	socket->fd = fd;
	snprintf(socket->name, sizeof socket->name, "%s", name);
	return 0;
}

/* Names that are no door's are those of units that name none: the main door. */
static const char *door_of(const char *name)
{
	return !strcmp(name, "tls") || !strcmp(name, "management") ? name : "main";
}

static int read_from_manager(struct inherited *out)
{
	const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	long pid, count;

	if (!pid_text || !count_text)
		return 0;
	if (!read_number(pid_text, &pid) || !read_number(count_text, &count) || count < 0)
		return -EINVAL;
	if (pid != getpid()) /* of our parent's */
		return 0;
	for (long i = 0; i < count; i++) {
		char name[INHERITED_NAME] = "";
		if (names) {
			size_t len = strcspn(names, ":");
			snprintf(name, sizeof name, "%.*s", (int)len, names);
			names += len + (names[len] == ':');
		}
		int rc = add(out, FIRST_FD + (int)i, door_of(name));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_from_predecessor(struct inherited *out, const char *list)
{
	char copy[4096], *rest = copy, *item;

	if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
		return -EINVAL;
	out->is_upgrade = true;
	while ((item = strsep(&rest, ";")) != NULL) {
		char *number = strchr(item, '=');
		long fd;
		if (!number || !read_number(number + 1, &fd) || fd < FIRST_FD)
			return -EINVAL;
		*number = 0;
		if (strcmp(item, "ready") != 0) {
			int rc = add(out, (int)fd, item);
			if (rc < 0)
				return rc;
		} else if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
			return -errno;
		} else {
			out->ready_fd = (int)fd;
		}
	}
	return 0;
}

int inherited_read(struct inherited *out, char *error, size_t error_size)
{
	static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", INHERITED_VARIABLE};
	const char *list = getenv(INHERITED_VARIABLE);

	*out = (struct inherited){.ready_fd = -1};
	int rc = list ? read_from_predecessor(out, list) : read_from_manager(out);
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		unsetenv(variables[i]);
	if (rc < 0)
		snprintf(error, error_size, "the sockets that %s gave are wrong: %s",
			 list ? "the process before" : "the service manager", strerror(-rc));
	return rc;
}

void inherited_tell_ready(struct inherited *inherited)
{
	if (inherited->ready_fd < 0)
		return;
	/* Whether it still listens is not for us to judge: if not, it goes on, and so do we. */
	ssize_t written = write(inherited->ready_fd, "1", 1);
	(void)written;
	close(inherited->ready_fd);
	inherited->ready_fd = -1;
}
