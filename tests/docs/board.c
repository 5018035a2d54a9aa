#include <live/live.h>

static int set_title(live_component *self, const live_value *payload, live_reply *reply)
{
	const char *title = live_as_string(live_get(payload, "title"));

	if (!title)
		return live_reply_error(reply, "title must be a string");
	live_set(self, "title", live_string(title));
	return 0;
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	live_set(self, "viewers", live_int(clients));
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	live_set(self, "viewers", live_int(clients));
}

LIVE_COMPONENT{
	.name = "Board",
	.default_state = LIVE_JSON({"title" : "", "viewers" : 0}),
	.actions = LIVE_ACTIONS({"setTitle", set_title}),
	.singleton = true,
	.on_client_join = on_client_join,
	.on_client_leave = on_client_leave,
};
