/*
 * AdminPanel - only for those who are signed on with the role "admin".
 *
 * Who may mount it stands in the definition, and who may call which action in its rules, so no function here has to
 * ask.
 */
#include <live/live.h>

enum { KEPT_NOTICES = 20 };

static int announce(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *text = live_get(payload, "text");

	if (!live_as_string(text) || live_len(text) < 1 || live_len(text) > 200)
		return live_reply_error(reply, "text must have 1 to 200 bytes");
	const live_value *notice = live_object("text", live_value_ref(text), "by",
					       live_string(live_auth_user_id(live_reply_auth(reply))), NULL);
	const live_value *all = live_append(live_state_get(self, "notices"), notice);
	size_t len = live_len(all);
	live_set(self, "notices", live_slice(all, len > KEPT_NOTICES ? len - KEPT_NOTICES : 0, len));
	live_value_unref(all);
	return 0;
}

static int wipe(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "notices", live_array(0, NULL));
	return 0;
}

LIVE_COMPONENT{
	.name = "AdminPanel",
	.default_state = LIVE_JSON({"notices" : []}),
	.singleton = true,
	.actions = LIVE_ACTIONS({"announce", announce}, {"wipe", wipe}),
	.auth = LIVE_AUTH(.required = true, .roles = LIVE_NAMES("admin")),
	.rules = LIVE_RULES({.action = "wipe", .auth = LIVE_AUTH(.permissions = LIVE_NAMES("notices.wipe"))}),
};
