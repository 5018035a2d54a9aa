/*
 * Versioned - built three times, as versions 1, 2 and 3: 1 and 2 stay with whom they began, 3 takes over from any. And
 * three times more as the singleton VersionedShared.
 */
#include <live/live.h>

struct versioned {
	int calls;
	live_deferred *mounting; /* NULL: the mount was answered */
};

static int which(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_reply_value(reply, live_int(VERSION));
	return 0;
}

static int count(live_component *self, const live_value *payload, live_reply *reply)
{
	struct versioned *versioned = live_private(self);

	(void)payload;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	live_reply_value(reply, live_int(++versioned->calls));
	return 0;
}

static const live_value *work(const live_value *argument)
{
	return live_value_ref(argument);
}

static void done(live_component *self, const live_value *result)
{
	live_set(self, "worked", live_value_ref(result));
}

static int offload(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_offload(self, work, live_int(VERSION), done);
}

static void tick(live_component *self, live_timer *timer)
{
	(void)timer;
	live_set(self, "ticks", live_int(live_get_int(self, "ticks") + VERSION));
}

static void on_event(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)room;
	(void)event;
	(void)data;
	live_set(self, "heard", live_int(VERSION));
}

static void on_room_join(live_component *self, const char *room)
{
	live_room_on(self, room, "*", on_event);
}

static void answer_mount(live_component *self, live_timer *timer)
{
	struct versioned *versioned = live_private(self);

	(void)timer;
	live_deferred_value(versioned->mounting, NULL);
	versioned->mounting = NULL;
}

static void on_destroy(live_component *self)
{
	struct versioned *versioned = live_private(self);

	if (versioned->mounting)
		answer_mount(self, NULL);
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	live_set(self, "joined", live_object("clients", live_int(clients), "by", live_int(VERSION), NULL));
}

static int on_mount(live_component *self, live_reply *reply)
{
	struct versioned *versioned = live_private(self);

	if (live_get_bool(self, "slow")) {
		versioned->mounting = live_reply_defer(reply);
		live_after(self, 500, answer_mount);
	}
	live_every(self, 20, tick);
	return live_room_join(self, "versions", NULL);
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	live_set(self, "from", live_value_ref(live_get(previous, "made")));
	live_set(self, "to", live_int(VERSION));
}

#define TEXT_(number) #number
#define TEXT(number) TEXT_(number)

#ifdef SHARED
#define NAME "VersionedShared"
#define IS_SHARED true
#else
#define NAME "Versioned"
#define IS_SHARED false
#endif

LIVE_COMPONENT{
	.name = NAME,
	.singleton = IS_SHARED,
	.default_state = "{\"made\":" TEXT(VERSION) ",\"count\":0,\"ticks\":0,\"new" TEXT(VERSION) "\":true}",
	.actions = LIVE_ACTIONS({"which", which}, {"count", count}, {"offload", offload}),
	.private_size = sizeof(struct versioned) * VERSION,
	.move_on_reload = VERSION == 3,
	.on_mount = on_mount,
	.on_destroy = on_destroy,
	.on_client_join = on_client_join,
	.on_rehydrate = on_rehydrate,
	.on_room_join = on_room_join,
};
