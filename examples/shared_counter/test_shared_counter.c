/*
 * What SharedCounter promises: one number for all, on whichever shard they are.
 */
#include <live/test.h>

int main(void)
{
	const live_definition *const definitions[] = {&live_plugin_definition, NULL};
	live_test *test = live_test_new_with(&(live_test_options){.definitions = definitions, .shards = 3});
	live_tested *ana = LIVE_TEST_MOUNT(test, .user = "ana", .shard = 1);
	live_tested *ben = LIVE_TEST_MOUNT(test, .user = "ben", .shard = 2);

	LIVE_TEST(live_tested_act(ana, "increment", "{}") == 0);
	LIVE_TEST(live_as_int(live_get(live_tested_result(ana), "count"), 0) == 1);
	LIVE_TEST(live_tested_act(ben, "increment", "{}") == 0);
	LIVE_TEST(live_tested_is(ana, LIVE_JSON({"count" : 2, "lastUser" : "ben", "viewers" : 2})));
	live_tested_disconnect(ben);
	LIVE_TEST(live_tested_is(ana, LIVE_JSON({"count" : 2, "lastUser" : "ben", "viewers" : 1})));
	LIVE_TEST(live_tested_act(ana, "reset", "{}") == 0);
	LIVE_TEST(live_tested_is(ana, LIVE_JSON({"count" : 0, "lastUser" : "ana", "viewers" : 1})));
	live_test_free(test);
	return 0;
}
