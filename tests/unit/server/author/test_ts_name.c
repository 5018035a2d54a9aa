/* Identifiers made of names of components, and keys that need no quotes. */
#include "server/author/ts_name.h"
#include "unit/core/core_test.h"

static void assert_names(const char *const *pairs)
{
	struct ts_names *names = ts_names_new();

	for (; *pairs; pairs += 2)
		ck_assert_str_eq(ts_names_add(names, str_of(pairs[0])), pairs[1]);
	ts_names_free(names);
}

#define ASSERT_NAMES(...) assert_names((const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_good_names_stay)
{
	ASSERT_NAMES("Counter", "Counter", "counter", "counter", "$chat_Room2", "$chat_Room2");
}
END_TEST

START_TEST(test_odd_names)
{
	ASSERT_NAMES("to-do list", "ToDoList", "2048", "_2048", "--3d", "_3d", "class", "class_", "Promise", "Promise_",
		     "a.b/c", "ABC", "*/ evil", "Evil", "???", "Component", "caf\xc3\xa9 bar", "CafBar");
}
END_TEST

/* Of two that would be the same the later one gets a number; also when it is only their types that would be. */
START_TEST(test_no_name_twice)
{
	ASSERT_NAMES("a b", "AB", "A-B", "AB_2", "AB", "AB_3", "AB_2", "AB_2_2");
	ASSERT_NAMES("Chat", "Chat", "ChatState", "ChatState_2", "ChatActions", "ChatActions_2");
	ASSERT_NAMES("ChatState", "ChatState", "Chat", "Chat_2");
}
END_TEST

START_TEST(test_plain_keys)
{
	ck_assert(ts_name_is_plain(STR("a")) && ts_name_is_plain(STR("_$9")) && ts_name_is_plain(STR("class")));
	ck_assert(!ts_name_is_plain(STR("")) && !ts_name_is_plain(STR("9a")) && !ts_name_is_plain(STR("a-b")));
	ck_assert(!ts_name_is_plain(STR("a\0b")) && !ts_name_is_plain(STR("\xc3\xa9")));
	ts_names_free(NULL);
}
END_TEST

CORE_TESTS("ts_name", test_good_names_stay, test_odd_names, test_no_name_twice, test_plain_keys)
