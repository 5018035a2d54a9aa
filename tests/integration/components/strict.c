/*
 * Strict - a component for tests of what is refused: an action for each rule, and a few keys that clients may write.
 * And a tally that all instances share.
 */
#include <live/live.h>

static int echo(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	live_reply_value(reply, live_value_ref(payload));
	return 0;
}

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	return live_reply_error(reply, "disk full");
}

static int fail_silently(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return -1;
}

static const live_value *count_one(const live_value *data, const live_value *argument, const live_value **result)
{
	const live_value *count = live_int(live_as_int(live_get(data, "count"), 0) + 1);

	(void)argument;
	*result = live_value_ref(count);
	return live_with(data, "count", count);
}

/* Answers with the count that all instances share, and the one that is read at once. */
static int tally(live_component *self, const live_value *payload, live_reply *reply)
{
	if (live_as_bool(live_get(payload, "look")))
		live_reply_value(reply, live_value_ref(live_get(live_persistent(self), "count")));
	else
		live_persistent_update(self, count_one, live_null(), reply);
	return 0;
}

static int never(live_component *self, const live_value *payload, live_reply *reply)
{
	live_deferred **kept = live_private(self);

	(void)payload;
	if (*kept)
		return live_reply_error(reply, "once only");
	*kept = live_reply_defer(reply);
	return 0;
}

static void on_destroy(live_component *self)
{
	live_deferred **kept = live_private(self);

	if (*kept)
		live_deferred_error(*kept, "too late");
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)action;
	if (live_as_bool(live_get(payload, "cancel")))
		return LIVE_CANCEL;
	return live_as_bool(live_get(payload, "veto")) ? live_reply_error(reply, "not on a Sunday") : 0;
}

/* Says what the payload asks for. */
static void authorize(const live_auth *auth, const char *component, const char *action, const live_value *payload,
		      live_auth_request *request)
{
	const char *reason = live_as_string(live_get(payload, "reason"));
	const char *failure = live_as_string(live_get(payload, "failure"));

	(void)auth;
	(void)component;
	(void)action;
	if (failure)
		live_auth_fail(request, failure);
	else if (live_as_bool(live_get(payload, "allow")))
		live_auth_allow(request);
	else
		live_auth_deny(request, reason);
}

LIVE_COMPONENT{
	.name = "Strict",
	.default_state = LIVE_JSON({"a" : 1, "b" : 2, "c" : 3}),
	.persistent = LIVE_JSON({"count" : 0}),
	.updatable = (const char *const[]){"a", "b", NULL},
	.actions = LIVE_ACTIONS({"echo", echo}, {"fail", fail}, {"failSilently", fail_silently}, {"never", never},
				{"roles", echo}, {"permissions", echo}, {"function", echo}, {"typed", echo},
				{"tally", tally}, {"missing", NULL}, {"toString", echo}, {"onMount", echo},
				{"_hidden", echo}),
	.rules = LIVE_RULES(
		{.action = "roles", .auth = LIVE_AUTH(.roles = LIVE_NAMES("chief", "owner"))},
		{.action = "permissions", .auth = LIVE_AUTH(.permissions = LIVE_NAMES("read", "write"))},
		{.action = "function", .auth = LIVE_AUTH(.authorize = authorize)},
		{.action = "typed",
		 .schema = LIVE_JSON({
			 "type" : "object",
			 "properties" : {"n" : {"type" : "integer", "minimum" : 1}, "by" : {"default" : "me"}},
			 "required" : ["n"]
		 })}),
	.private_size = sizeof(live_deferred *),
	.on_action = on_action,
	.on_destroy = on_destroy,
};
