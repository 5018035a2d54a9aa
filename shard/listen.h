/*
 * listen - makes sockets that listen: on all addresses of a name, or on a unix socket whose dead predecessor it
 * replaces.
 *
 * The sockets are non-blocking and close-on-exec, and the caller's. Private to shard/. Threads: [start].
 */
#ifndef SHARD_LISTEN_H
#define SHARD_LISTEN_H

enum { LISTEN_MOST = 16 }; /* addresses of one name */

/* Listens on each address of host (as acceptor_listen_tcp takes it) and port (0: a free one, the same for all). *count
 * gets the number of sockets, *bound_port (may be NULL) the port. 0 or -errno, and then there is no socket. */
int listen_tcp(const char *host, unsigned port, int fds[LISTEN_MOST], unsigned *count, unsigned *bound_port)
	__attribute__((warn_unused_result));
/* Listens on a unix socket at path. 0 or -errno (-EADDRINUSE: somebody listens there, or it is no socket). */
int listen_unix(const char *path, int *fd) __attribute__((warn_unused_result));
/* Makes a socket that listens already as those above are. 0 or -errno (-ENOTSOCK, -EINVAL: it does not listen). */
int listen_adopt(int fd) __attribute__((warn_unused_result));

#endif
