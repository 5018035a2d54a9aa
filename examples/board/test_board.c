/*
 * What Board promises: one board for all, in one order; nothing on it that does not belong there; and that it outlives
 * those who are at it.
 */
#include <stdio.h>
#include <string.h>

#include <live/test.h>

static void refuses(live_tested *board, const char *action, const char *payload, const char *why)
{
	LIVE_TEST(live_tested_act(board, action, payload) < 0);
	LIVE_TEST(!strcmp(live_tested_error(board), why));
}

/* The cards as "1 todo milk, 2 done tea". */
static bool shows(live_tested *board, const char *wanted)
{
	static char text[1000];
	size_t len = 0;

	*text = 0;
	for (live_iter it = {0}; live_next(live_get(live_tested_state(board), "cards"), &it);)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld %s %s", len ? ", " : "",
					(long long)live_as_int(live_get(it.value, "id"), 0),
					live_as_string(live_get(it.value, "column")),
					live_as_string(live_get(it.value, "text")));
	if (strcmp(text, wanted) != 0)
		fprintf(stderr, "the board shows \"%s\"\n", text);
	return !strcmp(text, wanted);
}

static void test_cards(live_test *test)
{
	live_tested *ana = LIVE_TEST_MOUNT(test, .shard = 1);
	live_tested *ben = LIVE_TEST_MOUNT(test, .shard = 2);

	LIVE_TEST(live_test_alive(test) == 1);
	LIVE_TEST(live_tested_act(ana, "add", LIVE_JSON({"text" : "milk"})) == 0);
	LIVE_TEST(live_as_int(live_get(live_tested_result(ana), "id"), 0) == 1);
	LIVE_TEST(live_tested_act(ben, "add", LIVE_JSON({"text" : "tea", "column" : "doing"})) == 0);
	LIVE_TEST(live_tested_act(ana, "add", LIVE_JSON({"text" : "salt"})) == 0);
	LIVE_TEST(shows(ben, "1 todo milk, 2 doing tea, 3 todo salt"));

	LIVE_TEST(live_tested_act(ben, "move", LIVE_JSON({"id" : 3, "column" : "todo", "before" : 1})) == 0);
	LIVE_TEST(shows(ana, "3 todo salt, 1 todo milk, 2 doing tea"));
	LIVE_TEST(live_tested_act(ana, "move", LIVE_JSON({"id" : 1, "column" : "done"})) == 0);
	LIVE_TEST(shows(ben, "3 todo salt, 2 doing tea, 1 done milk"));
	LIVE_TEST(live_tested_act(ana, "move", LIVE_JSON({"id" : 3, "column" : "done", "before" : 77})) == 0);
	LIVE_TEST(shows(ben, "2 doing tea, 1 done milk, 3 done salt"));

	LIVE_TEST(live_tested_act(ben, "edit", LIVE_JSON({"id" : 1, "text" : "two milk"})) == 0);
	LIVE_TEST(live_tested_act(ben, "remove", LIVE_JSON({"id" : 2})) == 0);
	LIVE_TEST(shows(ana, "1 done two milk, 3 done salt"));
	live_tested_disconnect(ana);
	live_tested_disconnect(ben);
}

/* Goes on where test_cards has ended, though nobody was there in between. */
static void test_outlives_its_clients(live_test *test)
{
	LIVE_TEST(live_test_alive(test) == 0);
	live_tested *eve = LIVE_TEST_MOUNT(test, .props = LIVE_JSON({"cards" : [], "version" : 4}));
	LIVE_TEST(shows(eve, "1 done two milk, 3 done salt"));
	LIVE_TEST(live_tested_act(eve, "add", LIVE_JSON({"text" : "jam"})) == 0);
	LIVE_TEST(shows(eve, "1 done two milk, 3 done salt, 9 todo jam"));
	LIVE_TEST(live_tested_come_back(eve) == 0);
	LIVE_TEST(shows(eve, "1 done two milk, 3 done salt, 9 todo jam"));
	live_tested_disconnect(eve);
}

