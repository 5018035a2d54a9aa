/*
 * What ChatRoom promises: who is in a room hears what is said there, from the first word that is kept.
 */
#include <string.h>

#include <live/test.h>

static const char *text_of(live_tested *tested, const char *path)
{
	const char *text = live_as_string(live_path(live_tested_state(tested), path));

	return text ? text : "";
}

static size_t count(live_tested *tested, const char *key)
{
	return live_len(live_get(live_tested_state(tested), key));
}

int main(void)
{
	const live_definition *const definitions[] = {&live_plugin_definition, NULL};
	live_test *test = live_test_new_with(&(live_test_options){.definitions = definitions, .shards = 2});
	live_tested *ana = LIVE_TEST_MOUNT(test);
	live_tested *ben = LIVE_TEST_MOUNT(test, .shard = 1);

	LIVE_TEST(live_tested_act(ana, "sendMessage", LIVE_JSON({"text" : "too early"})) < 0);
	LIVE_TEST(!strcmp(live_tested_error(ana), "Join a room first"));
	LIVE_TEST(live_tested_act(ana, "setUsername", LIVE_JSON({"username" : "ana"})) == 0);
	LIVE_TEST(live_tested_act(ana, "setUsername", LIVE_JSON({"username" : ""})) < 0);
	LIVE_TEST(live_tested_act(ana, "joinRoom", LIVE_JSON({"roomId" : "tea"})) == 0);
	LIVE_TEST(live_tested_act(ana, "joinRoom", LIVE_JSON({"roomId" : "no room"})) < 0);
	LIVE_TEST(live_tested_act(ana, "sendMessage", LIVE_JSON({"text" : "hello"})) == 0);
	LIVE_TEST(live_as_int(live_get(live_tested_result(ana), "id"), 0) == 1);

	LIVE_TEST(live_tested_act(ben, "joinRoom", LIVE_JSON({"roomId" : "tea"})) == 0);
	LIVE_TEST(!strcmp(text_of(ben, "messages.0.text"), "hello") && !strcmp(text_of(ben, "messages.0.user"), "ana"));
	LIVE_TEST(count(ana, "users") == 2);
	LIVE_TEST(live_tested_come_back(ana) == 0);
	LIVE_TEST(!strcmp(text_of(ana, "username"), "ana") && !strcmp(text_of(ana, "currentRoom"), "tea"));
	LIVE_TEST(live_tested_act(ben, "leaveRoom", NULL) == 0);
	LIVE_TEST(count(ana, "users") == 1 && count(ben, "messages") == 0);
	live_test_free(test);
	return 0;
}
