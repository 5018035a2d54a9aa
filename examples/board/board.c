/*
 * Board - one board of cards for everybody: a singleton.
 *
 * There is one instance however many clients mount it, on one shard, of one node if several share a Redis. So what an
 * action reads is what it changes, and nothing here has to be locked or merged. Each client sees each change.
 *
 * A singleton ends with its last client, and its state with it. A board should not: what changes it is remembered in
 * the component's persistent data, which lasts as long as the process. Beyond that, clients that are still there bring
 * it back by the state that they were signed, and a cluster by what Redis has. Which of them is the newest, the version
 * tells.
 */
#include <string.h>

#include <live/live.h>

enum { MAX_CARDS = 100, MAX_SHOWN_CLIENTS = 20 };

#define MAX_VERSION ((int64_t)1 << 53) /* that a browser can count to */

static const live_value *cards_of(const live_component *self)
{
	return live_state_get(self, "cards");
}

/* How often that board has changed. Its first client may mount it with any props, so what cannot be counts as never. */
static int64_t version_of(const live_value *board)
{
	int64_t version = live_as_int(live_get(board, "version"), 0);

	return version >= 0 && version < MAX_VERSION ? version : 0;
}

/* ---- lists ---- */

/* list with item appended; gives both away. */
static const live_value *push(const live_value *list, const live_value *item)
{
	const live_value *longer = live_append(list, item);

	live_value_unref(list);
	return longer;
}

/* list with item (given away; NULL: nothing) at that place, instead of so many that are gone from there. */
static const live_value *splice(const live_value *list, size_t at, size_t gone, const live_value *item)
{
	const live_value *spliced = live_slice(list, 0, at);

	if (item)
		spliced = push(spliced, item);
	for (size_t i = at + gone; i < live_len(list); i++)
		spliced = push(spliced, live_value_ref(live_at(list, i)));
	return spliced;
}

/* The place of the card with that id, or the number of cards. */
static size_t find(const live_value *cards, const live_value *id)
{
	size_t at = 0;

	while (at < live_len(cards) && !live_equal(live_get(live_at(cards, at), "id"), id))
		at++;
	return at;
}

/* ---- what clients ask; what a payload must be like, the rules below say ---- */

/* Gives cards away. */
static void change(live_component *self, const live_value *cards)
{
	int64_t version = version_of(live_state(self)) + 1;

	live_set_state(self, live_object("version", live_int(version), "cards", cards, NULL));
}

static int no_such_card(live_reply *reply, const live_value *payload)
{
	return live_reply_error(reply, "there is no card %lld", (long long)live_as_int(live_get(payload, "id"), 0));
}

/* A card's number is the version that it came with: none is ever given twice. */
static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	if (live_len(cards_of(self)) >= MAX_CARDS)
		return live_reply_error(reply, "the board is full: it has %d cards", MAX_CARDS);
	const live_value *id = live_int(version_of(live_state(self)) + 1);
	live_reply_value(reply, live_object("id", live_value_ref(id), NULL));
	change(self, live_append(cards_of(self), live_with(payload, "id", id)));
	return 0;
}

/* In front of the card that "before" names, when it is there; else to the end. */
static int move(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t at = find(cards_of(self), live_get(payload, "id"));
	const live_value *card = live_at(cards_of(self), at);

	if (!card)
		return no_such_card(reply, payload);
	card = live_with(card, "column", live_value_ref(live_get(payload, "column")));
	const live_value *others = splice(cards_of(self), at, 1, NULL);
	change(self, splice(others, find(others, live_get(payload, "before")), 0, card));
	live_value_unref(others);
	return 0;
}

static int edit(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t at = find(cards_of(self), live_get(payload, "id"));
	const live_value *card = live_at(cards_of(self), at);

	if (!card)
		return no_such_card(reply, payload);
	card = live_with(card, "text", live_value_ref(live_get(payload, "text")));
	change(self, splice(cards_of(self), at, 1, card));
	return 0;
}

static int take_off(live_component *self, const live_value *payload, live_reply *reply)
{
	size_t at = find(cards_of(self), live_get(payload, "id"));

	if (at == live_len(cards_of(self)))
		return no_such_card(reply, payload);
	change(self, splice(cards_of(self), at, 1, NULL));
	return 0;
}

/* ---- what lasts ---- */

