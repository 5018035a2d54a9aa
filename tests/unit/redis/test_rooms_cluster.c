/* Cluster rooms: no increment is lost or counted twice, whatever happens to Redis or the way to it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "unit/redis/nodes.h"

enum { NODES = 3, GUESTS = 6 };

static const struct str patterns[] = {{"count:*", 7}};
static struct cluster *cluster;
static struct room_node *nodes[NODES];
static struct redis_cable *cables[NODES];
static struct guest *guests[GUESTS];

static void begin(int64_t commit_ms, bool with_cables)
{
	char id[16];

	cluster = cluster_new("");
	cluster->rooms.cluster_rooms = patterns;
	cluster->rooms.cluster_room_count = 1;
	cluster->rooms.commit_ms = commit_ms;
	cluster->links.timeout_ms = 300;
	cluster->links.connect_ms = 300;
	for (unsigned i = 0; i < NODES; i++)
		cables[i] = with_cables ? redis_cable_new(cluster->server) : NULL;
	for (unsigned i = 0; i < NODES; i++) {
		nodes[i] = room_node_new(cluster, with_cables ? cables[i]->url : NULL, 1);
	}
	for (unsigned i = 0; i < GUESTS; i++) {
		snprintf(id, sizeof id, "g%u", i);
		guests[i] = guest_new(nodes[i % NODES], 0, id, "count:x", "{\"n\":0}");
	}
}

static void end(void)
{
	for (unsigned i = 0; i < GUESTS; i++)
		guest_free(guests[i]);
	for (unsigned i = 0; i < NODES; i++) {
		room_node_free(nodes[i]);
		if (cables[i])
			redis_cable_free(cables[i]);
	}
	cluster_free(cluster);
}

static unsigned asked;

static bool all_answered(void *context)
{
	unsigned answers = 0;

	(void)context;
	for (unsigned i = 0; i < GUESTS; i++)
		answers += guests[i]->answers;
	return answers == asked;
}

static unsigned errors(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < GUESTS; i++)
		count += guests[i]->errors;
	return count;
}

/* What was done by a try whose answer was lost is known to be done when somebody gives it back; what it came to is not.
 */
static unsigned errors_but_doubts(void)
{
	unsigned doubts = 0;

	for (unsigned i = 0; i < GUESTS; i++)
		doubts += guests[i]->doubts;
	return errors() - doubts;
}

static long long stored_sum(void)
{
	long long n = -1;
	const char *text = redis_server_ask_text(cluster->server, "GET fluxstack:room:state:count:x");

	return sscanf(text, "{\"n\":%lld}", &n) == 1 ? n : -1;
}

static bool all_see_the_sum(void *context)
{
	long long sum = stored_sum();

	(void)context;
	for (unsigned i = 0; i < GUESTS; i++) {
		if (live_as_int(live_get(guests[i]->state, "n"), -1) != sum)
			return false;
	}
	return true;
}

static bool all_see_what_was_asked(void *context)
{
	return stored_sum() == (long long)asked && all_see_the_sum(context);
}

/* Whether guests of other nodes than that one wait for answers; all have asked alike. */
static bool has_waiting_but(unsigned node)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		if (i % NODES != node && guests[i]->answers < asked / GUESTS)
			return true;
	}
	return false;
}

static void add_all(void)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		guest_add(guests[i], "n", 1);
		asked++;
	}
}

START_TEST(three_nodes_count_exactly)
{
	asked = 0;
	begin(10000, false);
	for (unsigned round = 0; round < 300; round++) {
		add_all();
		if (round % 3 == 0)
			cluster_run(cluster, 1);
	}
	cluster_until(cluster, all_answered, NULL);
	ck_assert_uint_eq(errors(), 0);
	ck_assert_int_eq(stored_sum(), asked);
	cluster_until(cluster, all_see_the_sum, NULL);
	fprintf(stderr, "commits %llu conflicts %llu for %u increments\n",
		(unsigned long long)(FIGURE(nodes[0], commits) + FIGURE(nodes[1], commits) + FIGURE(nodes[2], commits)),
		(unsigned long long)(FIGURE(nodes[0], conflicts) + FIGURE(nodes[1], conflicts) +
				     FIGURE(nodes[2], conflicts)),
		asked);
	end();
}
END_TEST

