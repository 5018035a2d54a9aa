/*
 * upgrade - a new process takes the place of this one without a moment in which nobody listens.
 *
 * The program is started again, as it was called, by the same name (so what was installed meanwhile runs), and inherits
 * the listening sockets. When it says that it serves, this one takes no more connections and ends as on SIGTERM; if it
 * ends or is silent for too long, nothing has happened. A queue of the kernel belongs to a socket, not to a process:
 * what waits there waits for the new one. Threads: [start], the main thread.
 */
#ifndef SERVER_UPGRADE_H
#define SERVER_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/config/config.h"

struct server;

enum upgrade_progress { UPGRADE_NONE, UPGRADE_WAITS, UPGRADE_DONE, UPGRADE_FAILED };

struct upgrade {      /* zeroed before first use */
	pid_t pid;    /* of the new process; 0: no upgrade is under way */
	int ready_fd; /* it says there that it serves */
	int64_t until_ms;
};

/* Starts the new process with argv. 0 or -errno; -EALREADY: one is on its way. */
int upgrade_begin(struct upgrade *upgrade, const struct server *server, char **argv, int64_t within_ms)
	__attribute__((warn_unused_result));
/* How it goes; to be asked now and then until it is over. What failed is logged. */
enum upgrade_progress upgrade_look(struct upgrade *upgrade);
/* Forgets and kills a new process that does not serve yet. */
void upgrade_cancel(struct upgrade *upgrade);

/* What `liveshard upgrade` does: asks the process that config's pid_file names, and waits for its successor. 0, or
 * -errno with one line in error. */
int upgrade_ask(const struct config *config, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

#endif
