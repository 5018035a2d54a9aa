/* GuestBook - one book for everybody who ever mounts it; what is written into it is checked before it comes here. */
#include <live/live.h>

enum { KEPT = 100 };

/* Runs where the book lies. A result tells the writer at which place the entry stands. */
static const live_value *write_at_home(const live_value *book, const live_value *entry, const live_value **result)
{
	const live_value *entries = live_append(live_get(book, "entries"), live_value_ref(entry));
	size_t count = live_len(entries);
	const live_value *kept = live_slice(entries, count > KEPT ? count - KEPT : 0, count);

	live_value_unref(entries);
	*result = live_object("place", live_int((int64_t)live_len(kept)), NULL);
	return live_with(book, "entries", kept);
}

static int write_entry(live_component *self, const live_value *payload, live_reply *reply)
{
	live_persistent_update(self, write_at_home, live_value_ref(payload), reply);
	return 0;
}

static int turn_to(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *entries = live_get(live_persistent(self), "entries");
	int64_t place = live_as_int(live_get(payload, "place"), 0);

	if (place > (int64_t)live_len(entries))
		return live_reply_error(reply, "the book is not that full");
	live_set(self, "open", live_value_ref(live_at(entries, (size_t)place - 1)));
	return 0;
}

LIVE_COMPONENT{
	.name = "GuestBook",
	.default_state = LIVE_JSON({"open" : null}),
	.persistent = LIVE_JSON({"entries" : []}),
	.actions = LIVE_ACTIONS({"write", write_entry}, {"turnTo", turn_to}),
	.rules = LIVE_RULES(
		{.action = "write", .schema = LIVE_JSON({
					    "type" : "object",
					    "properties" : {
						    "text" : {"type" : "string", "minLength" : 1, "maxLength" : 200},
						    "mood" : {"enum" : [ "fine", "bored" ], "default" : "fine"}
					    },
					    "required" : ["text"],
					    "additionalProperties" : false
				    })},
		{.action = "turnTo", .schema = LIVE_JSON({
					     "type" : "object",
					     "properties" : {"place" : {"type" : "integer", "minimum" : 1}},
					     "required" : ["place"]
				     })}),
};
