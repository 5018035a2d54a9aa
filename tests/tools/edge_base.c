#include "edge_base.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "shard/acceptor.h"
#include "shard/shard.h"

enum { MAX_SHARDS = 64, GOODBYE_MS = 3000 };

static struct {
	const struct http_service *service;
	struct net_options net_options;
	struct shard_group *group;
	struct net_shard *nets[MAX_SHARDS];
	unsigned shards;
	struct tls_context *tls; /* NULL: plain */
	struct tls_seed *seed;
} edge;

struct net_shard *edge_net(unsigned index)
{
	return edge.nets[index];
}

unsigned edge_shards(void)
{
	return edge.shards;
}

static void on_accept(struct shard *here, const struct accepted *accepted, void *argument)
{
	(void)argument;
	struct connection *conn;
	int rc = http_connection_open(&conn, edge.service, edge.nets[shard_index(here)], accepted);
	if (rc == 0 && edge.tls)
		tls_connection_start(conn);
	/* A refusal is counted there, and the socket is closed. */
}

static void on_stop(struct shard *here, void *argument)
{
	(void)argument;
	net_shard_free(edge.nets[shard_index(here)]);
}

struct goodbye {
	struct mail mail;
};

static void say_goodbye(struct mail *self, struct shard *here)
{
	(void)self;
	net_shard_shutdown(edge.nets[shard_index(here)]);
}

static void wait_for_the_end(bool stop_at_eof)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	struct pollfd polls[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop_at_eof ? 0 : -1, .events = POLLIN}};
	while (poll(polls, 2, -1) >= 0) {
		char byte;
		if (polls[0].revents || (polls[1].revents && read(0, &byte, 1) <= 0))
			break;
	}
	close(fd);
}

static bool all_closed(void)
{
	for (unsigned i = 0; i < edge.shards; i++) {
		const struct net_counters *counters = net_shard_counters(edge.nets[i]);
		if (counter_read(&counters->closed) != counter_read(&counters->opened))
			return false;
	}
	return true;
}

static void shut_down(struct acceptor *acceptor)
{
	static struct goodbye goodbyes[MAX_SHARDS];
	acceptor_stop(acceptor);
	for (unsigned i = 0; i < edge.shards; i++) {
		goodbyes[i].mail.deliver = say_goodbye;
		shard_post_outside(shard_group_at(edge.group, i), &goodbyes[i].mail);
	}
	int64_t patience_ms = clock_now_mono_ms() + GOODBYE_MS;
	while (!all_closed() && clock_now_mono_ms() < patience_ms)
		usleep(5000);
}

static int ready_tls(const struct edge_options *options)
{
	char error[512];
	if (!options->tls_files.cert)
		return 0;
	int rc = tls_context_new(&edge.tls, &options->tls_files, error, sizeof error);
	if (rc < 0) {
		fprintf(stderr, "%s\n", error);
		return rc;
	}
	edge.seed = tls_seed_new(edge.shards, clock_now_mono_ms());
	for (unsigned i = 0; i < edge.shards; i++)
		tls_shard_new(edge.nets[i], edge.tls, edge.seed, &options->tls);
	return 0;
}

int edge_serve(const struct edge_options *options, const struct http_service *service, bool stop_at_eof)
{
	struct acceptor *acceptor = NULL;
	unsigned port;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	edge.service = service;
	edge.shards = options->shards ? options->shards : 1;
	struct shard_options shard_options = {.count = edge.shards, .mailbox_depth = 1024, .mail_budget = 1024};
	int rc = shard_group_new(&edge.group, &shard_options);
	if (rc < 0)
		goto fail;
	for (unsigned i = 0; i < edge.shards; i++)
		edge.nets[i] = net_shard_new(shard_group_at(edge.group, i), &options->net);
	rc = ready_tls(options);
	if (rc < 0)
		goto fail;
	struct acceptor_options acceptor_options = {
		.policy = ACCEPT_ROUND_ROBIN, .batch = 10, .max_connections = 1 << 20, .on_accept = on_accept};
	rc = acceptor_new(&acceptor, edge.group, &acceptor_options);
	if (rc == 0)
		rc = acceptor_listen_tcp(acceptor, options->host ? options->host : "127.0.0.1", options->port, NULL,
					 &port);
	if (rc == 0)
		rc = shard_group_start(edge.group, NULL, on_stop, NULL);
	if (rc == 0)
		rc = acceptor_start(acceptor);
	if (rc < 0)
		goto fail;
	printf("listening on %u\n", port);
	fflush(stdout);
	wait_for_the_end(stop_at_eof);
	shut_down(acceptor);
	shard_group_stop(edge.group);
fail:
	if (rc < 0)
		fprintf(stderr, "cannot serve: %s\n", strerror(-rc));
	acceptor_free(acceptor);
	shard_group_free(edge.group);
	tls_context_unref(edge.tls);
	tls_seed_free(edge.seed);
	return rc < 0;
}
