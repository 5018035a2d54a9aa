/*
 * Rooms and the event bus, asked by the program.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static void echo(live_component *self, const char *event, const live_value *data)
{
	live_emit_room_event(self, "echo", live_object("event", live_string(event), "data", live_value_ref(data), NULL),
			     false);
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	if (live_room(self))
		live_on_room_event(self, "call", echo);
	return 0;
}

static const live_definition member = {.name = "Member", .default_state = "{}", .on_mount = on_mount};

static struct embed_stage *stage;
static live_server *server;

static void begin(void)
{
	stage = embed_stage_new((const live_definition *[]){&member, NULL});
	server = embed_stage_server(stage);
	embed_stage_start(stage);
}

static void finish(void)
{
	embed_stage_free(stage);
}

/* ---- what the program hears ---- */

struct heard {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char log[4096];
};

static void hear(void *argument, const char *room, const char *event, const live_value *data)
{
	struct heard *heard = argument;
	char *text = live_to_json(data, NULL);

	pthread_mutex_lock(&heard->lock);
	size_t len = strlen(heard->log);
	snprintf(heard->log + len, sizeof heard->log - len, "%s %s %s\n", room, event, text);
	pthread_cond_broadcast(&heard->changed);
	pthread_mutex_unlock(&heard->lock);
	free(text);
}

static void expect_heard(struct heard *heard, const char *line)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&heard->lock);
	while (!strstr(heard->log, line))
		if (pthread_cond_timedwait(&heard->changed, &heard->lock, &until))
			break;
	if (!strstr(heard->log, line))
		fprintf(stderr, "heard only:\n%s", heard->log);
	ck_assert_ptr_nonnull(strstr(heard->log, line));
	pthread_mutex_unlock(&heard->lock);
}

static struct heard heard_new(void)
{
	return (struct heard){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

/* The program hears a room that it is no member of: before it is there, while it is, and when it came anew. */
START_TEST(listening_to_rooms)
{
	begin();
	struct heard heard = heard_new(), only_hi = heard_new();
	live_subscription *all = live_events_on(server, "room", "lobby", "*", hear, &heard);
	live_subscription *some = live_events_on(server, "room", "lobby", "hi", hear, &only_hi);
	EMBED_EXPECT("{'totalSubscriptions':2,'rooms':{'room:lobby':{'events':{'*':1,'hi':1}}}}",
		     live_events_stats(server, live_wait_done, W));
	for (int round = 0; round < 2; round++) {
		char line[128];
		struct embed_client *ana = embed_client_new(stage, NULL, NULL);
		const char *id = embed_client_mount(ana, "Member", NULL);
		embed_client_ask(ana, "'type':'ROOM_JOIN','componentId':'%s','roomId':'lobby'", id);
		embed_client_send(
			ana,
			"{'type':'ROOM_EMIT','componentId':'%s','roomId':'lobby','payload':{'event':'hi','data':%d}}",
			id, round);
		snprintf(line, sizeof line, "lobby hi %d\n", round);
		expect_heard(&heard, line);
		expect_heard(&only_hi, line);
		embed_client_send(
			ana,
			"{'type':'ROOM_STATE_SET','componentId':'%s','roomId':'lobby','payload':{'state':{'n':%d}}}",
			id, round + 1);
		snprintf(line, sizeof line, "lobby $state:update {\"state\":{\"n\":%d}}\n", round + 1);
		expect_heard(&heard, line);
		ck_assert_ptr_null(strstr(only_hi.log, "$state"));
		live_value_unref(EMBED_ANSWER(live_room_manager_members(server, "lobby", live_wait_done, W)));
		embed_client_ask(ana, "'type':'ROOM_LEAVE','componentId':'%s','roomId':'lobby'", id);
		/* The leave is answered before it has reached the room's home. */
		for (bool is_gone = false; !is_gone;) {
			const live_value *answer =
				EMBED_ANSWER(live_room_states_delete(server, "lobby", live_wait_done, W));
			is_gone = live_as_bool(answer);
			live_value_unref(answer);
		}
		EMBED_EXPECT("false", live_room_states_has(server, "lobby", live_wait_done, W));
	}
	live_value_unref(EMBED_ANSWER(live_events_off(some, live_wait_done, W)));
	EMBED_EXPECT("1", live_events_clear(server, "room", "lobby", live_wait_done, W));
	EMBED_EXPECT("{'totalSubscriptions':0,'rooms':{}}", live_events_stats(server, live_wait_done, W));
	live_value_unref(EMBED_ANSWER(live_events_off(all, live_wait_done, W)));
	finish();
}
END_TEST

/* On the bus the program and components talk, and clients hear nothing. */
START_TEST(event_bus)
{
	begin();
	struct heard heard = heard_new();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	embed_client_mount(ana, "Member", "den");
	live_subscription *on = live_events_on(server, "default", "den", "echo", hear, &heard);
	EMBED_EXPECT("{'totalSubscriptions':1,'rooms':{'default:den':{'events':{'echo':1}}}}",
		     live_events_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_events_emit(server, "default", "den", "call", live_int(5)), 0);
	expect_heard(&heard, "den echo {\"event\":\"call\",\"data\":5}\n");
	live_events_off(on, NULL, NULL);
	/* One that is still there when the server ends. */
	on = live_events_on(server, "default", "den", "echo", hear, &heard);
	live_server_shutdown(server, 100);
	live_events_off(on, NULL, NULL);
	ck_assert_ptr_null(live_events_on(server, "default", "den", "echo", hear, &heard));
	ck_assert_int_eq(live_events_emit(server, "default", "den", "call", NULL), -ENOTCONN);
	finish();
}
END_TEST

START_TEST(manager)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL), *bob = embed_client_new(stage, NULL, NULL);
	const char *a = embed_client_mount(ana, "Member", NULL), *b = embed_client_mount(bob, "Member", NULL);
	EMBED_EXPECT("true", live_room_manager_join(server, a, "hall", live_object("topic", live_string("x"), NULL),
						    live_wait_done, W));
	EMBED_EXPECT("false", live_room_manager_join(server, a, "hall", NULL, live_wait_done, W));
	EMBED_EXPECT("true", live_room_manager_join(server, b, "hall", NULL, live_wait_done, W));
	EMBED_EXPECT("true", live_room_manager_is_member(server, a, "hall", live_wait_done, W));
	EMBED_EXPECT("false", live_room_manager_is_member(server, a, "other", live_wait_done, W));
	EMBED_EXPECT("['hall']", live_room_manager_rooms_of(server, b, live_wait_done, W));
	/* The state comes from the room's home, behind both joins. */
	EMBED_EXPECT("{'topic':'x'}", live_room_states_get(server, "hall", live_wait_done, W));
	embed_client_wait(ana, "event", "$sub:join");
	const live_value *members = EMBED_ANSWER(live_room_manager_members(server, "hall", live_wait_done, W));
	ck_assert_uint_ge(live_len(members), 1);
	live_value_unref(members);
	ck_assert_int_eq(live_room_manager_emit(server, "hall", "news", live_string("all")), 0);
	embed_client_wait(ana, "event", "news");
	embed_client_wait(bob, "event", "news");
	ck_assert_int_eq(live_room_manager_emit(server, "no hall", "news", NULL), -EINVAL);
	const live_value *stats = EMBED_ANSWER(live_room_manager_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_as_int(live_get(stats, "totalRooms"), 0), 1);
	ck_assert_int_eq(live_as_int(live_path(stats, "rooms.hall.members"), 0), 2);
	live_value_unref(stats);
	EMBED_EXPECT("true", live_room_manager_leave(server, a, "hall", live_wait_done, W));
	EMBED_EXPECT("false", live_room_manager_leave(server, a, "hall", live_wait_done, W));
	ck_assert_str_eq(EMBED_ERROR(live_room_manager_join(server, a, "no hall", NULL, live_wait_done, W)),
			 "Invalid room name");
	ck_assert_str_eq(EMBED_ERROR(live_room_manager_join(server, "x", "hall", NULL, live_wait_done, W)),
			 "Component not found");
	finish();
}
END_TEST

