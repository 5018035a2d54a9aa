/*
 * What Job promises: it goes on in steps, ends with what is right, and ends at once when it is told to; and a client
 * that comes back finds it going on.
 */
#include <string.h>

#include <live/test.h>

static bool is(live_tested *job, const char *status, int64_t progress, int64_t found)
{
	const live_value *state = live_tested_state(job);

	return !strcmp(live_as_string(live_get(state, "status")), status) &&
	       live_as_int(live_get(state, "progress"), -1) == progress &&
	       live_as_int(live_get(state, "found"), -1) == found;
}

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);
	live_tested *job = LIVE_TEST_MOUNT(test);

	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 1})) < 0);
	LIVE_TEST(!strcmp(live_tested_error(job), "size must be 20 to 10000000"));
	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 1000})) == 0);
	LIVE_TEST(is(job, "running", 0, 0));
	live_test_run(test);
	LIVE_TEST(is(job, "done", 100, 168));

	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 500})) == 0);
	LIVE_TEST(live_tested_act(job, "cancel", NULL) == 0);
	live_test_run(test);
	LIVE_TEST(is(job, "cancelled", 0, 0));
	LIVE_TEST(live_tested_act(job, "cancel", NULL) < 0);
	LIVE_TEST(!strcmp(live_tested_error(job), "there is nothing to cancel"));

	LIVE_TEST(live_tested_act(job, "start", LIVE_JSON({"size" : 1000})) == 0);
	LIVE_TEST(live_tested_come_back(job) == 0);
	live_test_run(test);
	LIVE_TEST(is(job, "done", 100, 168));

	live_tested *half = LIVE_TEST_MOUNT(
		test, .props = LIVE_JSON({"status" : "running", "size" : 1000, "progress" : 50, "found" : 95}));
	LIVE_TEST(live_tested_come_back(half) == 0);
	live_test_run(test);
	LIVE_TEST(is(half, "done", 100, 168));
	live_tested *odd = LIVE_TEST_MOUNT(test, .props = LIVE_JSON({"status" : "running", "size" : 1e18}));
	LIVE_TEST(live_tested_come_back(odd) == 0);
	LIVE_TEST(is(odd, "cancelled", 0, 0));
	live_test_free(test);
	return 0;
}
