/*
 * redis_server - a Redis of a test's own, in a folder of its own, that can be killed, paused, restarted and cut off.
 *
 * It listens on a free TCP port and on a socket in its folder, and keeps nothing on disk unless asked. Redis_ask is a
 * plain, blocking client: it plays the operator, or a node of the reference. A cable is a proxy before the port that
 * can be cut and mended. All waiting has a deadline. Threads: the test's alone.
 */
#ifndef TESTS_TOOLS_REDIS_SERVER_H
#define TESTS_TOOLS_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

struct redis_server {
	char folder[64];
	char options[512]; /* of the command line */
	char url[128];     /* redis://127.0.0.1:port/0 */
	char unix_url[128];
	unsigned port;
	pid_t pid; /* 0: it does not run */
	redisContext *client;
};

/* Starts one; options are words of redis-server's command line ("--requirepass x"), or "". Never NULL. */
struct redis_server *redis_server_new(const char *options);
/* Kills it and removes its folder. */
void redis_server_free(struct redis_server *server);
/* As kill -9. */
void redis_server_kill(struct redis_server *server);
/* Starts it again on the same port. */
void redis_server_start(struct redis_server *server);
/* SIGSTOP, SIGCONT. */
void redis_server_pause(struct redis_server *server, bool paused);
/* Asks as printf does, and waits for the answer; the caller frees it with freeReplyObject. */
redisReply *redis_server_ask(struct redis_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for an answer that is a number, or text (static, until the next call). */
long long redis_server_ask_number(struct redis_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *redis_server_ask_text(struct redis_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A plain client of its own, to subscribe with; free it with redisFree. */
redisContext *redis_server_client(struct redis_server *server);
/* A port that is free now. */
unsigned redis_server_free_port(void);

struct redis_cable {
	char url[128];
	unsigned port;
	pid_t pid;
};

/* A proxy to server, which may be cut; to be made before there are threads. Never NULL. */
struct redis_cable *redis_cable_new(const struct redis_server *server);
void redis_cable_free(struct redis_cable *cable);
/* Cut: all connections end and new ones are ended at once. Mended: new ones pass. */
void redis_cable_cut(struct redis_cable *cable, bool is_cut);
/* Held: nothing passes in either direction, but connections stay. */
void redis_cable_hold(struct redis_cable *cable, bool is_held);

#endif
