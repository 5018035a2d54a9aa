/* Rooms on several nodes over a real Redis: events, state, members, and that all end up the same. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "unit/redis/nodes.h"

static struct cluster *cluster;
static struct room_node *a, *b;

static void begin(void)
{
	cluster = cluster_new("");
	a = room_node_new(cluster, NULL, 2);
	b = room_node_new(cluster, NULL, 2);
}

static void end(void)
{
	room_node_free(a);
	room_node_free(b);
	cluster_free(cluster);
}

START_TEST(events_and_members_reach_other_nodes)
{
	begin();
	struct guest *ann = guest_new(a, 0, "ann", "lobby", NULL);
	struct guest *bob = guest_new(b, 1, "bob", "lobby", NULL);

	guest_expect(bob, "JOINED {}\n");
	guest_expect(ann, "JOINED {}\n$sub:join {\"subscriberId\":\"bob\",\"count\":2}\n");
	guest_emit(ann, "msg:new", "{\"text\":\"yo\"}");
	guest_expect(bob, "msg:new {\"text\":\"yo\"}\n");
	guest_emit(bob, "a", "1");
	guest_emit(bob, "b", "[]");
	guest_expect(ann, "a 1\nb []\n");
	struct guest *cid = guest_new(a, 1, "cid", "lobby", NULL);
	guest_expect(bob, "$sub:join {\"subscriberId\":\"cid\",\"count\":3}\n");
	guest_expect(ann, "$sub:join {\"subscriberId\":\"cid\",\"count\":3}\n");
	guest_free(bob);
	guest_expect(ann, "$sub:leave {\"subscriberId\":\"bob\",\"count\":2}\n");
	guest_free(cid);
	guest_free(ann);
	end();
}
END_TEST

START_TEST(state_is_merged_on_all_nodes_and_in_redis)
{
	begin();
	struct guest *ann = guest_new(a, 0, "ann", "lobby", "{\"topic\":\"old\",\"users\":{\"x\":{\"n\":1}}}");
	struct guest *bob = guest_new(b, 1, "bob", "lobby", "{\"other\":true}");

	guest_expect(bob, "JOINED {\"topic\":\"old\",\"users\":{\"x\":{\"n\":1}}}\n"); /* stored wins */
	guest_set(ann, "{\"topic\":\"new\"}");
	guest_expect(bob, "$state:update {\"state\":{\"topic\":\"new\"}}\n");
	guest_set(bob, "{\"users\":{\"y\":{\"list\":[]}},\"big\":1152921504606846977,\"no\":null}");
	guest_await_state(
		ann, "{\"topic\":\"new\",\"users\":{\"y\":{\"list\":[]}},\"big\":1152921504606846977,\"no\":null}");
	ck_assert_str_eq(redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby"),
			 "{\"topic\":\"new\",\"users\":{\"y\":{\"list\":[]}},\"big\":1152921504606846977,\"no\":null}");
	ck_assert_int_gt(redis_server_ask_number(cluster->server, "TTL fluxstack:room:state:lobby"), 86000);
	guest_free(ann);
	guest_free(bob);
	end();
}
END_TEST

START_TEST(what_one_sends_keeps_its_order)
{
	begin();
	struct guest *ann = guest_new(a, 0, "ann", "lobby", NULL);
	struct guest *bob = guest_new(b, 1, "bob", "lobby", NULL);

	guest_expect(bob, "JOINED {}\n");
	guest_set(ann, "{\"n\":1}");
	guest_emit(ann, "one", "1");
	guest_set(ann, "{\"n\":2}");
	guest_emit(ann, "two", "2");
	guest_expect(bob, "$state:update {\"state\":{\"n\":1}}\none 1\n$state:update {\"state\":{\"n\":2}}\ntwo 2\n");
	guest_free(ann);
	guest_free(bob);
	end();
}
END_TEST

static struct guest *all[8];
static unsigned all_count;

static bool all_are_equal(void *context)
{
	(void)context;
	const char *text = redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby");
	const live_value *stored = live_from_json(text, strlen(text), NULL, 0);
	bool equal = stored != NULL;

	for (unsigned i = 0; i < all_count; i++)
		equal &= live_equal(stored, all[i]->state);
	live_value_unref(stored);
	return equal;
}

START_TEST(changes_at_once_end_up_the_same)
{
	char json[64];

	begin();
	all_count = 2;
	all[0] = guest_new(a, 0, "ann", "lobby", NULL);
	all[1] = guest_new(b, 1, "bob", "lobby", NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(json, sizeof json, "{\"n\":{\"k%d\":{\"v\":%d}},\"last\":\"a%d\"}", i % 7, i, i);
		guest_set(all[0], json);
		snprintf(json, sizeof json, "{\"n\":{\"k%d\":{\"w\":%d}},\"last\":\"b%d\"}", i % 5, i, i);
		guest_set(all[1], json);
		if (i % 10 == 0)
			cluster_run(cluster, 1);
	}
	cluster_until(cluster, all_are_equal, NULL);
	ck_assert_uint_gt(FIGURE(a, conflicts) + FIGURE(b, conflicts), 0);
	guest_free(all[0]);
	guest_free(all[1]);
	end();
}
END_TEST

