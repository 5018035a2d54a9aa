/*
 * net_stage - one shard stepped by hand, whose time the test sets, with connections on socket pairs.
 */
#ifndef TESTS_UNIT_SERVER_NET_NET_STAGE_H
#define TESTS_UNIT_SERVER_NET_NET_STAGE_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "shard/shard.h"

struct net_stage {
	struct shard_group *group;
	struct shard *shard;
	struct net_shard *net;
	struct net_counters *counters;
	int64_t now_ms;
};

static inline void net_stage_start(struct net_stage *stage, const struct net_options *options)
{
	struct shard_options shard_options = {.count = 2, .mailbox_depth = 4, .mail_budget = 64, .manual = true};
	ck_assert_int_eq(shard_group_new(&stage->group, &shard_options), 0);
	stage->shard = shard_group_at(stage->group, 0);
	shard_enter(stage->shard);
	stage->net = net_shard_new(stage->shard, options);
	stage->counters = net_shard_counters(stage->net);
	stage->now_ms = 1;
	shard_set_time(stage->shard, 1700000000000, stage->now_ms);
}

/* A few ticks: what is ready is done afterwards. */
static inline void net_stage_run(struct net_stage *stage)
{
	for (int i = 0; i < 4; i++)
		shard_step(stage->shard);
	shard_enter(stage->shard);
}

static inline void net_stage_pass(struct net_stage *stage, int64_t ms)
{
	stage->now_ms += ms;
	shard_set_time(stage->shard, 1700000000000 + stage->now_ms, stage->now_ms);
	net_stage_run(stage);
}

/* A pair of sockets; the server's end gets the smallest buffers that the kernel allows, so that it is soon full. */
static inline void net_stage_pair(int *ours, int *theirs)
{
	int pair[2];
	int small = 1;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	*ours = pair[0];
	*theirs = pair[1];
}

/* Everything that came, up to len bytes; how many. */
static inline size_t net_stage_receive(int fd, char *to, size_t len)
{
	size_t got = 0;
	for (ssize_t n; got < len && (n = recv(fd, to + got, len - got, 0)) > 0;)
		got += (size_t)n;
	return got;
}

/* Whether the other end has closed and nothing is left to read. */
static inline bool net_stage_ended(int fd)
{
	char byte;
	return recv(fd, &byte, 1, 0) == 0;
}

static inline void net_stage_end(struct net_stage *stage)
{
	net_shard_free(stage->net);
	net_stage_run(stage);
	shard_enter(NULL);
	shard_group_free(stage->group);
}

static inline int run_tests(const char *name, void (*add)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 60);
	add(tests);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
