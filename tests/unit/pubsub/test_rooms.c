/* Members: joining, leaving, order, counts, state. */
#include "pubsub/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/pubsub/room_stage.h"
#include "unit/shard/shard_test.h"

/* Who joins between two events gets the snapshot, then only what came after it. */
START_TEST(join_between_events)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *first = actor_new(stage, 0, "first");
	struct actor *late = actor_new(stage, 1, "late");

	actor_join_with(first, "lobby", "{\"n\":0}");
	room_stage_run(stage);
	actor_set(first, "lobby", "{\"n\":1}");
	room_stage_run(stage);
	actor_join_with(late, "lobby", "{\"n\":9}");
	room_stage_run(stage);
	ck_assert_uint_eq(late->version, 1);
	actor_set(first, "lobby", "{\"n\":2}");
	actor_emit(first, "lobby", "msg:new", "{\"text\":\"yo\"}");
	room_stage_run(stage);

	actor_expect(first, "JOINED {\"n\":0}\n$sub:join {\"subscriberId\":\"late\",\"count\":2}\n");
	actor_expect(late, "JOINED {\"n\":1}\n$state:update {\"state\":{\"n\":2}}\nmsg:new {\"text\":\"yo\"}\n");
	ck_assert_uint_eq(room_view_member_count(first->member.view), 2);
	actor_free(first);
	room_stage_run(stage);
	actor_expect(late, "$sub:leave {\"subscriberId\":\"first\",\"count\":1}\n");
	ck_assert_uint_eq(room_view_member_count(late->member.view), 1);
	actor_free(late);
	room_stage_free(stage);
}
END_TEST

START_TEST(events_of_one_sender_stay_in_order)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *sender = actor_new(stage, 0, "sender");
	struct actor *receiver = actor_new(stage, 2, "receiver");
	struct buf expected;

	buf_init(&expected, SIZE_MAX);
	actor_join(sender, "lobby");
	actor_join(receiver, "lobby");
	room_stage_run(stage);
	buf_reset(&sender->diary, 0);
	buf_reset(&receiver->diary, 0);
	for (int i = 0; i < 100; i++) {
		char data[16];

		snprintf(data, sizeof data, "%d", i);
		actor_emit(sender, "lobby", "n", data);
		if (i % 7 == 0)
			room_stage_run(stage);
		buf_printf(&expected, "n %d\n", i);
	}
	room_stage_run(stage);
	buf_append_char(&expected, '\0');
	actor_expect(receiver, expected.ptr);
	actor_expect(sender, "");
	buf_deinit(&expected);
	actor_free(sender);
	actor_free(receiver);
	room_stage_free(stage);
}
END_TEST

/* Four members on three shards and two who emit at once: all see one order. */
START_TEST(all_members_see_one_order)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *members[4];

	for (unsigned i = 0; i < 4; i++) {
		members[i] = actor_new(stage, i % 3, "m");
		actor_join(members[i], "lobby");
	}
	room_stage_run(stage);
	for (unsigned i = 0; i < 4; i++)
		buf_reset(&members[i]->diary, 0);
	for (int n = 0; n < 50; n++) {
		stage_emit(stage, 0, "room", "lobby", "a", "1");
		stage_emit(stage, 1, "room", "lobby", "b", "2");
		stage_emit(stage, 2, "room", "lobby", "c", "3");
	}
	room_stage_run(stage);
	ck_assert_uint_eq(members[0]->diary.len, 150 * strlen("a 1\n"));
	for (unsigned i = 1; i < 4; i++)
		ck_assert(str_equal(buf_str(&members[i]->diary), buf_str(&members[0]->diary)));
	ck_assert_uint_eq(stage->encoded, 150 + 3); /* once per event, however many get it; and three saw others join */
	for (unsigned i = 0; i < 4; i++)
		actor_free(members[i]);
	room_stage_free(stage);
}
END_TEST

