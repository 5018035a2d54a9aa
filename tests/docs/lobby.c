#include <live/live.h>

#define ROOM "lobby"

static int say(live_component *self, const live_value *payload, live_reply *reply)
{
	const char *text = live_as_string(live_get(payload, "text"));

	if (!text)
		return live_reply_error(reply, "text must be a string");
	return live_room_emit(self, ROOM, "said", live_object("text", live_string(text), NULL));
}

static void on_said(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room, (void)event;
	live_set(self, "heard", live_value_ref(live_get(data, "text")));
}

static void on_people(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room, (void)event;
	live_set(self, "people", live_value_ref(live_get(data, "count")));
}

static void on_room_join(live_component *self, const char *room)
{
	live_set(self, "people", live_int(live_room_members(self, room)));
}

static int on_mount(live_component *self, live_reply *reply)
{
	int rc = live_room_join(self, ROOM, NULL);

	if (rc == 0)
		rc = live_room_on(self, ROOM, "said", on_said);
	if (rc == 0)
		rc = live_room_on(self, ROOM, "$sub:join", on_people);
	if (rc == 0)
		rc = live_room_on(self, ROOM, "$sub:leave", on_people);
	return rc < 0 ? live_reply_error(reply, "cannot join the lobby") : 0;
}

LIVE_COMPONENT{
	.name = "Lobby",
	.default_state = LIVE_JSON({"heard" : null, "people" : 0}),
	.actions = LIVE_ACTIONS({"say", say}),
	.on_mount = on_mount,
	.on_room_join = on_room_join,
};
