/* Rooms while Redis is cut off, gone, empty or full: they go on here, and end up the same when it is back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "unit/redis/nodes.h"

static struct cluster *cluster;
static struct room_node *a, *b;
static struct redis_cable *cable; /* of b */
static struct guest *ann, *bob;

static void begin(const char *initial)
{
	cluster = cluster_new("");
	cable = redis_cable_new(cluster->server);
	a = room_node_new(cluster, NULL, 1);
	b = room_node_new(cluster, cable->url, 1);
	ann = guest_new(a, 0, "ann", "lobby", initial);
	bob = guest_new(b, 0, "bob", "lobby", NULL);
}

static bool is_down(void *node)
{
	return !room_node_is_up(node);
}

static bool all_are_equal(void *context)
{
	(void)context;
	const char *text = redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby");
	const live_value *stored = live_from_json(text, strlen(text), NULL, 0);
	bool equal = stored && live_equal(stored, ann->state) && live_equal(stored, bob->state);

	live_value_unref(stored);
	return equal;
}

static void end(void)
{
	cluster_until(cluster, all_are_equal, NULL);
	guest_free(ann);
	guest_free(bob);
	room_node_free(a);
	room_node_free(b);
	redis_cable_free(cable);
	cluster_free(cluster);
}

static void cut(void)
{
	redis_cable_cut(cable, true);
	cluster_until(cluster, is_down, b);
}

static void mend(void)
{
	redis_cable_cut(cable, false);
	cluster_until(cluster, room_node_is_up, b);
}

START_TEST(a_node_that_was_cut_off_catches_up)
{
	char json[64];

	begin("{\"n\":0,\"m\":{\"x\":1,\"y\":1}}");
	cut();
	for (int i = 1; i <= 50; i++) {
		snprintf(json, sizeof json, "{\"n\":%d}", i);
		guest_set(ann, json);
	}
	guest_set(ann, "{\"m\":{\"y\":1}}");
	guest_await_state(ann, "{\"n\":50,\"m\":{\"y\":1}}");
	mend();
	guest_await_state(bob, "{\"n\":50,\"m\":{\"y\":1}}");
	end();
}
END_TEST

START_TEST(a_room_goes_on_while_redis_is_gone)
{
	begin("{\"n\":0}");
	struct guest *eve = guest_new(b, 0, "eve", "lobby", NULL);

	cluster_run(cluster, 20);
	guest_forget_diary(eve);
	cut();
	guest_emit(bob, "hello", "1");
	guest_set(bob, "{\"local\":1}");
	guest_expect(eve, "hello 1\n$state:update {\"state\":{\"local\":1}}\n");
	struct guest *dan = guest_new(b, 0, "dan", "new-room", "{\"seed\":true}"); /* opens at once */
	guest_expect(dan, "JOINED {\"seed\":true}\n");
	mend();
	guest_await_state(ann, "{\"n\":0,\"local\":1}");
	cluster_run(cluster, 50);
	ck_assert_str_eq(redis_server_ask_text(cluster->server, "GET fluxstack:room:state:new-room"),
			 "{\"seed\":true}");
	guest_free(dan);
	guest_free(eve);
	end();
}
END_TEST

START_TEST(changes_on_both_sides_of_a_cut_are_merged_in_redis_order)
{
	char json[64];

	begin("{\"both\":0,\"m\":{}}");
	cut();
	guest_set(ann, "{\"both\":\"ann\",\"m\":{\"a\":{\"n\":1}}}");
	for (int i = 0; i < 200; i++) { /* many become one */
		snprintf(json, sizeof json, "{\"both\":\"bob%d\",\"m\":{\"b\":{\"n\":%d}}}", i, i);
		guest_set(bob, json);
	}
	cluster_run(cluster, 20);
	mend();
	guest_await_state(ann, "{\"both\":\"bob199\",\"m\":{\"a\":{\"n\":1},\"b\":{\"n\":199}}}");
	end();
}
END_TEST

START_TEST(a_seed_never_wins_over_what_is_stored)
{
	begin("{\"n\":7}");
	cut();
	struct guest *dan = guest_new(b, 0, "dan", "late", "{\"n\":0,\"mine\":1}");
	struct guest *eve = guest_new(a, 0, "eve", "late", "{\"n\":5}");

	guest_set(dan, "{\"changed\":1}");
	cluster_run(cluster, 20);
	mend();
	guest_await_state(dan, "{\"n\":5,\"mine\":null,\"changed\":1}"); /* a client cannot forget a top-level key */
	guest_await_state(eve, "{\"n\":5,\"changed\":1}");
	guest_free(dan);
	guest_free(eve);
	end();
}
END_TEST

