/*
 * notify - tells a service manager how the server is (sd_notify(3)), and that it lives.
 *
 * A message is a datagram to the socket that NOTIFY_SOCKET names; without one nothing is done. The watchdog is pinged
 * as often as WATCHDOG_USEC asks, but only while every shard turns: a shard that hangs must look like a server that
 * does. Threads: [start], the main thread.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server;

void notify_ready(void);
/* The settings are read again; notify_ready follows. */
void notify_reloading(void);
/* It ends, and may take so long. */
void notify_stopping(int64_t may_take_ms);
/* From now on that process is the server. */
void notify_successor(pid_t pid);

/* How often to call notify_alive, half of what the manager allows; 0: it does not watch. */
int64_t notify_watchdog_ms(void);
/* Pings the watchdog if every shard of server has turned within the time allowed. */
void notify_alive(const struct server *server);

#endif