static const live_value *add_one(const live_value *state, const live_value *argument, const live_value **result)
{
	int64_t sum = live_as_int(live_get(state, "n"), 0) + live_as_int(argument, 0);

	*result = live_int(sum);
	return live_with(state, "n", live_int(sum));
}

START_TEST(states)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Member", NULL);
	EMBED_EXPECT("{}", live_room_states_get(server, "hall", live_wait_done, W));
	EMBED_EXPECT("false", live_room_states_has(server, "hall", live_wait_done, W));
	EMBED_EXPECT("false", live_room_states_delete(server, "hall", live_wait_done, W));
	ck_assert_str_eq(EMBED_ERROR(live_room_states_update(server, "hall", live_object("n", live_int(1), NULL),
							     live_wait_done, W)),
			 "Room not found");
	embed_client_ask(ana, "'type':'ROOM_JOIN','componentId':'%s','roomId':'hall'", id);
	EMBED_EXPECT("true", live_room_states_has(server, "hall", live_wait_done, W));
	EMBED_EXPECT("{'n':1}",
		     live_room_states_update(server, "hall", live_object("n", live_int(1), NULL), live_wait_done, W));
	EMBED_EXPECT("42", live_room_states_change(server, "hall", add_one, live_int(41), live_wait_done, W));
	EMBED_EXPECT("{'m':1,'n':null}",
		     live_room_states_set(server, "hall", live_object("m", live_int(1), NULL), live_wait_done, W));
	embed_client_wait(ana, "event", "$state:update");
	EMBED_EXPECT("{'totalRooms':1,'rooms':{'hall':{'componentCount':1,'stateKeys':['n','m']}}}",
		     live_room_states_stats(server, live_wait_done, W));
	EMBED_EXPECT("false", live_room_states_delete(server, "hall", live_wait_done, W)); /* somebody is in it */
	finish();
}
END_TEST

CORE_TESTS("rooms", listening_to_rooms, event_bus, manager, states)
