/*
 * What Clock promises: one push a second, and none that nobody waits for.
 */
#include <live/test.h>

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *clock = LIVE_TEST_MOUNT(test);
	int64_t started_ms = live_test_now_ms(test);

	LIVE_TEST(live_as_int(live_get(live_tested_state(clock), "time"), 0) == started_ms);
	LIVE_TEST(live_as_int(live_get(live_tested_state(clock), "shards"), 0) == 1);
	unsigned pushes = live_tested_count(clock, "STATE_DELTA");
	live_test_advance(test, 3500);
	LIVE_TEST(live_tested_count(clock, "STATE_DELTA") == pushes + 3);
	LIVE_TEST(live_as_int(live_get(live_tested_state(clock), "time"), 0) == started_ms + 3000);
	LIVE_TEST(live_as_int(live_get(live_tested_state(clock), "uptime"), 0) == 3);
	live_tested_unmount(clock);
	LIVE_TEST(!live_tested_is_alive(clock) && live_test_alive(test) == 0);
	live_test_free(test);
	return 0;
}