/* The same struct leaves and joins again at once: it is a new member, and the old one's answer finds nobody. */
START_TEST(leave_and_join_again_in_one_tick)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *other = actor_new(stage, 0, "other");
	struct actor *restless = actor_new(stage, 1, "restless");

	actor_join(other, "lobby");
	room_stage_run(stage);
	actor_join(restless, "lobby");
	actor_leave(restless);
	actor_join(restless, "lobby");
	actor_emit(restless, "lobby", "hello", "1");
	room_stage_run(stage);
	actor_expect(restless, "JOINED {}\n");
	actor_expect(other, "JOINED {}\n$sub:join {\"subscriberId\":\"restless\",\"count\":2}\n"
			    "$sub:leave {\"subscriberId\":\"restless\",\"count\":1}\n"
			    "$sub:join {\"subscriberId\":\"restless\",\"count\":2}\nhello 1\n");

	actor_leave(restless);
	actor_join(restless, "lobby");
	actor_leave(restless);
	room_stage_run(stage);
	actor_expect(restless, "");
	ck_assert_uint_eq(room_view_member_count(other->member.view), 1);
	actor_free(other);
	actor_free(restless);
	room_stage_free(stage);
}
END_TEST

START_TEST(joining_is_refused_politely)
{
	const struct rooms_options options = {.max_rooms = 1, .max_state_bytes = 100};
	struct room_stage *stage = room_stage_new(1, 0, &options);
	struct actor *actor = actor_new(stage, 0, "actor");
	struct actor *second = actor_new(stage, 0, "second");
	struct actor *third = actor_new(stage, 0, "third");

	stage_enter(stage->stage, 0);
	ck_assert_int_eq(rooms_join(stage->rooms[0], &actor->member, STR("no blanks"), NULL), -EINVAL);
	actor_join(actor, "one");
	ck_assert_int_eq(rooms_join(stage->rooms[0], &actor->member, STR("one"), NULL), -EALREADY);
	actor_join(second, "two");
	room_stage_run(stage);
	ck_assert_int_eq(rooms_join(stage->rooms[0], &actor->member, STR("one"), NULL), -EALREADY);
	actor_expect(actor, "JOINED {}\n");
	actor_expect(second, "REFUSED Room initialization failed\n");
	actor_join(third, "three");
	room_stage_run(stage);
	actor_expect(third, "REFUSED Room initialization failed\n");
	actor_free(third);
	/* A leave that crosses the refusal takes nobody else away. */
	actor_join(second, "two");
	actor_leave(second);
	actor_join(second, "one");
	room_stage_run(stage);
	actor_expect(second, "JOINED {}\n");
	ck_assert_uint_eq(room_view_member_count(actor->member.view), 2);
	actor_free(actor);
	actor_free(second);
	room_stage_free(stage);
}
END_TEST

START_TEST(names)
{
	char longest[65];

	memset(longest, 'x', sizeof longest);
	ck_assert(room_name_is_valid(STR("azAZ09_:.-")));
	ck_assert(room_name_is_valid((struct str){longest, 64}));
	ck_assert(!room_name_is_valid((struct str){longest, 65}));
	ck_assert(!room_name_is_valid(STR("")));
	ck_assert(!room_name_is_valid(STR("a b")));
	ck_assert(!room_name_is_valid(STR("a\n")));
	ck_assert(!room_name_is_valid(STR("caf\xc3\xa9")));
	ck_assert_uint_eq(rooms_home_shard(STR("room"), STR("lobby"), 1), 0);
	ck_assert_uint_lt(rooms_home_shard(STR("room"), STR("lobby"), 5), 5);
}
END_TEST

static unsigned homes_on(struct room_stage *stage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->shards; i++)
		count += rooms_home_count(stage->rooms[i]);
	return count;
}

/* Nobody in it: the room keeps its state for five minutes, and a join meanwhile keeps it for longer. */
START_TEST(empty_room_is_kept_for_a_while)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *actor = actor_new(stage, 1, "actor");

	actor_join_with(actor, "lobby", "{\"n\":1}");
	room_stage_run(stage);
	actor_leave(actor);
	room_stage_run(stage);
	stage_advance(stage->stage, 299000);
	ck_assert_uint_eq(homes_on(stage), 1);
	actor_join_with(actor, "lobby", "{\"n\":2}");
	stage_advance(stage->stage, 600000);
	ck_assert_uint_eq(homes_on(stage), 1);
	actor_leave(actor);
	stage_advance(stage->stage, 300000);
	ck_assert_uint_eq(homes_on(stage), 0);
	actor_join_with(actor, "lobby", "{\"n\":3}");
	room_stage_run(stage);
	actor_expect(actor, "JOINED {\"n\":1}\nJOINED {\"n\":1}\nJOINED {\"n\":3}\n");
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