START_TEST(nobody_hears_of_a_change_before_its_commit)
{
	asked = 0;
	begin(10000, true);
	cluster_run(cluster, 50);
	redis_cable_hold(cables[0], true);
	cluster_run(cluster, 20);
	guest_forget_diary(guests[0]);
	guest_add(guests[0], "n", 5);
	guest_emit(guests[0], "after", "1");
	cluster_run(cluster, 50);
	ck_assert_uint_eq(guests[0]->answers, 0);
	ck_assert_msg(guests[0]->diary.len == 0, "%.*s", (int)guests[0]->diary.len, guests[0]->diary.ptr);
	guest_forget_diary(guests[1]);
	redis_cable_hold(cables[0], false);
	guest_expect(guests[1], "$state:update {\"state\":{\"n\":5}}\nafter 1\n");
	asked = 1;
	cluster_until(cluster, all_answered, NULL);
	ck_assert_str_eq(guests[0]->last, "5");
	end();
}
END_TEST

START_TEST(cut_connections_lose_and_double_nothing)
{
	asked = 0;
	begin(20000, true);
	for (unsigned round = 0; round < 200; round++) {
		add_all();
		cluster_run(cluster, 2);
		if (round % 20 == 10)
			redis_cable_cut(cables[round / 20 % NODES], true);
		if (round % 20 == 15)
			redis_cable_cut(cables[round / 20 % NODES], false);
	}
	cluster_until(cluster, all_answered, NULL);
	ck_assert_uint_eq(errors(), 0);
	ck_assert_int_eq(stored_sum(), asked);
	cluster_until(cluster, all_see_the_sum, NULL);
	end();
}
END_TEST

START_TEST(a_paused_redis_loses_and_doubles_nothing)
{
	asked = 0;
	begin(20000, false);
	for (unsigned round = 0; round < 3; round++) {
		add_all();
		cluster_run(cluster, 1);
		redis_server_pause(cluster->server, true);
		add_all();
		cluster_run(cluster, 500); /* beyond the deadline: whatever was sent is carried out afterwards */
		redis_server_pause(cluster->server, false);
		add_all();
		cluster_run(cluster, 20);
	}
	cluster_until(cluster, all_answered, NULL);
	ck_assert_uint_eq(errors(), 0);
	ck_assert_int_eq(stored_sum(), asked);
	cluster_until(cluster, all_see_the_sum, NULL);
	end();
}
END_TEST

START_TEST(a_killed_redis_is_given_back_what_it_had)
{
	asked = 0;
	begin(20000, false);
	for (unsigned round = 0; round < 4; round++) {
		add_all();
		cluster_run(cluster, round);
		add_all();
		redis_server_kill(cluster->server);
		add_all();
		cluster_run(cluster, 30);
		redis_server_start(cluster->server);
		add_all();
		cluster_until(cluster, all_answered, NULL);
	}
	ck_assert_uint_eq(errors_but_doubts(), 0);
	ck_assert_int_eq(stored_sum(), asked);
	cluster_until(cluster, all_see_the_sum, NULL);
	end();
}
END_TEST

static bool is_up(void *node)
{
	return room_node_is_up(node);
}

static void check_all_counted(void)
{
	for (unsigned i = 0; i < NODES; i++)
		redis_cable_cut(cables[i], false);
	cluster_until(cluster, all_answered, NULL);
	for (unsigned i = 0; i < NODES; i++)
		cluster_until(cluster, is_up, nodes[i]);
	ck_assert_uint_eq(errors_but_doubts(), 0);
	cluster_until(cluster, all_see_what_was_asked, NULL);
	ck_assert_int_eq(stored_sum(), asked);
}

