/*
 * ChatRoom - talk in rooms.
 *
 * The last messages and who is there are the state of a room named "chat:<id>", changed where the room lives, so that
 * none is lost and all read them in one order. Each member copies what it hears into its own state, which its client
 * sees.
 */
#include <stdio.h>
#include <string.h>

#include <live/live.h>

enum { KEPT_MESSAGES = 100, NAME_MAX_BYTES = 40, TEXT_MAX_BYTES = 2000 };

struct chat {
	char room[72]; /* "chat:<id>", or "" in none */
	char name[NAME_MAX_BYTES + 1];
};

/* ---- where the room lives ---- */

static const live_value *add_message(const live_value *state, const live_value *message, const live_value **result)
{
	int64_t id = live_as_int(live_get(state, "nextId"), 1);
	const live_value *numbered = live_with(message, "id", live_int(id));
	const live_value *all = live_append(live_get(state, "messages"), live_value_ref(numbered));
	size_t len = live_len(all);

	*result = numbered;
	const live_value *kept = live_slice(all, len > KEPT_MESSAGES ? len - KEPT_MESSAGES : 0, len);
	live_value_unref(all);
	return live_object("nextId", live_int(id + 1), "messages", kept, NULL);
}

/* argument: {id, name}; name null: it left. */
static const live_value *set_user(const live_value *state, const live_value *argument, const live_value **result)
{
	const char *id = live_as_string(live_get(argument, "id"));
	const live_value *name = live_get(argument, "name");
	const live_value *users = live_get(state, "users");

	(void)result;
	users = live_is_null(name) ? live_without(users, id) : live_with(users, id, live_value_ref(name));
	return live_object("users", users, NULL);
}

/* ---- the component ---- */

static void announce(live_component *self, const live_value *name)
{
	struct chat *chat = live_private(self);

	live_room_update(self, chat->room, set_user, live_object("id", live_string(live_id(self)), "name", name, NULL),
			 NULL);
}

/* What the room holds, into what the client sees. */
static void show(live_component *self, const char *room)
{
	const live_value *state = live_room_state(self, room);
	const live_value *users = live_array(0, NULL);

	for (live_iter it = {0}; live_next(live_get(state, "users"), &it);) {
		const live_value *more = live_append(users, live_value_ref(it.value));
		live_value_unref(users);
		users = more;
	}
	const live_value *messages = live_get(state, "messages");
	live_set_state(self, live_object("messages", messages ? live_value_ref(messages) : live_array(0, NULL), "users",
					 users, "currentRoom", live_string(room + strlen("chat:")), NULL));
}

static void on_event(live_component *self, const char *room, const char *event, const live_value *data)
{
	(void)data;
	if (!strcmp(event, "$state:update"))
		show(self, room);
}

static void on_room_join(live_component *self, const char *room)
{
	struct chat *chat = live_private(self);

	if (strcmp(room, chat->room))
		return;
	show(self, room);
	announce(self, live_string(chat->name));
}

static void leave(live_component *self)
{
	struct chat *chat = live_private(self);

	if (!*chat->room)
		return;
	announce(self, live_null());
	live_room_leave(self, chat->room);
	*chat->room = 0;
	live_set_state(self, live_object("messages", live_array(0, NULL), "users", live_array(0, NULL), "currentRoom",
					 live_null(), NULL));
}

static int join(live_component *self, const char *id)
{
	struct chat *chat = live_private(self);
	char room[sizeof chat->room];

	if ((size_t)snprintf(room, sizeof room, "chat:%s", id) >= sizeof room || !*id)
		return -1;
	if (!strcmp(room, chat->room))
		return 0;
	int rc = live_room_join(self, room,
				live_object("messages", live_array(0, NULL), "users", live_object(NULL, NULL), NULL));
	if (rc < 0)
		return rc;
	leave(self);
	memcpy(chat->room, room, sizeof room);
	return live_room_on(self, room, "*", on_event);
}

static int join_room(live_component *self, const live_value *payload, live_reply *reply)
{
	const char *id = live_as_string(live_get(payload, "roomId"));

	if (!id || join(self, id) < 0)
		return live_reply_error(reply, "roomId must be 1 to 59 letters, digits or _ : . -");
	live_reply_value(reply, live_object("success", live_bool(true), NULL));
	return 0;
}

static int leave_room(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	leave(self);
	live_reply_value(reply, live_object("success", live_bool(true), NULL));
	return 0;
}

static void rename_to(live_component *self, const char *name)
{
	struct chat *chat = live_private(self);

	snprintf(chat->name, sizeof chat->name, "%s", name);
	live_set(self, "username", live_string(chat->name));
	if (*chat->room)
		announce(self, live_string(chat->name));
}

static int set_username(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *name = live_get(payload, "username");

	if (!live_as_string(name) || live_len(name) < 1 || live_len(name) > NAME_MAX_BYTES)
		return live_reply_error(reply, "username must have 1 to %d bytes", NAME_MAX_BYTES);
	rename_to(self, live_as_string(name));
	live_reply_value(reply, live_object("success", live_bool(true), NULL));
	return 0;
}

static int send_message(live_component *self, const live_value *payload, live_reply *reply)
{
	struct chat *chat = live_private(self);
	const live_value *text = live_get(payload, "text");

	if (!*chat->room)
		return live_reply_error(reply, "Join a room first");
	if (!live_as_string(text) || live_len(text) < 1 || live_len(text) > TEXT_MAX_BYTES)
		return live_reply_error(reply, "text must have 1 to %d bytes", TEXT_MAX_BYTES);
	return live_room_update(self, chat->room, add_message,
				live_object("user", live_string(chat->name), "text", live_value_ref(text), "time",
					    live_int(live_now_ms(self)), NULL),
				reply);
}

/* A client that comes back is in its room again, under its name. */
static int on_mount(live_component *self, live_reply *reply)
{
	const char *name = live_get_string(self, "username");

	(void)reply;
	rename_to(self, *name ? name : "guest");
	const char *room = live_as_string(live_state_get(self, "currentRoom"));
	return room ? join(self, room) : 0;
}

static void on_destroy(live_component *self)
{
	struct chat *chat = live_private(self);

	if (*chat->room)
		announce(self, live_null());
}

LIVE_COMPONENT{
	.name = "ChatRoom",
	.default_state = LIVE_JSON({"messages" : [], "users" : [], "currentRoom" : null, "username" : ""}),
	.actions = LIVE_ACTIONS({"setUsername", set_username}, {"joinRoom", join_room}, {"leaveRoom", leave_room},
				{"sendMessage", send_message}),
	.private_size = sizeof(struct chat),
	.on_mount = on_mount,
	.on_destroy = on_destroy,
	.on_room_join = on_room_join,
};
