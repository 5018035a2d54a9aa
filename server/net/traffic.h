/*
 * traffic - what the kernel knows of one connection: the bytes that went over it, and how long a round trip takes.
 *
 * Asked of the socket when somebody wants to know, so that a connection need not count. Behind a proxy it is the way to
 * the proxy. Threads: [shard].
 */
#ifndef SERVER_NET_TRAFFIC_H
#define SERVER_NET_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

struct connection;

struct traffic {
	uint64_t bytes_in;  /* received */
	uint64_t bytes_out; /* sent and acknowledged */
	uint32_t round_trip_us;
};

/* False when conn is closed, or no TCP socket: then all is 0. */
bool traffic_of(const struct connection *conn, struct traffic *traffic);

#endif