/* Commits are under way whenever it dies, and each time another node comes back last: behind the others' rest. */
START_TEST(a_redis_that_forgets_again_and_again_loses_and_doubles_nothing)
{
	asked = 0;
	begin(60000, true);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned i = 0; i < 5; i++) {
			add_all();
			cluster_run(cluster, 1);
		}
		redis_cable_cut(cables[round % NODES], true);
		redis_server_kill(cluster->server);
		add_all();
		redis_server_start(cluster->server);
		while (has_waiting_but(round % NODES)) /* the two others go on, and are answered */
			cluster_run(cluster, 10);
		add_all();
		redis_cable_cut(cables[round % NODES], false);
	}
	check_all_counted();
	end();
}
END_TEST

/* What a replica that was behind has, or a file: some of the last changes are not there. */
START_TEST(a_redis_that_went_back_loses_and_doubles_nothing)
{
	asked = 0;
	begin(60000, true);
	for (unsigned round = 0; round < 6; round++) {
		add_all();
		cluster_run(cluster, 20);
		freeReplyObject(redis_server_ask(cluster->server, "SAVE"));
		add_all();
		cluster_until(cluster, all_answered, NULL); /* these are not in the file */
		add_all();
		cluster_run(cluster, 1);
		redis_cable_cut(cables[round % NODES], true);
		redis_server_kill(cluster->server);
		redis_server_start(cluster->server);
		add_all();
		while (has_waiting_but(round % NODES))
			cluster_run(cluster, 10);
		redis_cable_cut(cables[round % NODES], false);
	}
	check_all_counted();
	end();
}
END_TEST

START_TEST(without_redis_updates_fail_in_time)
{
	asked = 0;
	begin(200, false);
	redis_server_kill(cluster->server);
	cluster_run(cluster, 20);
	int64_t before = clock_now_mono_ms();
	add_all();
	cluster_until(cluster, all_answered, NULL);
	ck_assert_int_ge(clock_now_mono_ms() - before, 200);
	ck_assert_uint_eq(errors(), GUESTS);
	ck_assert_str_eq(guests[0]->last, "Room update failed: it could not be committed in time");
	redis_server_start(cluster->server);
	for (unsigned i = 0; i < NODES; i++)
		cluster_until(cluster, room_node_is_up, nodes[i]);
	cluster_run(cluster, 1500);
	for (unsigned i = 0; i < GUESTS; i++)
		guests[i]->answers = guests[i]->errors = 0;
	asked = 0;
	add_all();
	cluster_until(cluster, all_answered, NULL);
	ck_assert_uint_eq(errors(), 0);
	ck_assert_int_eq(stored_sum(), GUESTS);
	end();
}
END_TEST

START_TEST(an_unconfirmed_update_says_so)
{
	asked = 0;
	begin(100, true);
	redis_cable_hold(cables[0], true);
	cluster_run(cluster, 10);
	guest_add(guests[0], "n", 1);
	cluster_run(cluster, 200);
	ck_assert_uint_eq(guests[0]->errors, 1);
	ck_assert_str_eq(guests[0]->last, "Room update may have failed: its commit was not confirmed in time");
	redis_cable_hold(cables[0], false);
	guest_add(guests[1], "n", 1);
	cluster_run(cluster, 1000);
	cluster_until(cluster, all_see_the_sum, NULL);
	long long sum = stored_sum();
	ck_assert(sum == 1 || sum == 2);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster rooms");
	TCase *cases = tcase_create("all");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, three_nodes_count_exactly);
	tcase_add_test(cases, nobody_hears_of_a_change_before_its_commit);
	tcase_add_test(cases, cut_connections_lose_and_double_nothing);
	tcase_add_test(cases, a_paused_redis_loses_and_doubles_nothing);
	tcase_add_test(cases, a_killed_redis_is_given_back_what_it_had);
	tcase_add_test(cases, a_redis_that_forgets_again_and_again_loses_and_doubles_nothing);
	tcase_add_test(cases, a_redis_that_went_back_loses_and_doubles_nothing);
	tcase_add_test(cases, without_redis_updates_fail_in_time);
	tcase_add_test(cases, an_unconfirmed_update_says_so);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