START_TEST(nested_changes_of_two_nodes_are_both_kept)
{
	cluster = cluster_new("");
	struct redis_cable *cable = redis_cable_new(cluster->server);
	a = room_node_new(cluster, NULL, 2);
	b = room_node_new(cluster, cable->url, 2);
	struct guest *ann = guest_new(a, 0, "ann", "lobby", "{\"u\":{\"a\":{\"n\":0},\"b\":{\"n\":0}}}");
	struct guest *bob = guest_new(b, 1, "bob", "lobby", NULL);

	redis_cable_hold(cable, true); /* so that neither knows of the other */
	cluster_run(cluster, 20);
	guest_set(ann, "{\"u\":{\"a\":{\"n\":1},\"b\":{\"n\":0}}}");
	guest_set(bob, "{\"u\":{\"a\":{\"n\":0},\"b\":{\"n\":2}}}");
	cluster_run(cluster, 20);
	redis_cable_hold(cable, false);
	guest_await_state(ann, "{\"u\":{\"a\":{\"n\":1},\"b\":{\"n\":2}}}");
	guest_await_state(bob, "{\"u\":{\"a\":{\"n\":1},\"b\":{\"n\":2}}}");
	guest_free(ann);
	guest_free(bob);
	end();
	redis_cable_free(cable);
}
END_TEST

START_TEST(a_room_that_opens_takes_what_is_stored)
{
	begin();
	cluster->empty_ms = 5;
	struct room_node *c = room_node_new(cluster, NULL, 1);
	struct guest *ann = guest_new(c, 0, "ann", "lobby", "{\"n\":1}");

	guest_set(ann, "{\"n\":2}");
	guest_free(ann);
	cluster_run(cluster, 100);
	ck_assert_int_eq(redis_server_ask_number(cluster->server, "PUBLISH fluxstack:room:ch:lobby x"), 0);
	ann = guest_new(c, 0, "ann", "lobby", "{\"n\":1}");
	guest_expect(ann, "JOINED {\"n\":2}\n");
	guest_free(ann);
	room_node_free(c);
	end();
}
END_TEST

/* ---- members of a node that dies ---- */

START_TEST(members_of_a_dead_node_leave)
{
	cluster = cluster_new("");
	cluster->rooms.node_ms = 300;
	struct redis_cable *cable = redis_cable_new(cluster->server);
	a = room_node_new(cluster, NULL, 1);
	b = room_node_new(cluster, NULL, 1);
	struct room_node *c = room_node_new(cluster, cable->url, 1);
	struct guest *ann = guest_new(a, 0, "ann", "lobby", NULL);
	struct guest *bob = guest_new(b, 0, "bob", "lobby", NULL);
	struct guest *cid = guest_new(c, 0, "cid", "lobby", NULL);

	guest_expect(ann, "JOINED {}\n$sub:join {\"subscriberId\":\"bob\",\"count\":2}\n"
			  "$sub:join {\"subscriberId\":\"cid\",\"count\":3}\n");
	guest_forget_diary(bob);
	redis_cable_cut(cable, true);
	guest_expect(ann, "$sub:leave {\"subscriberId\":\"cid\",\"count\":2}\n");
	struct guest *dan = guest_new(a, 0, "dan", "lobby", NULL);
	guest_expect(ann, "$sub:join {\"subscriberId\":\"dan\",\"count\":3}\n");
	/* The node was not dead, only cut off: its members are counted again. */
	redis_cable_cut(cable, false);
	cluster_until(cluster, room_node_is_up, c);
	cluster_run(cluster, 300);
	guest_free(dan);
	guest_expect(ann, "$sub:leave {\"subscriberId\":\"dan\",\"count\":3}\n");
	guest_free(ann);
	guest_free(bob);
	guest_free(cid);
	room_node_free(c);
	redis_cable_free(cable);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rooms by redis");
	TCase *cases = tcase_create("all");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, events_and_members_reach_other_nodes);
	tcase_add_test(cases, state_is_merged_on_all_nodes_and_in_redis);
	tcase_add_test(cases, what_one_sends_keeps_its_order);
	tcase_add_test(cases, changes_at_once_end_up_the_same);
	tcase_add_test(cases, nested_changes_of_two_nodes_are_both_kept);
	tcase_add_test(cases, a_room_that_opens_takes_what_is_stored);
	tcase_add_test(cases, members_of_a_dead_node_leave);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