START_TEST(unknown_rooms_swallow_and_are_not_made)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct answer set = {0};
	struct answer get = {0};
	const live_value *value = parse("{\"a\":1}");

	stage_emit(stage, 0, "room", "nowhere", "x", "1");
	stage_enter(stage->stage, 1);
	rooms_set_state(stage->rooms[1], STR("nowhere"), value, (struct room_origin){0}, answer_take, &set);
	rooms_get_state(stage->rooms[1], STR("nowhere"), answer_take, &get);
	room_stage_run(stage);
	ck_assert_str_eq(set.text, "error Room not found");
	ck_assert_str_eq(get.text, "ok {}");
	ck_assert_uint_eq(homes_on(stage), 0);
	ck_assert_ptr_null(rooms_find_view(stage->rooms[1], STR("room"), STR("nowhere")));
	live_value_unref(value);
	room_stage_free(stage);
}
END_TEST

START_TEST(answers_can_be_forgotten)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct answer kept = {0};
	struct answer forgotten = {0};

	stage_enter(stage->stage, 0);
	for (int i = 0; i < 10; i++) {
		rooms_get_state(stage->rooms[0], STR("lobby"), answer_take, &forgotten);
		rooms_get_state(stage->rooms[0], STR("lobby"), answer_take, &kept);
	}
	rooms_forget_answers(stage->rooms[0], &forgotten);
	room_stage_run(stage);
	ck_assert_uint_eq(kept.count, 10);
	ck_assert_uint_eq(forgotten.count, 0);
	room_stage_free(stage);
}
END_TEST

START_TEST(state_events_hold_only_what_changed)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *a = actor_new(stage, 0, "a");
	struct actor *b = actor_new(stage, 1, "b");

	actor_join_with(a, "lobby", "{\"x\":1,\"deep\":{\"p\":1,\"q\":2}}");
	room_stage_run(stage);
	actor_join(b, "lobby");
	room_stage_run(stage);
	actor_expect(b, "JOINED {\"x\":1,\"deep\":{\"p\":1,\"q\":2}}\n");
	actor_set(a, "lobby", "{\"x\":1}");
	actor_set(a, "lobby", "{\"x\":2,\"deep\":{\"p\":1,\"r\":null}}");
	room_stage_run(stage);
	actor_expect(b, "$state:update {\"state\":{\"x\":2,\"deep\":{\"q\":null}}}\n");
	ck_assert_uint_eq(room_view_version(a->member.view), 1); /* the one that changes nothing does not count */
	ck_assert(live_equal(room_view_state(a->member.view), room_view_state(b->member.view)));
	actor_free(a);
	actor_free(b);
	room_stage_free(stage);
}
END_TEST

static void set_by_client(struct room_stage *stage, struct str room_id, struct answer *answer)
{
	const live_value *value = parse("{\"by\":\"client\"}");

	stage_enter(stage->stage, 1);
	rooms_set_state_by_client(stage->rooms[1], room_id, value, (struct room_origin){0}, answer_take, answer);
	live_value_unref(value);
	room_stage_run(stage);
}

/* The room is as its first member wants it, whoever comes later. */
START_TEST(clients_set_no_state_that_is_the_servers)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *strict = actor_new(stage, 0, "strict"), *other = actor_new(stage, 1, "other");
	struct answer answer = {0};

	strict->member.is_server_only = true;
	actor_join(strict, "strict");
	set_by_client(stage, STR("strict"), &answer); /* it waits while the room opens */
	ck_assert_str_eq(answer.text, "error Room state is server-only");
	actor_join(other, "strict");
	room_stage_run(stage);
	set_by_client(stage, STR("strict"), &answer);
	ck_assert_str_eq(answer.text, "error Room state is server-only");
	actor_set(other, "strict", "{\"by\":\"server\"}");
	room_stage_run(stage);
	ck_assert(live_equal(room_view_state(strict->member.view), room_view_state(other->member.view)));
	ck_assert_str_eq(live_as_string(live_get(room_view_state(strict->member.view), "by")), "server");

	actor_leave(other);
	actor_leave(strict);
	actor_join(other, "open");
	room_stage_run(stage);
	actor_join(strict, "open");
	room_stage_run(stage);
	set_by_client(stage, STR("open"), &answer);
	ck_assert_str_eq(answer.text, "ok {\"by\":\"client\"}");
	actor_free(strict);
	actor_free(other);
	room_stage_free(stage);
}
END_TEST