static void test_refusals(live_test *test)
{
	live_tested *board = LIVE_TEST_MOUNT(test);
	const live_value *before = live_value_ref(live_tested_state(board));

	refuses(board, "add", NULL, "Action 'add' payload validation failed: payload: must be an object");
	refuses(board, "add", "{}", "Action 'add' payload validation failed: payload.text: is required");
	refuses(board, "add", LIVE_JSON({"text" : "\n "}),
		"Action 'add' payload validation failed: payload.text: must match \\S");
	refuses(board, "add", LIVE_JSON({"text" : "x", "id" : 1}),
		"Action 'add' payload validation failed: payload.id: is not allowed");
	refuses(board, "move", LIVE_JSON({"id" : 1, "column" : "bin"}),
		"Action 'move' payload validation failed: payload.column: must be one of \"todo\", \"doing\", "
		"\"done\"");
	refuses(board, "edit", LIVE_JSON({"id" : 1}),
		"Action 'edit' payload validation failed: payload.text: is required");
	refuses(board, "remove", LIVE_JSON({"id" : "1"}),
		"Action 'remove' payload validation failed: payload.id: must be an integer");
	refuses(board, "move", LIVE_JSON({"id" : 2, "column" : "done"}), "there is no card 2");
	refuses(board, "edit", LIVE_JSON({"id" : 2, "text" : "x"}), "there is no card 2");
	refuses(board, "remove", LIVE_JSON({"id" : 2}), "there is no card 2");
	live_tested_send(board, LIVE_JSON({
				 "type" : "PROPERTY_UPDATE",
				 "property" : "version",
				 "payload" : {"value" : 99},
				 "requestId" : "r"
			 }));
	LIVE_TEST(live_equal(live_tested_state(board), before));
	live_value_unref(before);
	live_tested_disconnect(board);
}

static void test_limits(live_test *test)
{
	live_tested *board = LIVE_TEST_MOUNT(test);

	for (int i = 0; i < 100; i++) {
		live_test_advance(test, i % 20 ? 0 : 1000);
		live_tested_act(board, "add", LIVE_JSON({"text" : "x"}));
	}
	LIVE_TEST(live_len(live_get(live_tested_state(board), "cards")) == 100);
	refuses(board, "add", LIVE_JSON({"text" : "x"}), "Action rate limit exceeded (max 20 calls per 1000ms)");
	live_test_advance(test, 1000);
	refuses(board, "add", LIVE_JSON({"text" : "x"}), "the board is full: it has 100 cards");
	live_tested_disconnect(board);
}

static size_t shown(live_tested *board)
{
	return live_len(live_get(live_tested_state(board), "shown"));
}

static int64_t clients(live_tested *board)
{
	return live_as_int(live_get(live_tested_state(board), "clients"), 0);
}

static void test_who_is_there(live_test *test)
{
	live_tested *first = LIVE_TEST_MOUNT(test, .shard = 2);
	live_tested *others[21];

	LIVE_TEST(clients(first) == 1 && shown(first) == 1);
	for (unsigned i = 0; i < 21; i++)
		others[i] = LIVE_TEST_MOUNT(test, .shard = i % 3);
	LIVE_TEST(clients(first) == 22 && shown(first) == 20);
	live_tested_unmount(others[0]);
	live_tested_disconnect(others[20]); /* is not among those shown */
	LIVE_TEST(clients(first) == 20 && shown(first) == 19);
	for (unsigned i = 1; i < 20; i++)
		live_tested_disconnect(others[i]);
	LIVE_TEST(clients(first) == 1 && shown(first) == 1);
	live_tested_disconnect(first);
}

/* The first client chooses what it mounts it with, and may choose badly. */
static void test_odd_props(const char *props, const char *cards)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *board = live_test_mount(test, &(live_test_mount_options){.props = props});

	LIVE_TEST(shows(board, cards));
	LIVE_TEST(clients(board) == 1 && shown(board) == 1);
	live_tested_disconnect(board);
	board = LIVE_TEST_MOUNT(test);
	LIVE_TEST(shows(board, cards));
	LIVE_TEST(live_tested_act(board, "add", LIVE_JSON({"text" : "x"})) == 0);
	live_test_free(test);
}

int main(void)
{
	const live_definition *const definitions[] = {&live_plugin_definition, NULL};
	live_test *test = live_test_new_with(&(live_test_options){.definitions = definitions, .shards = 3});

	test_cards(test);
	test_outlives_its_clients(test);
	test_refusals(test);
	test_who_is_there(test);
	test_limits(test);
	live_test_free(test);

	test_odd_props(LIVE_JSON({"cards" : "none", "shown" : 4, "clients" : "many"}), "");
	test_odd_props(LIVE_JSON({"version" : 1e99, "cards" : [ {"id" : 1, "column" : "todo", "text" : "x"} ]}), "");
	test_odd_props(LIVE_JSON({"version" : 9223372036854775807}), "");
	test_odd_props(LIVE_JSON({
			       "version" : 5,
			       "cards" : [
				       {"id" : 6, "column" : "todo", "text" : "to come"},
				       {"id" : 5, "column" : "bin", "text" : "gone"},
				       {"id" : 4, "column" : "done", "text" : "right"},
				       {"id" : 3, "column" : "done", "text" : {}}, null
			       ]
		       }),
		       "4 done right");
	return 0;
}
