/* The link to a real Redis that is restarted, killed, paused, full, that refuses us, and that fails over. */
#include "redis/link.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tools/redis_server.h"
#include "unit/redis/redis_stage.h"

static struct redis_stage stage;
static struct redis_server *server;
static struct stage_node *node;
static struct redis_link *link;

static bool is_up(void *context)
{
	return redis_link_is_up(context);
}

static bool is_down(void *context)
{
	return redis_link_state(context) == REDIS_DOWN;
}

static void enter(void)
{
	stage_node_enter(node, 0);
}

static void begin(const char *server_options, const struct redis_options *options)
{
	stage = (struct redis_stage){0};
	server = redis_server_new(server_options);
	node = stage_node_new(&stage, server->url, 1, options);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_up, link));
}

static void end(void)
{
	stage_node_free(&stage, node);
	redis_server_free(server);
}

/* ---- answers ---- */

struct heard {
	unsigned count;
	int error;
	char text[256];
};

static void hear(void *context, int error, const struct redisReply *reply)
{
	struct heard *heard = context;

	heard->count++;
	heard->error = error;
	if (reply && reply->type == REDIS_REPLY_INTEGER)
		snprintf(heard->text, sizeof heard->text, "%lld", reply->integer);
	else
		snprintf(heard->text, sizeof heard->text, "%s", reply && reply->str ? reply->str : "");
}

static bool has_heard(void *context)
{
	return ((struct heard *)context)->count > 0;
}

static int send_words(struct heard *heard, const char *a, const char *b, const char *c)
{
	const struct str words[] = {str_of(a), str_of(b), str_of(c)};

	enter();
	return redis_link_send(link, words, c ? 3 : 2, hear, heard);
}

static void ask(struct heard *heard, const char *a, const char *b, const char *c)
{
	*heard = (struct heard){0};
	ck_assert_int_eq(send_words(heard, a, b, c), 0);
	ck_assert_uint_eq(heard->count, 0);
	ck_assert(redis_stage_until(&stage, has_heard, heard));
}

START_TEST(commands_are_answered_in_order)
{
	struct heard heard;

	begin("", NULL);
	ask(&heard, "SET", "a", "1");
	ck_assert_str_eq(heard.text, "OK");
	ask(&heard, "GET", "a", NULL);
	ck_assert_str_eq(heard.text, "1");
	ask(&heard, "LPOP", "a", NULL);
	ck_assert_int_eq(heard.error, -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(heard.text, "WRONGTYPE"));
	ck_assert_uint_eq(redis_node_state(node->node), REDIS_UP);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].errors), 1);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].queued_bytes), 0);
	end();
}
END_TEST

START_TEST(unix_socket_database_and_password)
{
	char url[160];
	struct heard heard;

	stage = (struct redis_stage){0};
	server = redis_server_new("--requirepass pass");
	snprintf(url, sizeof url, "unix://:pass@%s?db=3", server->unix_url + sizeof "unix://" - 1);
	node = stage_node_new(&stage, url, 1, NULL);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_up, link));
	ask(&heard, "SET", "where", "db3");
	freeReplyObject(redis_server_ask(server, "SELECT 3"));
	ck_assert_str_eq(redis_server_ask_text(server, "GET where"), "db3");
	end();
}
END_TEST

/* begin with a password in the URL is tested above; here the URL has none. */
START_TEST(wrong_password_is_down_and_said)
{
	char url[128];

	stage = (struct redis_stage){0};
	server = redis_server_new("--requirepass pass");
	snprintf(url, sizeof url, "redis://:wrong@127.0.0.1:%u", server->port);
	node = stage_node_new(&stage, url, 1, NULL);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_down, link));
	struct heard heard = {0};
	ck_assert_int_eq(send_words(&heard, "GET", "a", NULL), -ENOTCONN);
	redis_stage_run(&stage, 50);
	ck_assert_uint_gt(counter_read(&node->node->figures[0].failures), 2);
	ck_assert_uint_eq(heard.count, 0);
	end();
}
END_TEST

START_TEST(names_are_looked_up)
{
	char url[128];

	stage = (struct redis_stage){0};
	server = redis_server_new("");
	snprintf(url, sizeof url, "redis://localhost:%u", server->port);
	node = stage_node_new(&stage, url, 1, NULL);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_up, link));
	end();
}
END_TEST

/* ---- channels ---- */

struct ear {
	struct redis_channel channel;
	unsigned ready;
	unsigned count;
	char last[64];
};

static void ear_ready(struct redis_channel *channel)
{
	((struct ear *)channel)->ready++;
}

