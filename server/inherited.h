/*
 * inherited - the listening sockets that this process was born with: given by a service manager (sd_listen_fds(3)), or
 * by the process whose place it takes (server/upgrade.h).
 *
 * Read once, by main, before there are threads: the environment is cleared, so that children do not take them for
 * theirs. A name says which door a socket is of. Threads: [start].
 */
#ifndef SERVER_INHERITED_H
#define SERVER_INHERITED_H

#include <stdbool.h>
#include <stddef.h>

enum { INHERITED_MOST = 64, INHERITED_NAME = 32 };

/* The variable in which a process tells the one that takes its place: "ready=FD;NAME=FD;NAME=FD...". */
#define INHERITED_VARIABLE "LIVESHARD_SOCKETS"

struct inherited_socket {
	int fd;
	char name[INHERITED_NAME]; /* "main", "tls", "management" */
};

struct inherited {
	struct inherited_socket sockets[INHERITED_MOST];
	unsigned count;
	bool is_upgrade; /* from the process whose place we take */
	int ready_fd;    /* then: where it waits for a byte that says that we serve; else -1 */
};

/* Reads the environment. 0, or -EINVAL with one line in error. */
int inherited_read(struct inherited *out, char *error, size_t error_size) __attribute__((warn_unused_result));
/* Tells the process whose place we take, if there is one, that we serve. */
void inherited_tell_ready(struct inherited *inherited);

#endif
