/*
 * What Todo promises: a list that only takes what fits its schemas, and says why it does not take the rest.
 */
#include <string.h>

#include <live/test.h>

static void refuses(live_tested *todo, const char *action, const char *payload, const char *why)
{
	LIVE_TEST(live_tested_act(todo, action, payload) < 0);
	LIVE_TEST(!strcmp(live_tested_error(todo), why));
}

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *todo = LIVE_TEST_MOUNT(test);

	LIVE_TEST(live_tested_act(todo, "add", LIVE_JSON({"title" : "milk"})) == 0);
	LIVE_TEST(live_as_int(live_get(live_tested_result(todo), "id"), 0) == 1);
	LIVE_TEST(live_tested_act(todo, "add", LIVE_JSON({"title" : "tea", "priority" : "high"})) == 0);
	LIVE_TEST(live_tested_act(todo, "setDone", LIVE_JSON({"id" : 1})) == 0);
	LIVE_TEST(live_tested_is(todo, LIVE_JSON({
					 "items" : [
						 {"id" : 1, "title" : "milk", "priority" : "normal", "done" : true},
						 {"id" : 2, "title" : "tea", "priority" : "high", "done" : false}
					 ],
					 "lastId" : 2
				 })));
	LIVE_TEST(live_tested_act(todo, "remove", LIVE_JSON({"id" : 1})) == 0);
	LIVE_TEST(live_tested_is(todo, LIVE_JSON({
					 "items" : [ {"id" : 2, "title" : "tea", "priority" : "high", "done" : false} ],
					 "lastId" : 2
				 })));

	refuses(todo, "add", NULL, "Action 'add' payload validation failed: payload: must be an object");
	refuses(todo, "add", "{}", "Action 'add' payload validation failed: payload.title: is required");
	refuses(todo, "add", LIVE_JSON({"title" : " "}),
		"Action 'add' payload validation failed: payload.title: must match \\S");
	refuses(todo, "add", LIVE_JSON({"title" : "x", "priority" : "urgent"}),
		"Action 'add' payload validation failed: payload.priority: must be one of \"low\", \"normal\", "
		"\"high\"");
	refuses(todo, "add", LIVE_JSON({"title" : "x", "colour" : 1}),
		"Action 'add' payload validation failed: payload.colour: is not allowed");
	refuses(todo, "setDone", LIVE_JSON({"id" : "1"}),
		"Action 'setDone' payload validation failed: payload.id: must be an integer");
	refuses(todo, "remove", LIVE_JSON({"id" : 1}), "there is no such thing to do");
	LIVE_TEST(live_len(live_get(live_tested_state(todo), "items")) == 1);
	live_test_free(test);
	return 0;
}
