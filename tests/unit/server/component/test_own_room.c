/* A component changes its own room: membership, broadcasts, the bus and what pushes name go with it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

static void note(live_component *self, const char *what, const char *room)
{
	const live_value *log = live_append(live_state_get(self, "log"), live_stringf("%s %s", what, room));

	live_set(self, "log", log);
}

static void on_room_join(live_component *self, const char *room)
{
	note(self, "in", room);
}

static void on_room_leave(live_component *self, const char *room)
{
	note(self, "out", room);
}

static void on_tick(live_component *self, const char *event, const live_value *data)
{
	(void)event;
	live_set(self, "heard", live_value_ref(data));
}

static int enter(live_component *self, const live_value *payload, live_reply *reply)
{
	int rc = live_subscribe_to_room(self, live_as_string(live_get(payload, "room")));

	if (rc == 0)
		rc = live_on_room_event(self, "tick", on_tick);
	live_reply_value(reply, live_int(rc));
	return 0;
}

static int go(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_int(live_unsubscribe_from_room(self)));
	return 0;
}

/* Broadcasts and emits, and says where. */
static int shout(live_component *self, const live_value *payload, live_reply *reply)
{
	int rc = live_broadcast(self, "shout", live_value_ref(live_get(payload, "text")), false);
	int also = live_emit_room_event(self, "tick", live_value_ref(live_get(payload, "text")), false);

	ck_assert_int_eq(rc, also);
	live_reply_value(reply, rc < 0 ? live_int(rc) : live_string(live_room(self)));
	return 0;
}

static const live_definition nomad = {
	.name = "Nomad",
	.default_state = "{\"log\":[],\"heard\":null}",
	.actions = LIVE_ACTIONS({"enter", enter}, {"go", go}, {"shout", shout}),
	.on_room_join = on_room_join,
	.on_room_leave = on_room_leave,
};
static const live_definition tribe = {
	.name = "Tribe",
	.default_state = "{\"log\":[],\"heard\":null}",
	.singleton = true,
	.actions = LIVE_ACTIONS({"enter", enter}, {"go", go}, {"shout", shout}),
};

static const live_value *call(struct stage_client *client, const char *id, const char *action, const char *payload)
{
	const live_value *reply = stage_client_ask(
		client, "'type':'CALL_ACTION','componentId':'%s','action':'%s','payload':%s,'expectResponse':true", id,
		action, payload);

	ck_assert_str_eq(stage_text(reply, "type"), "ACTION_RESPONSE");
	return live_get(reply, "result");
}

static void expect_state(struct stage_client *client, const char *id, const char *text)
{
	const live_value *state = stage_client_state(client, id), *log = live_get(state, "log");
	char *have = live_to_json(log, NULL);

	ck_assert_str_eq(have, text);
	free(have);
	live_value_unref(state);
}

/* The text that a component has heard on the bus last. */
static void expect_heard(struct stage_client *client, const char *id, const char *text)
{
	const live_value *state = stage_client_state(client, id);

	ck_assert_str_eq(stage_text(state, "heard"), text);
	live_value_unref(state);
}

START_TEST(test_switching)
{
	struct component_stage *stage = component_stage_new(2, 1, (const live_definition *[]){&nomad, NULL});
	struct stage_client *ana = stage_client_new(stage, 0), *ben = stage_client_new(stage, 1);
	char a[64], b[64];
	snprintf(a, sizeof a, "%s", stage_client_mount(ana, "room=north Nomad", "{}"));
	snprintf(b, sizeof b, "%s", stage_client_mount(ben, "Nomad", "{}"));

	ck_assert_int_eq(live_as_int(call(ben, b, "shout", "{'text':'nobody'}"), 0), -EINVAL);
	ck_assert_int_eq(live_as_int(call(ben, b, "go", "{}"), 0), -EINVAL);
	ck_assert_int_eq(live_as_int(call(ben, b, "enter", "{'room':'no spaces'}"), 0), -EINVAL);
	ck_assert_int_eq(live_as_int(call(ben, b, "enter", "{'room':null}"), 0), -EINVAL);
	ck_assert_int_eq(live_as_int(call(ben, b, "enter", "{'room':'north'}"), -1), 0);
	ck_assert_str_eq(live_as_string(call(ana, a, "shout", "{'text':'one'}")), "north");
	const live_value *push = stage_client_wait(ben, "BROADCAST");
	ck_assert_str_eq(stage_text(push, "room"), "north");
	ck_assert_str_eq(stage_text(push, "payload.data"), "one");
	expect_heard(ben, b, "one");

	/* Elsewhere, by way of the same tick: what it says there is not heard here, and the other way round. */
	ck_assert_int_eq(live_as_int(call(ana, a, "enter", "{'room':'south'}"), -1), 0);
	ck_assert_str_eq(live_as_string(call(ana, a, "shout", "{'text':'two'}")), "south");
	ck_assert_str_eq(live_as_string(call(ben, b, "shout", "{'text':'three'}")), "north");
	component_stage_run(stage);
	ck_assert_uint_eq(stage_client_count(ana, "BROADCAST"), 2);
	ck_assert_uint_eq(stage_client_count(ben, "BROADCAST"), 2);
	expect_heard(ben, b, "one");
	expect_state(ana, a, "[\"in north\",\"out north\",\"in south\"]");
	expect_state(ben, b, "[\"in north\"]");

	/* Once more into the same room is nothing; without one there is silence. */
	ck_assert_int_eq(live_as_int(call(ana, a, "enter", "{'room':'south'}"), -1), 0);
	ck_assert_int_eq(live_as_int(call(ana, a, "go", "{}"), -1), 0);
	ck_assert_int_eq(live_as_int(call(ana, a, "shout", "{'text':'four'}"), 0), -EINVAL);
	expect_state(ana, a, "[\"in north\",\"out north\",\"in south\",\"out south\"]");
	component_stage_free(stage);
}
END_TEST

/* A singleton's clients are told of its room as well. */
START_TEST(test_singleton)
{
	struct component_stage *stage = component_stage_new(4, 1, (const live_definition *[]){&tribe, NULL});
	struct stage_client *ana = stage_client_new(stage, 0), *ben = stage_client_new(stage, 1);
	char id[64];
	snprintf(id, sizeof id, "%s", stage_client_mount(ana, "Tribe", "{}"));
	ck_assert_str_eq(stage_client_mount(ben, "Tribe", "{}"), id);

	for (unsigned round = 0; round < 3; round++) {
		ck_assert_int_eq(live_as_int(call(ana, id, "enter", "{'room':'camp'}"), -1), 0);
		ck_assert_str_eq(live_as_string(call(ben, id, "shout", "{'text':'all'}")), "camp");
		ck_assert_str_eq(stage_text(stage_client_wait(ana, "BROADCAST"), "room"), "camp");
		ck_assert_str_eq(stage_text(stage_client_wait(ben, "BROADCAST"), "room"), "camp");
		ck_assert_int_eq(live_as_int(call(ben, id, "go", "{}"), -1), 0);
	}
	ck_assert_int_eq(live_as_int(call(ana, id, "enter", "{'room':'camp'}"), -1), 0);
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("own_room", test_switching, test_singleton)
