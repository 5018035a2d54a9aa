/* Tickets: opened by every shard of the process, by nobody else, and not for ever. */
#include "server/net/tls_tickets.h"

#include <signal.h>

#include "unit/server/net/tls_stage.h"

enum { SHARDS = 2, PERIOD = TLS_TICKET_LIFE_MS };

static struct made_files files;
static struct net_stage stages[SHARDS]; /* one group, a view per shard */
static struct tls_context *context;

static void start(void)
{
	signal(SIGPIPE, SIG_IGN);
	tls_files_make(&files, "one.test", NULL);
	context = tls_stage_context(&files);
	net_stage_start(&stages[0], NULL);
	stages[1] = stages[0];
	stages[1].shard = shard_group_at(stages[0].group, 1);
	shard_enter(stages[1].shard);
	stages[1].net = net_shard_new(stages[1].shard, NULL);
	stages[1].counters = net_shard_counters(stages[1].net);
	shard_set_time(stages[1].shard, 1700000000000, 1);
}

static void ready(int index, struct tls_seed *seed)
{
	shard_enter(stages[index].shard);
	tls_shard_new(stages[index].net, context, seed, NULL);
}

static void stop(void)
{
	shard_enter(stages[1].shard);
	net_shard_free(stages[1].net);
	net_stage_run(&stages[1]);
	shard_enter(stages[0].shard);
	net_stage_end(&stages[0]);
	tls_context_unref(context);
	tls_files_remove(&files);
}

static void only_tls12(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

/* Connects, offers session; *resumed tells whether it was taken. Returns the session to go on with. */
static SSL_SESSION *visit(int index, bool tls12, SSL_SESSION *session, bool *resumed)
{
	struct peer peer;
	char heard[3];
	shard_enter(stages[index].shard);
	peer_connect(&peer, &stages[index], tls12 ? only_tls12 : NULL, session);
	ck_assert(peer_shake(&peer));
	peer_say(&peer, "hi", 3);
	ck_assert(peer_hear(&peer, heard, 3)); /* with TLS 1.3 the ticket comes before it */
	*resumed = SSL_session_reused(peer.ssl);
	SSL_SESSION *next = SSL_get1_session(peer.ssl);
	SSL_shutdown(peer.ssl);
	net_stage_run(&stages[index]);
	peer_free(&peer);
	return next;
}

START_TEST(any_shard_opens_what_another_has_sealed)
{
	struct tls_seed *seed = tls_seed_new(SHARDS, 1);
	bool resumed;
	ready(0, seed);
	ready(1, seed);
	SSL_SESSION *first = visit(0, _i, NULL, &resumed);
	ck_assert(!resumed);
	SSL_SESSION *second = visit(1, _i, first, &resumed);
	ck_assert(resumed);
	ck_assert_uint_eq(counter_read(&stages[1].counters->tls_resumed), 1);
	SSL_SESSION_free(first);
	SSL_SESSION_free(second);
	tls_seed_free(seed);
}
END_TEST

START_TEST(another_process_does_not)
{
	struct tls_seed *ours = tls_seed_new(1, 1), *theirs = tls_seed_new(1, 1);
	bool resumed;
	ready(0, ours);
	ready(1, theirs);
	SSL_SESSION *first = visit(0, _i, NULL, &resumed);
	SSL_SESSION *second = visit(1, _i, first, &resumed);
	ck_assert(!resumed);
	SSL_SESSION_free(first);
	SSL_SESSION_free(second);
	tls_seed_free(ours);
	tls_seed_free(theirs);
}
END_TEST

START_TEST(a_ticket_outlives_one_change_of_keys_and_not_two)
{
	struct tls_seed *seed = tls_seed_new(SHARDS, 1);
	bool resumed;
	ready(0, seed);
	ready(1, seed);
	SSL_SESSION *first = visit(0, _i, NULL, &resumed);
	SSL_SESSION *early = visit(0, _i, first, &resumed);
	ck_assert(resumed);
	net_stage_pass(&stages[0], PERIOD);
	SSL_SESSION *later = visit(0, _i, first, &resumed);
	ck_assert(resumed);
	net_stage_pass(&stages[0], PERIOD);
	SSL_SESSION *last = visit(0, _i, first, &resumed);
	ck_assert(!resumed);
	SSL_SESSION_free(first);
	SSL_SESSION_free(early);
	SSL_SESSION_free(later);
	SSL_SESSION_free(last);
	tls_seed_free(seed);
}
END_TEST

START_TEST(all_shards_come_to_the_same_keys_however_they_step)
{
	struct tls_seed *seed = tls_seed_new(2, 1000);
	struct tls_tickets walker, sleeper;
	tls_tickets_init(&walker, seed);
	tls_tickets_init(&sleeper, seed);
	for (int i = 1; i <= 10; i++) {
		struct tls_ticket_key before = walker.keys[0];
		tls_tickets_set_time(&walker, 1000 + (int64_t)i * PERIOD - 1);
		ck_assert_mem_eq(&walker.keys[0], &before, sizeof before);
		tls_tickets_set_time(&walker, 1000 + (int64_t)i * PERIOD);
		ck_assert_mem_ne(&walker.keys[0], &before, sizeof before);
		ck_assert_mem_eq(&walker.keys[1], &before, sizeof before);
	}
	tls_tickets_set_time(&sleeper, 1000 + 10 * (int64_t)PERIOD);
	ck_assert_mem_eq(walker.keys, sleeper.keys, sizeof walker.keys);
	ck_assert_mem_eq(walker.chain, sleeper.chain, sizeof walker.chain);
	ck_assert_int_eq(walker.next_ms, sleeper.next_ms);
	tls_tickets_deinit(&walker);
	tls_tickets_deinit(&sleeper);
	tls_seed_free(seed);
}
END_TEST

START_TEST(the_parts_of_a_key_and_the_chain_differ)
{
	struct tls_seed *seed = tls_seed_new(1, 0);
	struct tls_tickets tickets;
	static const uint8_t nothing[TLS_SECRET_BYTES];
	tls_tickets_init(&tickets, seed);
	ck_assert_mem_ne(tickets.keys[0].cipher, tickets.keys[0].mac, TLS_SECRET_BYTES);
	ck_assert_mem_ne(tickets.keys[0].cipher, tickets.chain, TLS_SECRET_BYTES);
	ck_assert_mem_ne(tickets.keys[0].name, tickets.keys[0].cipher, sizeof tickets.keys[0].name);
	ck_assert_mem_ne(tickets.chain, nothing, sizeof nothing);
	tls_tickets_deinit(&tickets);
	ck_assert_mem_eq(tickets.chain, nothing, sizeof nothing);
	ck_assert_mem_eq(tickets.keys[0].cipher, nothing, sizeof nothing);
	tls_seed_free(seed);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, any_shard_opens_what_another_has_sealed, 0, 2);
	tcase_add_loop_test(tests, another_process_does_not, 0, 2);
	tcase_add_loop_test(tests, a_ticket_outlives_one_change_of_keys_and_not_two, 0, 2);
	tcase_add_test(tests, all_shards_come_to_the_same_keys_however_they_step);
	tcase_add_test(tests, the_parts_of_a_key_and_the_chain_differ);
}

int main(void)
{
	return run_tests("tls_tickets", add_tests);
}
