/*
 * What a mail costs: one thread posts a million to another, ringing for each, only when the box was empty, and so in
 * chains; then one mail goes to and fro between two shards, which is the latency of a hop with its wake-up, and many
 * do, which is a busy server. Prints the median of RUNS runs, and all of them.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "shard/mailbox.h"
#include "shard/shard.h"

enum { RUNS = 5, MAILS = 1000 * 1000, CHAIN = 16 };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report(const char *name, const char *unit, double results[RUNS])
{
	qsort(results, RUNS, sizeof *results, compare);
	printf("%-34s %9.1f %s   (", name, results[RUNS / 2], unit);
	for (unsigned i = 0; i < RUNS; i++)
		printf("%s%.1f", i ? " " : "", results[i]);
	printf(")\n");
	fflush(stdout);
}

/* ---- one thread to another ---- */

struct flow {
	struct mailbox *box;
	struct mail *mails;
	unsigned chain;  /* mails per post */
	bool rings_each; /* whether the box was empty or not */
};

static void *send_flow(void *argument)
{
	struct flow *flow = argument;
	uint64_t one = 1;
	for (unsigned i = 0; i < MAILS; i += flow->chain) {
		struct mail *first = &flow->mails[i];
		for (unsigned j = 0; j + 1 < flow->chain; j++)
			first[j].next = &first[j + 1];
		bool rang = mailbox_post(flow->box, first, first + flow->chain - 1);
		if (flow->rings_each && !rang && write(mailbox_fd(flow->box), &one, sizeof one) < 0)
			abort();
	}
	return NULL;
}

static double run_flow(unsigned chain, bool rings_each)
{
	struct flow flow = {.box = mailbox_new(), .chain = chain, .rings_each = rings_each};
	assert_always(flow.box);
	flow.mails = mem_alloc(MAILS * sizeof *flow.mails);
	/* Touched before the clock starts, so that page faults are not measured. */
	for (unsigned i = 0; i < MAILS; i++)
		flow.mails[i].from = i;

	int64_t begun_ns = clock_now_mono_ns();
	pthread_t sender;
	pthread_create(&sender, NULL, send_flow, &flow);
	for (unsigned got = 0; got < MAILS;) {
		struct pollfd poll_fd = {.fd = mailbox_fd(flow.box), .events = POLLIN};
		poll(&poll_fd, 1, -1);
		mailbox_hush(flow.box);
		for (struct mail *mail = mailbox_take(flow.box, NULL); mail; mail = mail->next)
			got++;
	}
	double ns = (double)(clock_now_mono_ns() - begun_ns) / MAILS;
	pthread_join(sender, NULL);
	mailbox_free(flow.box);
	free(flow.mails);
	return ns;
}

static void bench_flow(const char *name, unsigned chain, bool rings_each)
{
	double results[RUNS];
	for (unsigned i = 0; i < RUNS; i++)
		results[i] = run_flow(chain, rings_each);
	report(name, "ns/mail", results);
}

/* ---- between two shards ---- */

struct ball {
	struct mail mail;
	unsigned hops_left;
};

static unsigned ball_count, hops_each;
static atomic_uint balls_left;

static void ball_hit(struct mail *mail, struct shard *here)
{
	struct ball *ball = (struct ball *)mail;
	if (--ball->hops_left > 0) {
		shard_post(here, 1 - shard_index(here), mail);
		return;
	}
	free(ball);
	atomic_fetch_sub(&balls_left, 1);
}

static void serve(struct shard *here, void *argument)
{
	(void)argument;
	for (unsigned i = 0; shard_index(here) == 0 && i < ball_count; i++) {
		struct ball *ball = mem_alloc(sizeof *ball);
		ball->mail.deliver = ball_hit;
		ball->hops_left = hops_each;
		shard_post(here, 1, &ball->mail);
	}
}

/* Nanoseconds per hop, over all balls. */
static double run_ping_pong(unsigned balls, unsigned hops)
{
	struct shard_options options = {.count = 2, .mailbox_depth = 1 << 20, .mail_budget = 1024};
	struct shard_group *group;
	int rc = shard_group_new(&group, &options);
	assert_always(rc == 0);
	ball_count = balls;
	hops_each = hops;
	atomic_store(&balls_left, balls);
	int64_t begun_ns = clock_now_mono_ns();
	rc = shard_group_start(group, serve, NULL, NULL);
	assert_always(rc == 0);
	while (atomic_load(&balls_left) > 0)
		poll(NULL, 0, 1);
	double ns = (double)(clock_now_mono_ns() - begun_ns) / (double)balls / (double)hops;
	shard_group_stop(group);
	shard_group_free(group);
	return ns;
}

static void bench_ping_pong(const char *name, const char *unit, double factor, unsigned balls, unsigned hops)
{
	double results[RUNS];
	for (unsigned i = 0; i < RUNS; i++)
		results[i] = run_ping_pong(balls, hops) * factor;
	report(name, unit, results);
}

int main(void)
{
	bench_flow("ring for each mail", 1, true);
	bench_flow("ring only when empty", 1, false);
	bench_flow("chains of 16, ring only when empty", CHAIN, false);
	bench_ping_pong("shard to shard and back, one mail", "us", 2.0 / 1000, 1, 200 * 1000);
	bench_ping_pong("shard to shard, 256 mails flying", "ns/mail", 1, 256, 20 * 1000);
	return 0;
}
