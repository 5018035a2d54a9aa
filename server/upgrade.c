#include "server/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/inherited.h"
#include "server/pid_file.h"
#include "server/server.h"

/* ---- the new process ---- */

struct gift { /* what it inherits */
	posix_spawn_file_actions_t actions;
	struct buf list; /* INHERITED_VARIABLE=... */
	int rc;
};

/* Passes fd on under its own number: to duplicate it onto itself takes the close-on-exec flag away, in the child. */
static void give(struct gift *gift, const char *name, int fd)
{
	int rc = posix_spawn_file_actions_adddup2(&gift->actions, fd, fd);

	if (rc != 0)
		gift->rc = -rc;
	buf_printf(&gift->list, "%s%s=%d", gift->list.ptr[gift->list.len - 1] == '=' ? "" : ";", name, fd);
}

static void give_door(void *argument, int fd, const char *name)
{
	give(argument, name, fd);
}

/* Ours, but for what is told to this process alone. The caller frees the array. */
static char **environment_with(char *list)
{
	static const char *const ours[] = {"WATCHDOG_PID=", INHERITED_VARIABLE "="};
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	char **all = mem_alloc((count + 2) * sizeof *all);
	for (size_t i = 0; i < count; i++) {
		bool is_ours = false;
		for (size_t j = 0; j < sizeof ours / sizeof ours[0]; j++)
			is_ours |= !strncmp(environ[i], ours[j], strlen(ours[j]));
		if (!is_ours)
			all[kept++] = environ[i];
	}
	all[kept] = list;
	return all;
}

/* The signals that main waits for are blocked in this process; the new one begins as any does. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, pipe;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	int rc = posix_spawnattr_setsigmask(attributes, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &pipe);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -rc;
}

static int spawn(struct upgrade *upgrade, struct gift *gift, char **argv)
{
	posix_spawnattr_t attributes;
	int rc = posix_spawnattr_init(&attributes);

	if (rc != 0)
		return -rc;
	rc = set_signals(&attributes);
	if (rc == 0) {
		buf_append_char(&gift->list, 0);
		char **environment = environment_with(gift->list.ptr);
		rc = -posix_spawnp(&upgrade->pid, argv[0], &gift->actions, &attributes, argv, environment);
		free(environment);
	}
	posix_spawnattr_destroy(&attributes);
	return rc;
}

int upgrade_begin(struct upgrade *upgrade, const struct server *server, char **argv, int64_t within_ms)
{
	struct gift gift = {0};
	int ends[2];

	if (upgrade->pid)
		return -EALREADY;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int rc = -posix_spawn_file_actions_init(&gift.actions);
	if (rc == 0) {
		buf_init(&gift.list, 4096);
		buf_append_str(&gift.list, STR(INHERITED_VARIABLE "="));
		give(&gift, "ready", ends[1]);
		server_each_door(server, give_door, &gift);
		rc = gift.rc < 0 ? gift.rc : buf_failed(&gift.list) ? -E2BIG : spawn(upgrade, &gift, argv);
		buf_deinit(&gift.list);
		posix_spawn_file_actions_destroy(&gift.actions);
	}
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		upgrade->pid = 0;
		return rc;
	}
	upgrade->ready_fd = ends[0];
	upgrade->until_ms = clock_now_mono_ms() + within_ms;
	return 0;
}

static void forget(struct upgrade *upgrade)
{
	close(upgrade->ready_fd);
	*upgrade = (struct upgrade){0};
}

void upgrade_cancel(struct upgrade *upgrade)
{
	if (!upgrade->pid)
		return;
	kill(upgrade->pid, SIGKILL);
	waitpid(upgrade->pid, NULL, 0);
	forget(upgrade);
}

enum upgrade_progress upgrade_look(struct upgrade *upgrade)
{
	struct pollfd ready = {.events = POLLIN};
	char byte;

	if (!upgrade->pid)
		return UPGRADE_NONE;
	ready.fd = upgrade->ready_fd;
	if (poll(&ready, 1, 0) > 0) {
		if (read(upgrade->ready_fd, &byte, 1) == 1) {
			forget(upgrade);
			return UPGRADE_DONE;
		}
		log_error(NULL, "the new process (%ld) ended before it served: going on", (long)upgrade->pid);
	} else if (clock_now_mono_ms() < upgrade->until_ms) {
		return UPGRADE_WAITS;
	} else {
		log_error(NULL, "the new process (%ld) did not serve in time: going on", (long)upgrade->pid);
	}
	upgrade_cancel(upgrade);
	return UPGRADE_FAILED;
}

/* ---- asking for it from outside ---- */

enum { LOOK_MS = 10 };

int upgrade_ask(const struct config *config, char error[CONFIG_ERROR_SIZE])
{
	pid_t old, now;

	if (!*config->pid_file) {
		snprintf(error, CONFIG_ERROR_SIZE, "upgrade: say by --pid-file which server");
		return -EINVAL;
	}
	int rc = pid_file_read(config->pid_file, &old);
	if (rc == 0 && kill(old, SIGUSR2) < 0)
		rc = -errno;
	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "upgrade: no server by %s: %s", config->pid_file, strerror(-rc));
		return rc;
	}
	int64_t until_ms = clock_now_mono_ms() + config->upgrade_ms + 1000;
	while (clock_now_mono_ms() < until_ms) {
		if (pid_file_read(config->pid_file, &now) == 0 && now != old) {
			printf("%ld took the place of %ld\n", (long)now, (long)old);
			return 0;
		}
		poll(NULL, 0, LOOK_MS);
	}
	snprintf(error, CONFIG_ERROR_SIZE, "upgrade: nobody took the place of %ld; its log says why", (long)old);
	return -ETIMEDOUT;
}
