/* Opening through the adapter, which may answer late, never or twice, and what other nodes say. */
#include "pubsub/adapter.h"

#include <stdio.h>
#include <stdlib.h>

#include "pubsub/memory_adapter.h"
#include "pubsub/room_key.h"
#include "unit/pubsub/room_stage.h"
#include "unit/shard/shard_test.h"

static unsigned home_of(struct room_stage *stage, const char *room_id)
{
	return rooms_home_shard(STR("room"), str_of(room_id), stage->shards);
}

/* The rooms of the shard that is home of the room, entered. */
static struct rooms *home_rooms(struct room_stage *stage, const char *room_id)
{
	stage_enter(stage->stage, home_of(stage, room_id));
	return stage->rooms[home_of(stage, room_id)];
}

static void relay(struct room_stage *stage, const char *room_id, struct room_event *event)
{
	event->type = STR("room");
	event->room_id = str_of(room_id);
	rooms_adapter_event(home_rooms(stage, room_id), event);
}

START_TEST(adapter_hears_what_happens)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");

	actor_join_with(actor, "lobby", "{\"seed\":1}");
	room_stage_run(stage);
	actor_emit(actor, "lobby", "x", "[1]");
	actor_set(actor, "lobby", "{\"n\":1}");
	stage_emit(stage, 0, "default", "lobby", "bus", "1");
	actor_leave(actor);
	room_stage_run(stage);
	stage_advance(stage->stage, 300000);
	stage_expect_adapter(stage,
			     "open lobby\npublish $state:update {\"state\":{\"seed\":1}}\njoin actor\n"
			     "publish x [1]\npublish $state:update {\"state\":{\"n\":1}}\nleave actor\nclose lobby\n");
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

START_TEST(stored_state_wins_over_initial_state)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 1, "actor");

	stage->stored = parse("{\"stored\":true}");
	stage->manner = ADAPTER_TWICE;
	actor_join_with(actor, "lobby", "{\"seed\":1}");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"stored\":true}\n");
	stage_expect_adapter(stage, "open lobby\njoin actor\n");
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

/* What comes while a room opens waits, in order. */
START_TEST(late_answer)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *a = actor_new(stage, 0, "a");
	struct actor *b = actor_new(stage, 0, "b");
	struct actor *gone = actor_new(stage, 0, "gone");
	struct answer answer = {0};
	const live_value *stored = parse("{\"n\":1}");
	struct room_event event = {.name = STR("far"), .data = STR("3")};

	stage->manner = ADAPTER_SILENT;
	actor_join(gone, "lobby");
	actor_join(a, "lobby");
	actor_emit(b, "lobby", "x", "1");
	actor_set(b, "lobby", "{\"n\":2}");
	actor_join(b, "lobby");
	actor_leave(gone);
	rooms_get_state(stage->rooms[0], STR("lobby"), answer_take, &answer);
	room_stage_run(stage);
	relay(stage, "lobby", &event);
	room_stage_run(stage);
	actor_expect(a, "");
	ck_assert_uint_eq(answer.count, 0);

	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), stored);
	room_stage_run(stage);
	actor_expect(a, "JOINED {\"n\":1}\nx 1\n$state:update {\"state\":{\"n\":2}}\n"
			"$sub:join {\"subscriberId\":\"b\",\"count\":2}\nfar 3\n");
	actor_expect(b, "JOINED {\"n\":2}\nfar 3\n");
	actor_expect(gone, "");
	ck_assert_str_eq(answer.text, "ok {\"n\":2}");
	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), NULL); /* nothing comes of it */
	room_stage_run(stage);
	live_value_unref(stored);
	actor_free(a);
	actor_free(b);
	actor_free(gone);
	room_stage_free(stage);
}
END_TEST

START_TEST(no_answer_opens_the_room_after_a_while)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	const live_value *stored = parse("{\"stored\":true}");

	stage->manner = ADAPTER_SILENT;
	actor_join_with(actor, "lobby", "{\"seed\":1}");
	room_stage_run(stage);
	actor_expect(actor, "");
	stage_advance(stage->stage, 5000);
	actor_expect(actor, "JOINED {\"seed\":1}\n");
	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), stored); /* too late */
	rooms_adapter_opened(home_rooms(stage, "nowhere"), STR("nowhere"), stored);
	room_stage_run(stage);
	actor_expect(actor, "");
	live_value_unref(stored);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

