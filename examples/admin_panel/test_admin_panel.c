/*
 * What AdminPanel promises: nobody in but admins, and one panel for all of them.
 */
#include <string.h>

#include <live/test.h>

int main(void)
{
	live_test *test = live_test_new(&live_plugin_definition);

	LIVE_TEST(!LIVE_TEST_MOUNT(test));
	LIVE_TEST(!strcmp(live_test_refusal(test), "AUTH_DENIED: Authentication required"));
	LIVE_TEST(!LIVE_TEST_MOUNT(test, .user = "ann", .roles = LIVE_NAMES("editor")));
	LIVE_TEST(!strcmp(live_test_refusal(test), "AUTH_DENIED: Insufficient roles. Required one of: admin"));

	live_tested *ada = LIVE_TEST_MOUNT(test, .user = "ada", .roles = LIVE_NAMES("admin"),
					   .permissions = LIVE_NAMES("notices.wipe"));
	live_tested *bob = LIVE_TEST_MOUNT(test, .user = "bob", .roles = LIVE_NAMES("admin"));
	LIVE_TEST(ada && bob && live_test_alive(test) == 1);
	LIVE_TEST(live_tested_act(bob, "announce", LIVE_JSON({"text" : "tea at four"})) == 0);
	LIVE_TEST(live_tested_act(bob, "announce", LIVE_JSON({"text" : 4})) < 0);
	LIVE_TEST(live_tested_is(ada, LIVE_JSON({"notices" : [ {"text" : "tea at four", "by" : "bob"} ]})));
	LIVE_TEST(live_tested_act(bob, "wipe", NULL) < 0);
	LIVE_TEST(!strcmp(live_tested_error(bob),
			  "AUTH_DENIED: Insufficient permissions for action 'wipe'. Required all: notices.wipe"));
	LIVE_TEST(live_tested_act(ada, "wipe", NULL) == 0);
	LIVE_TEST(live_tested_is(bob, LIVE_JSON({"notices" : []})));
	live_test_free(test);
	return 0;
}
