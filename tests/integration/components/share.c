/*
 * Share - increments in the state of the room that it was mounted with, for tests/chaos.sh. What it did itself is in
 * its own state, which its client gets back by signature.
 */
#include "chaos_count.h"

static const live_value *add_at_home(const live_value *state, const live_value *payload, const live_value **result)
{
	return count_one(state, payload, result);
}

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	live_set(self, "mine", live_int(live_get_int(self, "mine") + 1));
	return live_room_update(self, NULL, add_at_home, live_value_ref(payload), reply);
}

/* Tells the others in the room, each of whom must hear it once. */
static int tell(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	return live_room_emit(self, NULL, "told", live_value_ref(payload));
}

/* What this node shows of the room. */
static int read_room(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_object("state", live_value_ref(live_room_state(self, NULL)), "members",
					    live_int(live_room_members(self, NULL)), NULL));
	return 0;
}

static int on_mount(live_component *self, live_reply *reply)
{
	(void)reply;
	return live_room_join(self, NULL, live_object("begun", live_bool(true), NULL));
}

LIVE_COMPONENT{
	.name = "Share",
	.default_state = LIVE_JSON({"mine" : 0}),
	.actions = LIVE_ACTIONS({"add", add}, {"tell", tell}, {"read", read_room}),
	.on_mount = on_mount,
};
