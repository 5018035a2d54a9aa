/*
 * door - an acceptor on its thread before shards that the test steps: what they take changes only when the test says
 * so.
 */
#ifndef TESTS_UNIT_SHARD_DOOR_H
#define TESTS_UNIT_SHARD_DOOR_H

#include <stdint.h>
#include <sys/socket.h>

#include "shard/acceptor.h"
#include "shard/shard.h"

enum { DOOR_MOST = 64, DOOR_SHARDS = 4 };

struct door {
	struct shard_group *group;
	struct acceptor *acceptor;
	struct accepted taken[DOOR_MOST]; /* by all shards, in the order in which they did */
	unsigned taken_count;
	unsigned taken_by[DOOR_SHARDS];
};

/* Each test process has one. */
extern struct door door;

/* Builds both, with at most DOOR_SHARDS shards, not started. What a shard takes adds to its load. */
void door_open(unsigned shards, enum accept_policy policy, uint64_t max_connections);
void door_start(void);
/* Frees both, and closes what was taken. */
void door_close(void);
/* How many the acceptor has accepted. */
uint64_t door_accepted(void);
/* Steps the shards until they have taken so many; fails when they take more. */
void door_await_taken(unsigned count);

/* A client's blocking socket, connected. */
int door_connect(const struct sockaddr *address, socklen_t len);
int door_connect_ipv4(unsigned port);

#endif
