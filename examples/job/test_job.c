/*
 * What Job promises: it goes on in steps, ends with what is right, and ends at once when it is told to.
 */
#include <string.h>

#include <live/test.h>

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *job = LIVE_TEST_MOUNT(test);

	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 1})) < 0);
	LIVE_TEST(!strcmp(live_tested_error(job), "size must be 10 to 1000000"));
	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 1000})) == 0);
	LIVE_TEST(live_tested_is(job, LIVE_JSON({"status" : "running", "progress" : 0, "found" : 0, "error" : null})));
	live_test_run(test);
	LIVE_TEST(live_tested_is(job, LIVE_JSON({"status" : "done", "progress" : 100, "found" : 168, "error" : null})));

	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 500})) == 0);
	LIVE_TEST(live_tested_act(job, "cancel", NULL) == 0);
	live_test_run(test);
	LIVE_TEST(
		live_tested_is(job, LIVE_JSON({"status" : "cancelled", "progress" : 0, "found" : 0, "error" : null})));
	live_test_free(test);
	return 0;
}