START_TEST(state_has_a_limit)
{
	const struct rooms_options options = {.max_state_bytes = 40};
	struct room_stage *stage = room_stage_new(2, 0, &options);
	struct actor *actor = actor_new(stage, 1, "actor");
	struct answer answer = {0};
	const live_value *large = parse("{\"text\":\"0123456789012345678901234567890\"}"); /* 42 bytes */
	const live_value *fits = parse("{\"text\":\"01234567890123456789012345678\"}");    /* 40 bytes */

	actor_join(actor, "lobby");
	room_stage_run(stage);
	rooms_set_state(stage->rooms[1], STR("lobby"), large, (struct room_origin){0}, answer_take, &answer);
	room_stage_run(stage);
	ck_assert_str_eq(answer.text, "error Room state exceeds maximum size limit");
	rooms_set_state(stage->rooms[1], STR("lobby"), fits, (struct room_origin){0}, answer_take, &answer);
	room_stage_run(stage);
	ck_assert_str_eq(answer.text, "ok {\"text\":\"01234567890123456789012345678\"}");
	actor_expect(actor, "JOINED {}\n$state:update {\"state\":{\"text\":\"01234567890123456789012345678\"}}\n");
	live_value_unref(large);
	live_value_unref(fits);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

static const live_value *add(const live_value *state, const live_value *argument, const live_value **reply)
{
	int64_t sum = live_as_int(live_get(state, "n"), 0) + live_as_int(argument, 0);

	*reply = live_int(sum);
	return live_with(state, "n", live_int(sum));
}

static const live_value *look(const live_value *state, const live_value *argument, const live_value **reply)
{
	(void)argument;
	*reply = live_int((int64_t)live_len(state));
	return live_value_ref(state);
}

/* However the mail of the shards mixes, no update is lost. */
START_TEST(updates_are_never_lost)
{
	enum { SHARDS = 4, UPDATES = 50, ALL = SHARDS * UPDATES };
	struct room_stage *stage = room_stage_new(SHARDS, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	struct answer answer = {0};
	const live_value *one = live_int(1);

	actor_join(actor, "lobby");
	room_stage_run(stage);
	for (unsigned n = 0; n < UPDATES; n++) {
		for (unsigned i = 0; i < SHARDS; i++) {
			stage_enter(stage->stage, i);
			rooms_update(stage->rooms[i], STR("lobby"), add, one, (struct room_origin){0}, answer_take,
				     &answer);
		}
		if (n % 10 == 0)
			room_stage_run(stage);
	}
	room_stage_run(stage);
	ck_assert_uint_eq(answer.count, ALL);
	ck_assert_int_eq(live_as_int(live_get(actor->state, "n"), 0), ALL);
	stage_enter(stage->stage, 0);
	rooms_update(stage->rooms[0], STR("lobby"), look, NULL, (struct room_origin){0}, answer_take, &answer);
	room_stage_run(stage);
	ck_assert_str_eq(answer.text, "ok 1");
	ck_assert_uint_eq(room_view_version(actor->member.view), ALL);
	live_value_unref(one);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

static void leave_at_once(struct actor *self, const struct room_event *event)
{
	(void)event;
	actor_leave(self);
}

static struct actor *victim;

static void take_victim_along(struct actor *self, const struct room_event *event)
{
	(void)event;
	self->then = NULL;
	actor_leave(victim);
	actor_join(victim, "lobby");
	actor_emit(self, "lobby", "echo", "2");
}

/* A delivery may change who is a member; the view stays good, and who left gets nothing. */
START_TEST(members_may_go_during_a_delivery)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct actor *a = actor_new(stage, 0, "a");
	struct actor *b = actor_new(stage, 0, "b");

	actor_join(a, "lobby");
	room_stage_run(stage);
	a->then = leave_at_once;
	stage_emit(stage, 0, "room", "lobby", "x", "1");
	room_stage_run(stage);
	actor_expect(a, "JOINED {}\nx 1\n");
	a->then = NULL;
	actor_join(a, "lobby");
	room_stage_run(stage);
	actor_join(b, "lobby");
	room_stage_run(stage);
	buf_reset(&a->diary, 0);
	victim = a;
	b->then = take_victim_along; /* the second one removes the first, who had the event */
	stage_emit(stage, 0, "room", "lobby", "x", "1");
	room_stage_run(stage);
	actor_expect(a, "x 1\nJOINED {}\necho 2\n");
	actor_free(a);
	actor_free(b);
	room_stage_free(stage);
}
END_TEST

struct listing {
	unsigned rooms;
	unsigned members;
};

static void list_room(void *context, const struct room_stats *stats)
{
	struct listing *listing = context;

	ck_assert(str_starts_with(stats->id, STR("room-")));
	ck_assert_int_eq(stats->created_ms, STAGE_WALL_MS);
	listing->rooms++;
	listing->members += stats->members;
}

START_TEST(figures)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *actors[6];
	struct listing listing = {0};

	for (unsigned i = 0; i < 6; i++) {
		char room_id[16];

		snprintf(room_id, sizeof room_id, "room-%u", i / 2);
		actors[i] = actor_new(stage, i % 3, "a");
		actor_join(actors[i], room_id);
	}
	room_stage_run(stage);
	for (unsigned i = 0; i < 3; i++)
		rooms_each_home(stage->rooms[i], list_room, &listing);
	ck_assert_uint_eq(listing.rooms, 3);
	ck_assert_uint_eq(listing.members, 6);
	ck_assert_uint_eq(homes_on(stage), 3);
	for (unsigned i = 0; i < 6; i++)
		actor_free(actors[i]);
	room_stage_free(stage);
}
END_TEST

/* All kinds of mail are under way, and then everything ends. */
START_TEST(nothing_is_left_behind_at_the_end)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	struct answer answer = {0};

	stage->manner = ADAPTER_SILENT;
	actor_join_with(actor, "silent", "{\"a\":[1,2,3]}");
	room_stage_run(stage);
	actor_emit(actor, "silent", "x", "{}");
	actor_set(actor, "silent", "{\"b\":1}");
	room_stage_run(stage);
	for (unsigned i = 0; i < 3; i++) {
		stage_enter(stage->stage, i);
		stage_emit(stage, i, "room", "silent", "x", "[1]");
		rooms_get_state(stage->rooms[i], STR("silent"), answer_take, &answer);
		rooms_update(stage->rooms[i], STR("other"), add, NULL, (struct room_origin){0}, answer_take, &answer);
	}
	actor_free(actor);
	room_stage_free(stage);
	ck_assert_uint_eq(answer.count, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, join_between_events);
	tcase_add_test(tests, events_of_one_sender_stay_in_order);
	tcase_add_test(tests, all_members_see_one_order);
	tcase_add_test(tests, leave_and_join_again_in_one_tick);
	tcase_add_test(tests, joining_is_refused_politely);
	tcase_add_test(tests, names);
	tcase_add_test(tests, empty_room_is_kept_for_a_while);
	tcase_add_test(tests, unknown_rooms_swallow_and_are_not_made);
	tcase_add_test(tests, answers_can_be_forgotten);
	tcase_add_test(tests, state_events_hold_only_what_changed);
	tcase_add_test(tests, clients_set_no_state_that_is_the_servers);
	tcase_add_test(tests, state_has_a_limit);
	tcase_add_test(tests, updates_are_never_lost);
	tcase_add_test(tests, members_may_go_during_a_delivery);
	tcase_add_test(tests, figures);
	tcase_add_test(tests, nothing_is_left_behind_at_the_end);
}

int main(void)
{
	return run_case("rooms", add_tests);
}
