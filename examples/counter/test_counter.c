/*
 * What Counter promises.
 */
#include <live/test.h>

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *counter = LIVE_TEST_MOUNT(test);
	live_tested *other = LIVE_TEST_MOUNT(test, .props = LIVE_JSON({"count" : 10}));

	LIVE_TEST(live_tested_act(counter, "increment", "{}") == 0);
	LIVE_TEST(live_tested_act(counter, "increment", "{}") == 0);
	LIVE_TEST(live_tested_act(other, "decrement", "{}") == 0);
	LIVE_TEST(live_tested_is(counter, LIVE_JSON({"count" : 2})));
	LIVE_TEST(live_tested_is(other, LIVE_JSON({"count" : 9})));
	LIVE_TEST(live_tested_come_back(other) == 0);
	LIVE_TEST(live_tested_act(other, "increment", "{}") == 0);
	LIVE_TEST(live_tested_is(other, LIVE_JSON({"count" : 10})));
	LIVE_TEST(live_tested_act(counter, "reset", "{}") == 0);
	LIVE_TEST(live_tested_is(counter, LIVE_JSON({"count" : 0})));
	LIVE_TEST(live_tested_act(counter, "explode", "{}") < 0);
	live_test_free(test);
	return 0;
}
