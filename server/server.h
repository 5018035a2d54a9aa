/*
 * server - one liveshard server: everything wired together from one config.
 *
 * Built and started by main, which owns it and its config; the shards only read it. Threads: [start], but where tagged.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/config/config.h"

struct inherited;
struct server;

/* Loads the components and builds what the shards need; nothing listens yet. config must outlive it. 0, or -errno with
 * one line in error. */
int server_new(struct server **out, const struct config *config, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Starts the shards, then listens. 0, or -errno with one line in error. */
int server_start(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Says on standard output where it listens and what it serves. */
void server_say_hello(const struct server *server);
/* Takes over what may change while it runs: the certificate, as config (which may go afterwards) names it, the file of
 * tokens that it has, and plugins. Connections that are there keep the certificate, and clients whom they are. 0, or
 * -errno with one line in error, and all stays as it was. */
int server_reload(struct server *server, const struct config *config, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* The doors are those that this process was born with, where there are some; before the start. inherited must outlive
 * server. */
void server_inherit(struct server *server, const struct inherited *inherited);
/* Calls each for every listening socket, with the name of its door. */
void server_each_door(const struct server *server, void (*each)(void *argument, int fd, const char *name),
		      void *argument);
/* For how long the slowest shard has been at its present tick, in ms. [any] */
int64_t server_longest_tick_ms(const struct server *server);
/* Begins to leave, in the phases of server/drain.h. has_successor: another process has the listening sockets, so there
 * is no delay. Does nothing the second time. */
void server_leave(struct server *server, bool has_successor);
/* Goes on leaving; to be called every few ms. True: it is over, call server_stop. */
bool server_has_left(struct server *server);
/* The longest that leaving takes by the settings, in ms. */
int64_t server_leave_ms(const struct server *server);
/* Lets the server_stop that follows end at once. */
void server_hurry(struct server *server);
/* Leaves, if need be without delay and all clients at once; ends the shards. */
void server_stop(struct server *server);
/* NULL is fine. */
void server_free(struct server *server);

#endif