static void remember(live_component *self)
{
	live_persistent_merge(self, live_object("version", live_int(version_of(live_state(self))), "cards",
						live_value_ref(cards_of(self)), NULL));
}

static void on_state_change(live_component *self, const live_value *changes)
{
	if (live_get(changes, "cards"))
		remember(self);
}

/* Whether it may be on a board of that version. */
static bool is_card(const live_value *card, int64_t version)
{
	int64_t id = live_as_int(live_get(card, "id"), 0);
	const char *column = live_as_string(live_get(card, "column"));

	return id > 0 && id <= version && live_as_string(live_get(card, "text")) && column &&
	       (!strcmp(column, "todo") || !strcmp(column, "doing") || !strcmp(column, "done"));
}

/*
 * Goes on from the newer of what the instance was made with and what this process remembers. What it was made with may
 * come from a client, which is why each card is looked at; but then anybody may change anything here anyway.
 */
static int on_mount(live_component *self, live_reply *reply)
{
	const live_value *newest = live_state(self);
	const live_value *cards = live_array(0, NULL);

	(void)reply;
	if (version_of(live_persistent(self)) >= version_of(newest))
		newest = live_persistent(self);
	int64_t version = version_of(newest);
	for (live_iter it = {0}; live_next(live_get(newest, "cards"), &it) && live_len(cards) < MAX_CARDS;)
		if (is_card(it.value, version))
			cards = push(cards, live_value_ref(it.value));
	live_set_state(self, live_object("version", live_int(version), "cards", cards, NULL));
	remember(self);
	return 0;
}

/* ---- who is there: the clients of the node that the board is on ---- */

/* The first of an instance finds those who were there before it, as of a node that has ended. */
static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	const live_value *shown = live_slice(live_state_get(self, "shown"), 0, clients == 1 ? 0 : MAX_SHOWN_CLIENTS);

	if (live_len(shown) < MAX_SHOWN_CLIENTS)
		shown = push(shown, live_string(connection));
	live_set_state(self, live_object("clients", live_int(clients), "shown", shown, NULL));
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	const live_value *shown = live_array(0, NULL);

	for (live_iter it = {0}; live_next(live_state_get(self, "shown"), &it);)
		if (strcmp(live_as_string(it.value), connection) != 0)
			shown = push(shown, live_value_ref(it.value));
	live_set_state(self, live_object("clients", live_int(clients), "shown", shown, NULL));
}

LIVE_COMPONENT{
	.name = "Board",
	.default_state = LIVE_JSON({"cards" : [], "version" : 0, "clients" : 0, "shown" : []}),
	.persistent = LIVE_JSON({"cards" : [], "version" : 0}),
	.singleton = true,
	.updatable = (const char *const[]){NULL}, /* by its actions alone */
	.actions = LIVE_ACTIONS({"add", add}, {"move", move}, {"edit", edit}, {"remove", take_off}),
	.rate_limit = LIVE_RATE_LIMIT(.max_calls = 20, .window_ms = 1000),
	.rules = LIVE_RULES(
		{
			.action = "add",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" : {
					"text" : {"type" : "string", "pattern" : "\\S", "maxLength" : 200},
					"column" : {"enum" : [ "todo", "doing", "done" ], "default" : "todo"}
				},
				"required" : ["text"],
				"additionalProperties" : false
			}),
		},
		{
			.action = "move",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" : {
					"id" : {"type" : "integer"},
					"column" : {"enum" : [ "todo", "doing", "done" ]},
					"before" : {"type" : [ "integer", "null" ]}
				},
				"required" : [ "id", "column" ],
				"additionalProperties" : false
			}),
		},
		{
			.action = "edit",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" : {
					"id" : {"type" : "integer"},
					"text" : {"type" : "string", "pattern" : "\\S", "maxLength" : 200}
				},
				"required" : [ "id", "text" ],
				"additionalProperties" : false
			}),
		},
		{
			.action = "remove",
			.schema = LIVE_JSON({
				"type" : "object",
				"properties" : {"id" : {"type" : "integer"}},
				"required" : ["id"],
				"additionalProperties" : false
			}),
		}),
	.on_mount = on_mount,
	.on_state_change = on_state_change,
	.on_client_join = on_client_join,
	.on_client_leave = on_client_leave,
};