/* A state from elsewhere: members hear what leads to it, in two steps where an object with nulls takes another's place.
 */
START_TEST(adopts_a_state)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	const live_value *state = parse("{\"a\":{\"x\":{\"n\":null}},\"b\":2}");
	struct rooms *home = home_rooms(stage, "lobby");

	actor_join_with(actor, "lobby", "{\"a\":{\"x\":{\"m\":1}},\"b\":1,\"c\":1}");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"a\":{\"x\":{\"m\":1}},\"b\":1,\"c\":1}\n");
	shard_enter(rooms_shard(home));
	ck_assert_int_eq(rooms_adapter_adopt(home, STR("lobby"), state, NULL, STAGE_WALL_MS), 0);
	ck_assert_int_eq(rooms_adapter_adopt(home, STR("lobby"), state, NULL, STAGE_WALL_MS), 0);
	shard_enter(NULL);
	room_stage_run(stage);
	actor_expect(actor, "$state:update {\"state\":{\"a\":{\"x\":null}}}\n"
			    "$state:update {\"state\":{\"a\":{\"x\":{\"n\":null}},\"b\":2,\"c\":null}}\n");
	live_value_unref(state);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

/* All who wanted in are gone before the room is open: it opens all the same, and is kept and closed as others are. */
START_TEST(opens_for_nobody)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *a = actor_new(stage, 0, "a");
	struct actor *b = actor_new(stage, 1, "b");

	stage->manner = ADAPTER_SILENT;
	actor_join_with(a, "lobby", "{\"n\":1}");
	room_stage_run(stage);
	actor_join_with(b, "lobby", "{\"n\":2}");
	room_stage_run(stage);
	actor_leave(b);
	actor_leave(a);
	room_stage_run(stage);
	actor_join(b, "lobby");
	actor_leave(b);
	room_stage_run(stage);
	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), NULL);
	stage_advance(stage->stage, 299999);
	ck_assert_uint_eq(rooms_home_count(home_rooms(stage, "lobby")), 1);
	stage_advance(stage->stage, 1);
	ck_assert_uint_eq(rooms_home_count(home_rooms(stage, "lobby")), 0);
	stage_expect_adapter(stage, "open lobby\npublish $state:update {\"state\":{\"n\":1}}\nclose lobby\n");
	actor_free(a);
	actor_free(b);
	room_stage_free(stage);
}
END_TEST

/* Only so much waits while a room opens; the rest is refused, and the counts stay right. */
START_TEST(waiting_is_bounded)
{
	enum { ACTORS = 1100, PLACES = 1024 };
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor **actors = calloc(ACTORS, sizeof *actors);
	struct answer answer = {0};
	unsigned refused = 0;

	stage->manner = ADAPTER_SILENT;
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i] = actor_new(stage, 1, "a");
		actor_join(actors[i], "lobby");
	}
	rooms_get_state(stage->rooms[1], STR("lobby"), answer_take, &answer);
	actor_leave(actors[ACTORS - 1]); /* which was refused, or will be */
	room_stage_run(stage);
	ck_assert_str_eq(answer.text, "error Room initialization failed");
	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), NULL);
	room_stage_run(stage);
	for (unsigned i = 0; i < ACTORS; i++)
		refused += actors[i]->refused;
	ck_assert_uint_eq(refused, ACTORS - 1 - PLACES);
	ck_assert_uint_eq(counter_read(&rooms_counters(home_rooms(stage, "lobby"))->refused), ACTORS + 1 - PLACES);
	ck_assert_uint_eq(room_view_member_count(actors[0]->member.view), PLACES);
	for (unsigned i = 0; i < ACTORS; i++)
		actor_free(actors[i]);
	room_stage_free(stage);
	free(actors);
}
END_TEST