static void ear_message(struct redis_channel *channel, struct str message)
{
	struct ear *ear = (struct ear *)channel;

	ear->count++;
	snprintf(ear->last, sizeof ear->last, "%.*s", STR_ARG(message));
}

static const struct ear new_ear = {.channel = {.ready = ear_ready, .message = ear_message}};

static bool ear_is_live(void *context)
{
	return ((struct ear *)context)->channel.is_live;
}

static bool ear_has_heard(void *context)
{
	return ((struct ear *)context)->count > 0;
}

static void subscribe(struct ear *ear, const char *name)
{
	enter();
	redis_link_subscribe(link, &ear->channel, str_of(name));
}

static void unsubscribe(struct ear *ear)
{
	enter();
	redis_link_unsubscribe(link, &ear->channel);
}

START_TEST(channels_come_back_after_a_restart)
{
	struct ear ear = new_ear;

	begin("", NULL);
	subscribe(&ear, "news");
	ck_assert(redis_stage_until(&stage, ear_is_live, &ear));
	freeReplyObject(redis_server_ask(server, "PUBLISH news one"));
	ck_assert(redis_stage_until(&stage, ear_has_heard, &ear));
	ck_assert_str_eq(ear.last, "one");
	redis_server_kill(server);
	ck_assert(redis_stage_until(&stage, is_down, link));
	ck_assert(!ear.channel.is_live);
	redis_server_start(server);
	ck_assert(redis_stage_until(&stage, ear_is_live, &ear));
	ck_assert_uint_eq(ear.ready, 2);
	ear.count = 0;
	freeReplyObject(redis_server_ask(server, "PUBLISH news two"));
	ck_assert(redis_stage_until(&stage, ear_has_heard, &ear));
	ck_assert_str_eq(ear.last, "two");
	unsubscribe(&ear);
	redis_stage_run(&stage, 20);
	ck_assert_int_eq(redis_server_ask_number(server, "PUBLISH news three"), 0);
	end();
}
END_TEST

START_TEST(a_confirmation_counts_for_the_last_subscription)
{
	struct ear first = new_ear;
	struct ear second = new_ear;

	begin("", NULL);
	subscribe(&first, "news");
	unsubscribe(&first);
	subscribe(&second, "news");
	ck_assert(redis_stage_until(&stage, ear_is_live, &second));
	ck_assert_uint_eq(first.ready, 0);
	ck_assert_uint_eq(second.ready, 1);
	ck_assert_int_eq(redis_server_ask_number(server, "PUBLISH news x"), 1);
	ck_assert(redis_stage_until(&stage, ear_has_heard, &second));
	unsubscribe(&second);
	end();
}
END_TEST

START_TEST(many_channels_are_asked_for_at_a_pace)
{
	enum { EARS = 1000 };
	struct ear *ears = calloc(EARS, sizeof *ears);
	char name[32];

	begin("", &(struct redis_options){.subscribe_rate = 5000});
	for (unsigned i = 0; i < EARS; i++) {
		ears[i] = new_ear;
		snprintf(name, sizeof name, "c%u", i);
		subscribe(&ears[i], name);
	}
	for (unsigned i = 0; i < EARS; i++)
		ck_assert(redis_stage_until(&stage, ear_is_live, &ears[i]));
	ck_assert_uint_eq(counter_read(&node->node->figures[0].channels), EARS);
	freeReplyObject(redis_server_ask(server, "CLIENT KILL TYPE pubsub"));
	for (unsigned i = 0; i < EARS; i++) {
		while (ears[i].ready < 2)
			redis_stage_run(&stage, 1);
	}
	ck_assert_uint_eq(counter_read(&node->node->figures[0].channels_live), EARS);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].resubscribed), EARS);
	for (unsigned i = 0; i < EARS; i++)
		unsubscribe(&ears[i]);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].channels_live), 0);
	redis_stage_run(&stage, 10);
	free(ears);
	end();
}
END_TEST

/* ---- trouble ---- */

struct seen {
	struct redis_watch watch;
	unsigned ups, downs;
};

static void see(struct redis_watch *watch, bool up)
{
	struct seen *seen = (struct seen *)watch;

	if (up)
		seen->ups++;
	else
		seen->downs++;
}

