/*
 * Board - the singleton that tests count on: it adds, refuses and ends when it is told to, keeps a diary of who came
 * and went, lets its clients write its state, and begins anew after its last one. examples/board does none of that on
 * purpose: it is to be copied, this is to be tormented.
 */
#include <live/live.h>

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t total = live_get_int(self, "total") + live_as_int(live_get(payload, "by"), 1);

	live_set(self, "total", live_int(total));
	live_reply_value(reply, live_int(total));
	return 0;
}

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	return live_reply_error(reply, "the board says no");
}

static int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_destroy(self);
	live_reply_value(reply, live_string("ended"));
	return 0;
}

static void note(live_component *self, const char *what, const char *connection, unsigned clients)
{
	live_set_state(
		self, live_object("clients", live_int(clients), "last", live_stringf("%s %s", what, connection), NULL));
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	note(self, "join", connection, clients);
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	note(self, "leave", connection, clients);
}

LIVE_COMPONENT{
	.name = "Board",
	.default_state = LIVE_JSON({"total" : 0, "clients" : 0, "last" : "", "note" : ""}),
	.actions = LIVE_ACTIONS({"add", add}, {"fail", fail}, {"end", end}),
	.singleton = true,
	.on_client_join = on_client_join,
	.on_client_leave = on_client_leave,
};
