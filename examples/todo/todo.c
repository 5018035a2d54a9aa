/*
 * Todo - a list whose payloads are checked before they come here.
 *
 * What an action takes is said once, by a JSON Schema in its rule. A payload that does not fit is refused with the
 * place and the reason, so the functions below read what they are given without a doubt; and `liveshard types` makes
 * types of the same schemas, so a wrong call does not even compile in the client.
 */
#include <string.h>

#include <live/live.h>

enum { MAX_ITEMS = 100 };

static const live_value *items(const live_component *self)
{
	return live_state_get(self, "items");
}

/* The place of the item that payload's id names, or the number of items. */
static size_t find(const live_component *self, const live_value *payload)
{
	int64_t id = live_as_int(live_get(payload, "id"), 0);
	size_t at = 0;

	while (at < live_len(items(self)) && live_as_int(live_get(live_at(items(self), at), "id"), 0) != id)
		at++;
	return at;
}

/* Sets the items to those there are, with number at replaced by item (given away), or without it when item is NULL. */
static void put(live_component *self, size_t at, const live_value *item)
{
	const live_value *all = live_slice(items(self), 0, at);

	for (size_t i = at; i < live_len(items(self)); i++) {
		const live_value *next = i == at ? item : live_value_ref(live_at(items(self), i));
		const live_value *longer = next ? live_append(all, next) : live_value_ref(all);
		live_value_unref(all);
		all = longer;
	}
	live_set(self, "items", all);
}

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t id = live_get_int(self, "lastId") + 1;

	if (live_len(items(self)) == MAX_ITEMS)
		return live_reply_error(reply, "there are %d things to do already", MAX_ITEMS);
	const live_value *item =
		live_object("id", live_int(id), "title", live_value_ref(live_get(payload, "title")), "priority",
			    live_value_ref(live_get(payload, "priority")), "done", live_bool(false), NULL);
	live_set(self, "lastId", live_int(id));
	live_set(self, "items", live_append(items(self), item));
	live_reply_value(reply, live_object("id", live_int(id), NULL));
	return 0;
}

static int set_done(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t at = find(self, payload);

	if (at == live_len(items(self)))
		return live_reply_error(reply, "there is no such thing to do");
	put(self, at, live_with(live_at(items(self), at), "done", live_value_ref(live_get(payload, "done"))));
	return 0;
}

static int delete_item(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t at = find(self, payload);

	if (at == live_len(items(self)))
		return live_reply_error(reply, "there is no such thing to do");
	put(self, at, NULL);
	return 0;
}

LIVE_COMPONENT{
	.name = "Todo",
	.default_state = LIVE_JSON({"items" : [], "lastId" : 0}),
	.updatable = (const char *const[]){NULL},
	.actions = LIVE_ACTIONS({"add", add}, {"setDone", set_done}, {"remove", delete_item}),
	.rules = LIVE_RULES(
		{
			.action = "add",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" : {
					"title" : {"type" : "string", "pattern" : "\\S", "maxLength" : 80},
					"priority" : {"enum" : [ "low", "normal", "high" ], "default" : "normal"}
				},
				"required" : ["title"],
				"additionalProperties" : false
			}),
		},
		{
			.action = "setDone",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" :
					{"id" : {"type" : "integer"}, "done" : {"type" : "boolean", "default" : true}},
				"required" : ["id"]
			}),
		},
		{
			.action = "remove",
			.schema = LIVE_JSON(
				{"type" : "object", "properties" : {"id" : {"type" : "integer"}}, "required" : ["id"]}),
		}),
};