START_TEST(a_paused_redis_is_noticed_by_the_deadline)
{
	struct heard heard = {0};
	struct seen seen = {.watch.changed = see};

	begin("", &(struct redis_options){.timeout_ms = 100, .ping_ms = 100000});
	enter();
	redis_link_watch(link, &seen.watch);
	redis_server_pause(server, true);
	int64_t before = clock_now_mono_ms();
	ck_assert_int_eq(send_words(&heard, "GET", "a", NULL), 0);
	ck_assert(redis_stage_until(&stage, has_heard, &heard));
	ck_assert_int_eq(heard.error, -ETIMEDOUT);
	ck_assert_int_ge(clock_now_mono_ms() - before, 100);
	ck_assert_uint_eq(seen.downs, 1);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].timeouts), 1);
	redis_server_pause(server, false);
	ck_assert(redis_stage_until(&stage, is_up, link));
	ck_assert_uint_eq(seen.ups, 1);
	redis_link_unwatch(&seen.watch);
	end();
}
END_TEST

START_TEST(a_paused_redis_is_noticed_by_pings)
{
	begin("", &(struct redis_options){.timeout_ms = 50, .ping_ms = 50});
	redis_stage_run(&stage, 200);
	ck_assert(redis_link_is_up(link));
	redis_server_pause(server, true);
	ck_assert(redis_stage_until(&stage, is_down, link));
	redis_server_pause(server, false);
	ck_assert(redis_stage_until(&stage, is_up, link));
	end();
}
END_TEST

START_TEST(the_queue_is_bounded)
{
	struct heard heard = {0};

	begin("", &(struct redis_options){.queue_commands = 10, .queue_bytes = 10000, .timeout_ms = 200});
	redis_server_pause(server, true);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(send_words(&heard, "GET", "a", NULL), 0);
	ck_assert_int_eq(send_words(&heard, "GET", "a", NULL), -EAGAIN);
	ck_assert_uint_eq(counter_read(&node->node->figures[0].refused_full), 1);
	redis_server_pause(server, false);
	while (heard.count < 10)
		redis_stage_run(&stage, 1);
	char *large = calloc(1, 6001);
	memset(large, 'x', 6000);
	redis_server_pause(server, true);
	ck_assert_int_eq(send_words(&heard, "SET", "a", large), 0);
	ck_assert_int_eq(send_words(&heard, "SET", "a", large), -EAGAIN);
	redis_server_pause(server, false);
	free(large);
	while (heard.count < 11)
		redis_stage_run(&stage, 1);
	end();
}
END_TEST

static bool is_full(void *context)
{
	return redis_link_state(context) == REDIS_FULL;
}

static bool is_state_up(void *context)
{
	return redis_link_state(context) == REDIS_UP;
}

START_TEST(a_full_redis_is_said_and_seen_to_recover)
{
	struct heard heard;

	begin("", NULL);
	freeReplyObject(redis_server_ask(server, "CONFIG SET maxmemory 1"));
	ask(&heard, "SET", "a", "1");
	ck_assert_int_eq(heard.error, -EREMOTEIO);
	ck_assert(redis_stage_until(&stage, is_full, link));
	ck_assert(redis_link_is_up(link));
	freeReplyObject(redis_server_ask(server, "CONFIG SET maxmemory 0"));
	ck_assert(redis_stage_until(&stage, is_state_up, link));
	end();
}
END_TEST

static struct redis_script add_script = {.text = {"return redis.call('INCRBY', KEYS[1], ARGV[1])", 45}};

static int add(struct heard *heard, const char *amount)
{
	const struct str key = STR("sum");
	const struct str arg = str_of(amount);

	enter();
	return redis_link_eval(link, &add_script, &key, 1, &arg, 1, hear, heard);
}

START_TEST(scripts_are_loaded_and_sent_again_when_forgotten)
{
	struct heard heard = {0};

	begin("", NULL);
	redis_node_add_script(node->node, &add_script);
	ck_assert_int_eq(add(&heard, "5"), 0); /* not loaded when the connection was made */
	ck_assert(redis_stage_until(&stage, has_heard, &heard));
	ck_assert_str_eq(heard.text, "5");
	freeReplyObject(redis_server_ask(server, "SCRIPT FLUSH"));
	heard.count = 0;
	ck_assert_int_eq(add(&heard, "2"), 0);
	ck_assert(redis_stage_until(&stage, has_heard, &heard));
	ck_assert_str_eq(heard.text, "7");
	end();
}
END_TEST

START_TEST(who_is_forgotten_hears_nothing)
{
	struct heard heard = {0};
	struct heard other = {0};

	begin("", NULL);
	ck_assert_int_eq(send_words(&heard, "GET", "a", NULL), 0);
	redis_link_forget(link, &heard);
	ck_assert_int_eq(send_words(&other, "GET", "a", NULL), 0);
	ck_assert(redis_stage_until(&stage, has_heard, &other));
	ck_assert_uint_eq(heard.count, 0);
	ck_assert_int_eq(send_words(&other, "GET", "a", NULL), 0); /* the link ends before the answer */
	end();
}
END_TEST

