/*
 * keeper - keeps a server as a process: heeds signals, tells the service manager, lets a new process take its place.
 *
 * Signals are taken by the main thread alone, between its other looks; all threads must have them blocked, so block
 * them before there are any. Threads: [start], the main thread.
 */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

struct config;
struct server;

struct keeper_options {
	const struct config *config;
	char **argv; /* how the program was called: so is the one that takes its place */
	/* SIGHUP came. */
	void (*reload)(struct server *server, void *argument);
	void *argument;
};

/* Blocks the signals that the keeper heeds, and ignores SIGPIPE. */
void keeper_block_signals(void);
/* server has been started. Returns when it has left, or must end at once: server_stop is next. */
void keeper_run(struct server *server, const struct keeper_options *options);

#endif