START_TEST(an_empty_redis_gets_its_rooms_back)
{
	begin("{\"n\":1}");
	guest_set(bob, "{\"n\":2}");
	guest_await_state(ann, "{\"n\":2}");
	redis_server_kill(cluster->server);
	cluster_until(cluster, is_down, a);
	guest_set(ann, "{\"while\":\"down\"}");
	redis_server_start(cluster->server);
	guest_await_state(bob, "{\"n\":2,\"while\":\"down\"}");
	ck_assert_uint_gt(FIGURE(a, restores) + FIGURE(b, restores), 0);
	end();
}
END_TEST

START_TEST(a_flushed_redis_gets_its_rooms_back_at_the_next_change)
{
	begin("{\"n\":1}");
	freeReplyObject(redis_server_ask(cluster->server, "FLUSHALL"));
	guest_set(ann, "{\"k\":2}");
	guest_await_state(bob, "{\"n\":1,\"k\":2}");
	end();
}
END_TEST

static bool is_stored(void *context)
{
	(void)context;
	return strstr(redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby"), "later") != NULL;
}

START_TEST(a_full_redis_gets_what_waited_when_it_has_room)
{
	begin("{\"n\":1}");
	freeReplyObject(redis_server_ask(cluster->server, "CONFIG SET maxmemory 1"));
	guest_set(ann, "{\"later\":1}");
	cluster_run(cluster, 100);
	guest_await_state(ann, "{\"n\":1,\"later\":1}"); /* here it counts at once */
	ck_assert(!is_stored(NULL));
	ck_assert_int_eq(redis_node_state(a->base->node), REDIS_FULL);
	freeReplyObject(redis_server_ask(cluster->server, "CONFIG SET maxmemory 0"));
	cluster_until(cluster, is_stored, NULL);
	guest_await_state(bob, "{\"n\":1,\"later\":1}");
	end();
}
END_TEST

START_TEST(a_lost_message_is_noticed)
{
	begin("{\"n\":1}");
	/* Somebody commits what nobody is told of. */
	freeReplyObject(redis_server_ask(cluster->server,
					 "EVAL %s 2 fluxstack:room:state:lobby fluxstack:room:meta:lobby",
					 "redis.call('SET', KEYS[1], '{\"n\":1,\"hidden\":1}') "
					 "redis.call('HINCRBY', KEYS[2], 'v', 1) "
					 "redis.call('HSET', KEYS[2], 'h', redis.sha1hex('{\"n\":1,\"hidden\":1}'))"));
	guest_set(ann, "{\"n\":2}"); /* conflicts, and tells bob a version that he cannot follow */
	guest_await_state(bob, "{\"n\":2,\"hidden\":1}");
	guest_await_state(ann, "{\"n\":2,\"hidden\":1}");
	end();
}
END_TEST

START_TEST(random_cuts_end_in_one_state)
{
	char json[96];

	begin("{}");
	for (int i = 0; i < 400; i++) {
		snprintf(json, sizeof json, "{\"k%d\":{\"a\":%d},\"l\":[%d]}", i % 5, i, i);
		guest_set(i % 2 ? ann : bob, json);
		cluster_run(cluster, 1);
		if (i % 50 == 20)
			redis_cable_cut(cable, true);
		if (i % 50 == 35)
			redis_cable_cut(cable, false);
	}
	redis_cable_cut(cable, false);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rooms in trouble");
	TCase *cases = tcase_create("all");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, a_node_that_was_cut_off_catches_up);
	tcase_add_test(cases, a_room_goes_on_while_redis_is_gone);
	tcase_add_test(cases, changes_on_both_sides_of_a_cut_are_merged_in_redis_order);
	tcase_add_test(cases, a_seed_never_wins_over_what_is_stored);
	tcase_add_test(cases, an_empty_redis_gets_its_rooms_back);
	tcase_add_test(cases, a_flushed_redis_gets_its_rooms_back_at_the_next_change);
	tcase_add_test(cases, a_full_redis_gets_what_waited_when_it_has_room);
	tcase_add_test(cases, a_lost_message_is_noticed);
	tcase_add_test(cases, random_cuts_end_in_one_state);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