START_TEST(a_cut_cable_is_an_error_for_those_who_wait)
{
	struct heard heard = {0};

	stage = (struct redis_stage){0};
	server = redis_server_new("");
	struct redis_cable *cable = redis_cable_new(server);
	node = stage_node_new(&stage, cable->url, 1, NULL);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_up, link));
	redis_cable_hold(cable, true);
	ck_assert_int_eq(send_words(&heard, "INCR", "n", NULL), 0);
	redis_stage_run(&stage, 20);
	redis_cable_cut(cable, true);
	redis_cable_hold(cable, false); /* also mends: cut again */
	redis_cable_cut(cable, true);
	ck_assert(redis_stage_until(&stage, has_heard, &heard));
	ck_assert(redis_stage_until(&stage, is_down, link) || heard.error == 0);
	redis_cable_cut(cable, false);
	ck_assert(redis_stage_until(&stage, is_up, link));
	redis_cable_free(cable);
	end();
}
END_TEST

/* ---- sentinel ---- */

static struct redis_server *replica;

/* Writes by the link until it is read at the new master: what still went to the old one is lost, or refused. */
static bool new_master_is_used(void *context)
{
	struct heard *heard = context;

	if (!strstr(redis_server_ask_text(replica, "INFO replication"), "role:master"))
		return false;
	if (!strcmp(redis_server_ask_text(replica, "GET after"), "failover"))
		return true;
	if (redis_link_is_up(link) && (heard->count || heard->text[0] == 0)) {
		*heard = (struct heard){.text = "?"};
		if (send_words(heard, "SET", "after", "failover") < 0)
			heard->text[0] = 0;
	}
	return false;
}

/* Before the sentinel has asked the replica how it does, it says NOGOODSLAVE. */
static bool failover_begins(void *sentinel)
{
	return !strcmp(redis_server_ask_text(sentinel, "SENTINEL FAILOVER main"), "OK");
}

static struct redis_server *sentinel_new(const struct redis_server *master)
{
	char path[96];
	char options[160];

	/* Sentinel rewrites its file, so it needs one. */
	snprintf(path, sizeof path, "%s/sentinel.conf", master->folder);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "sentinel monitor main 127.0.0.1 %u 1\nsentinel down-after-milliseconds main 300\n",
		master->port);
	fclose(file);
	snprintf(options, sizeof options, "sentinel %s", path);
	return redis_server_new(options);
}

START_TEST(sentinels_lead_to_the_new_master)
{
	char url[128];
	struct heard heard = {0};

	stage = (struct redis_stage){0};
	server = redis_server_new("");
	replica = redis_server_new("--repl-diskless-sync-delay 0");
	freeReplyObject(redis_server_ask(replica, "REPLICAOF 127.0.0.1 %u", server->port));
	struct redis_server *sentinel = sentinel_new(server);
	snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:1,127.0.0.1:%u/main", sentinel->port);
	node = stage_node_new(&stage, url, 1, NULL);
	link = node->links[0];
	ck_assert(redis_stage_until(&stage, is_up, link));
	ck_assert(redis_stage_until(&stage, failover_begins, sentinel));
	ck_assert(redis_stage_until(&stage, new_master_is_used, &heard));
	redis_server_free(sentinel);
	redis_server_free(replica);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis link");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, commands_are_answered_in_order);
	tcase_add_test(all, unix_socket_database_and_password);
	tcase_add_test(all, wrong_password_is_down_and_said);
	tcase_add_test(all, names_are_looked_up);
	tcase_add_test(all, channels_come_back_after_a_restart);
	tcase_add_test(all, a_confirmation_counts_for_the_last_subscription);
	tcase_add_test(all, many_channels_are_asked_for_at_a_pace);
	tcase_add_test(all, a_paused_redis_is_noticed_by_the_deadline);
	tcase_add_test(all, a_paused_redis_is_noticed_by_pings);
	tcase_add_test(all, the_queue_is_bounded);
	tcase_add_test(all, a_full_redis_is_said_and_seen_to_recover);
	tcase_add_test(all, scripts_are_loaded_and_sent_again_when_forgotten);
	tcase_add_test(all, who_is_forgotten_hears_nothing);
	tcase_add_test(all, a_cut_cable_is_an_error_for_those_who_wait);
	tcase_add_test(all, sentinels_lead_to_the_new_master);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
