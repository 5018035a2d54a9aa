/*
 * server - one liveshard server: everything wired together from one config.
 *
 * Built and started by main, which owns it and its config; the shards only read it. Threads: [start], but where tagged.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/config/config.h"

struct server;

/* Loads the components and builds what the shards need; nothing listens yet. config must outlive it. 0, or -errno with
 * one line in error. */
int server_new(struct server **out, const struct config *config, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Starts the shards, then listens. 0, or -errno with one line in error. */
int server_start(struct server *server, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Says on standard output where it listens and what it serves. */
void server_say_hello(const struct server *server);
/* Takes over what may change while it runs: the certificate, as config (which may go afterwards) names it. Connections
 * that are there keep the old one. 0, or -errno with one line in error, and all stays as it was. */
int server_reload(struct server *server, const struct config *config, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Stops listening, sends the clients away, waits for them up to config->shutdown_ms, ends the shards. */
void server_stop(struct server *server);
/* NULL is fine. */
void server_free(struct server *server);

#endif
