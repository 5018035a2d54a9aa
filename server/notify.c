#include "server/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "server/server.h"

/* The socket's address and its length; 0: there is none. A leading @ stands for the NUL of the abstract namespace. */
static socklen_t find_socket(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || (*path != '/' && *path != '@') || len >= sizeof address->sun_path)
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, len);
	if (*path == '@')
		address->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void tell(const char *message)
{
	struct sockaddr_un address;
	socklen_t len = find_socket(&address);

	if (!len)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address, len) < 0)
		log_warn("service manager", "cannot be told: %s", strerror(errno));
	close(fd);
}

void notify_ready(void)
{
	tell("READY=1\nSTATUS=serving");
}

void notify_reloading(void)
{
	char message[96];

	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_now_mono_ns() / 1000));
	tell(message);
}

void notify_stopping(int64_t may_take_ms)
{
	char message[128];

	snprintf(message, sizeof message, "STOPPING=1\nSTATUS=sending clients away\nEXTEND_TIMEOUT_USEC=%lld",
		 (long long)may_take_ms * 1000);
	tell(message);
}

void notify_successor(pid_t pid)
{
	char message[64];

	snprintf(message, sizeof message, "MAINPID=%ld\nREADY=1\nSTATUS=serving", (long)pid);
	tell(message);
}

static int64_t allowed_ms(void)
{
	const char *micros = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!micros || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(micros, NULL, 10) / 1000;
}

int64_t notify_watchdog_ms(void)
{
	int64_t half = allowed_ms() / 2;

	return half > 0 ? half : 0;
}

void notify_alive(const struct server *server)
{
	if (server_longest_tick_ms(server) < allowed_ms())
		tell("WATCHDOG=1");
	else
		log_error(NULL, "a shard hangs: the service manager is not told that all is well");
}