START_TEST(waiting_bytes_are_bounded)
{
	const struct rooms_options options = {.max_state_bytes = 100};
	struct room_stage *stage = room_stage_new(1, 0, &options);
	struct actor *actor = actor_new(stage, 0, "actor");

	stage->manner = ADAPTER_SILENT;
	actor_join(actor, "lobby");
	actor_emit(actor, "lobby", "x", "\"a text of sixty bytes, so that two of them are over the hundred\"");
	for (int i = 0; i < 3; i++)
		stage_emit(stage, 0, "room", "lobby", "x",
			   "\"a text of sixty bytes, so that two of them are too many\"");
	room_stage_run(stage);
	rooms_adapter_opened(home_rooms(stage, "lobby"), STR("lobby"), NULL);
	room_stage_run(stage);
	/* The first of the three had no place beside the actor's own. */
	actor_expect(actor, "JOINED {}\n");
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

START_TEST(an_initial_state_that_is_too_long_makes_no_room)
{
	const struct rooms_options options = {.max_state_bytes = 10};
	struct room_stage *stage = room_stage_new(1, 0, &options);
	struct actor *actor = actor_new(stage, 0, "actor");

	actor_join_with(actor, "lobby", "{\"text\":\"0123456789\"}");
	room_stage_run(stage);
	actor_expect(actor, "REFUSED Room initialization failed\n");
	ck_assert_uint_eq(rooms_home_count(stage->rooms[0]), 0);
	actor_join_with(actor, "lobby", "[1]");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {}\n");
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

/* Events of other nodes reach members here and are not told to other nodes again. */
START_TEST(other_nodes_are_relayed)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	const live_value *changes = parse("{\"n\":{\"a\":null,\"b\":2}}");
	const live_value *none = parse("{}");
	struct room_event custom = {.name = STR("x"), .data = STR("1")};
	struct room_event system = {
		.kind = ROOM_EVENT_SYSTEM, .name = STR("$sub:join"), .data = STR("{\"subscriberId\":\"far\"}")};
	struct room_event state = {.kind = ROOM_EVENT_STATE, .name = STR("$state:update"), .changes = changes};

	actor_join_with(actor, "lobby", "{\"n\":{\"a\":1}}");
	room_stage_run(stage);
	buf_reset(&stage->adapter_diary, 0);
	relay(stage, "lobby", &custom);
	relay(stage, "lobby", &system);
	relay(stage, "lobby", &state);
	relay(stage, "nowhere", &custom);
	state.changes = none;
	relay(stage, "lobby", &state);
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"n\":{\"a\":1}}\nx 1\n$sub:join {\"subscriberId\":\"far\"}\n"
			    "$state:update {\"state\":{\"n\":{\"a\":null,\"b\":2}}}\n");
	stage_expect_adapter(stage, "");
	const live_value *expected = parse("{\"n\":{\"b\":2}}");
	ck_assert(live_equal(room_view_state(actor->member.view), expected));
	live_value_unref(expected);
	live_value_unref(changes);
	live_value_unref(none);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

START_TEST(memory_adapter_opens_at_once)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	const struct room_event event = {.name = STR("x")};

	stage->adapter.ops = memory_adapter()->ops;
	actor_join_with(actor, "lobby", "{\"n\":1}");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"n\":1}\n");
	memory_adapter()->ops->remove(memory_adapter(), stage->rooms[0], STR("lobby"));
	memory_adapter()->ops->publish_event(memory_adapter(), stage->rooms[0], &event);
	actor_leave(actor);
	stage_advance(stage->stage, 300000);
	ck_assert_uint_eq(rooms_home_count(stage->rooms[0]), 0);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

/* Names that only together are the same are not mixed up. */
START_TEST(keys_are_unambiguous)
{
	char a[16];
	char b[16];
	struct str one = room_key_write(a, STR("ab"), STR("c"));
	struct str two = room_key_write(b, STR("a"), STR("bc"));

	ck_assert(!str_equal(one, two));
	ck_assert(str_equal(room_key_type(one), STR("ab")));
	ck_assert(str_equal(room_key_id(two), STR("bc")));
	ck_assert(!room_key_is_room(one));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, adapter_hears_what_happens);
	tcase_add_test(tests, stored_state_wins_over_initial_state);
	tcase_add_test(tests, late_answer);
	tcase_add_test(tests, no_answer_opens_the_room_after_a_while);
	tcase_add_test(tests, opens_for_nobody);
	tcase_add_test(tests, adopts_a_state);
	tcase_add_test(tests, waiting_is_bounded);
	tcase_add_test(tests, waiting_bytes_are_bounded);
	tcase_add_test(tests, an_initial_state_that_is_too_long_makes_no_room);
	tcase_add_test(tests, other_nodes_are_relayed);
	tcase_add_test(tests, memory_adapter_opens_at_once);
	tcase_add_test(tests, keys_are_unambiguous);
}

int main(void)
{
	return run_case("room_adapter", add_tests);
}
