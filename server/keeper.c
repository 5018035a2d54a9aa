#include "server/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "server/config/config.h"
#include "server/notify.h"
#include "server/pid_file.h"
#include "server/server.h"
#include "server/upgrade.h"

enum { STEP_MS = 10 }; /* while something is under way that tells of itself only when asked */

struct keeper {
	struct server *server;
	const struct keeper_options *options;
	struct upgrade upgrade;
	bool is_leaving;
	bool is_over;
	int64_t ping_ms; /* the watchdog, each so often; 0: never */
	int64_t next_ping_ms;
};

static void fill_signals(sigset_t *signals)
{
	static const int heeded[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof heeded / sizeof heeded[0]; i++)
		sigaddset(signals, heeded[i]);
}

void keeper_block_signals(void)
{
	sigset_t signals;

	fill_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void leave(struct keeper *keeper, bool has_successor)
{
	keeper->is_leaving = true;
	server_leave(keeper->server, has_successor);
}

static void on_end(struct keeper *keeper, int number)
{
	upgrade_cancel(&keeper->upgrade);
	if (keeper->is_leaving) {
		log_info(NULL, "ending at once on another signal %d", number);
		server_hurry(keeper->server);
		keeper->is_over = true;
		return;
	}
	log_info(NULL, "ending on signal %d", number);
	notify_stopping(server_leave_ms(keeper->server));
	leave(keeper, false);
}

static void on_upgrade(struct keeper *keeper)
{
	const struct keeper_options *options = keeper->options;

	if (keeper->is_leaving) {
		log_warn(NULL, "no upgrade: this process is ending");
		return;
	}
	int rc = upgrade_begin(&keeper->upgrade, keeper->server, options->argv, options->config->upgrade_ms);
	if (rc < 0)
		log_error(NULL, "no upgrade: cannot start %s: %s", options->argv[0], strerror(-rc));
	else
		log_info(NULL, "process %ld is to take our place", (long)keeper->upgrade.pid);
}

static void on_signal(struct keeper *keeper, int number)
{
	if (number == SIGHUP) {
		notify_reloading();
		keeper->options->reload(keeper->server, keeper->options->argument);
		notify_ready();
	} else if (number == SIGUSR2) {
		on_upgrade(keeper);
	} else {
		on_end(keeper, number);
	}
}

/* What is under way goes on. */
static void step(struct keeper *keeper)
{
	pid_t successor = keeper->upgrade.pid;

	if (keeper->ping_ms && clock_now_mono_ms() >= keeper->next_ping_ms) {
		notify_alive(keeper->server);
		keeper->next_ping_ms = clock_now_mono_ms() + keeper->ping_ms;
	}
	if (upgrade_look(&keeper->upgrade) == UPGRADE_DONE) {
		log_info(NULL, "process %ld serves: leaving", (long)successor);
		notify_successor(successor);
		keeper->ping_ms = 0; /* the manager watches the other one */
		leave(keeper, true);
	}
	if (keeper->is_leaving && server_has_left(keeper->server))
		keeper->is_over = true;
}

static struct timespec next_look(const struct keeper *keeper)
{
	int64_t wait_ms = 60000;

	if (keeper->is_leaving || keeper->upgrade.pid)
		wait_ms = STEP_MS;
	else if (keeper->ping_ms)
		wait_ms = keeper->ping_ms;
	return (struct timespec){.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
}

void keeper_run(struct server *server, const struct keeper_options *options)
{
	struct keeper keeper = {.server = server, .options = options, .ping_ms = notify_watchdog_ms()};
	const char *pid_file = options->config->pid_file;
	sigset_t signals;

	fill_signals(&signals);
	int rc = *pid_file ? pid_file_write(pid_file) : 0;
	if (rc < 0)
		log_error(NULL, "cannot write %s: %s", pid_file, strerror(-rc));
	notify_ready();
	while (!keeper.is_over) {
		struct timespec wait = next_look(&keeper);
		int number = sigtimedwait(&signals, NULL, &wait);
		if (number > 0)
			on_signal(&keeper, number);
		step(&keeper);
		log_flush();
	}
	if (*pid_file)
		pid_file_remove(pid_file);
}
