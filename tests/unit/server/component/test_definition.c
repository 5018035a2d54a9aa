/* The registry: what it takes, and what a client's name finds. */
#include <check.h>
#include <stdlib.h>

#include "server/component/definition.h"
#include "unit/core/core_test.h"

static int run(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

static const char *add(struct registry *registry, const live_definition *api)
{
	static char error[256];

	error[0] = 0;
	int rc = registry_add(registry, api, "here.so", error, sizeof error);
	ck_assert_int_eq(rc < 0, error[0] != 0);
	return error;
}

static const char *found(struct registry *registry, const char *name)
{
	const struct definition *definition = registry_find(registry, str_of(name));
	return definition ? definition->api->name : "";
}

START_TEST(test_lookup)
{
	struct registry *registry = registry_new();
	static const live_definition all[] = {
		{.name = "Chat"}, {.name = "chatComponent"}, {.name = "TodoComponent"}, {.name = "x"}, {.name = "X"},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		ck_assert_str_eq(add(registry, &all[i]), "");
	ck_assert_uint_eq(registry_count(registry), 5);
	ck_assert_str_eq(registry_at(registry, 3)->api->name, "x");
	ck_assert_str_eq(found(registry, "Chat"), "Chat");
	ck_assert_str_eq(found(registry, "chat"), "chatComponent"); /* its variant comes before the capital */
	ck_assert_str_eq(found(registry, "Todo"), "TodoComponent");
	ck_assert_str_eq(found(registry, "todo"), "TodoComponent");
	ck_assert_str_eq(found(registry, "x"), "x");
	ck_assert_str_eq(found(registry, "CHAT"), "");
	ck_assert_str_eq(found(registry, ""), "");
	ck_assert_str_eq(found(registry, "todoComponentComponent"), "");
	char longest[4000];
	memset(longest, 'y', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	ck_assert_str_eq(found(registry, longest), "");
	ck_assert_ptr_null(registry_find(registry, STR("Chat\0")));
	registry_free(registry);
}
END_TEST

START_TEST(test_refusals)
{
	struct registry *registry = registry_new();
	char longest[200];
	memset(longest, 'y', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	ck_assert_str_eq(add(registry, &(live_definition){0}), "a component's name must have 1 to 128 bytes");
	ck_assert_str_ne(add(registry, &(live_definition){.name = ""}), "");
	ck_assert_str_ne(add(registry, &(live_definition){.name = longest}), "");
	ck_assert_str_eq(add(registry, &(live_definition){.name = "A", .default_state = "[]"}),
			 "the default state of component 'A' is unusable: it is not an object");
	ck_assert_str_ne(add(registry, &(live_definition){.name = "A", .default_state = "{"}), "");
	ck_assert_str_eq(
		add(registry, &(live_definition){.name = "A", .actions = LIVE_ACTIONS({"go", run}, {"go", run})}),
		"component 'A' has two actions named 'go'");
	ck_assert_uint_eq(registry_count(registry), 0);
	static const live_definition fine = {.name = "A"};
	ck_assert_str_eq(add(registry, &fine), "");
	ck_assert_str_eq(add(registry, &fine), "component 'A' is defined twice: in here.so and in here.so");
	registry_free(registry);
	registry_free(NULL);
}
END_TEST

/* Names are compared whole: what goes on behind a NUL is another one, and nothing is read beyond the table's. */
START_TEST(test_actions)
{
	struct registry *registry = registry_new();
	const live_definition api = {.name = "A", .actions = LIVE_ACTIONS({"go", run}, {"goOn", NULL}, {"", run})};
	ck_assert_str_eq(add(registry, &api), "");
	const struct definition *definition = registry_at(registry, 0);
	ck_assert_str_eq(definition_action(definition, STR("go"))->name, "go");
	ck_assert_str_eq(definition_action(definition, STR("goOn"))->name, "goOn");
	ck_assert_ptr_nonnull(definition_action(definition, STR("")));
	ck_assert_ptr_null(definition_action(definition, STR("g")));
	ck_assert_ptr_null(definition_action(definition, STR("gone")));
	ck_assert_ptr_null(definition_action(definition, STR("go\0")));
	ck_assert_ptr_null(definition_action(definition, STR("go\0On and on and on and on and on")));
	registry_free(registry);
}
END_TEST

START_TEST(test_updatable)
{
	struct registry *registry = registry_new();
	static const char *const keys[] = {"a", NULL};
	const live_definition own = {.name = "Own", .default_state = "{\"a\":1,\"b\":2}", .updatable = keys};
	const live_definition all = {.name = "All", .default_state = "{\"a\":1,\"b\":null}"};
	ck_assert_str_eq(add(registry, &own), "");
	ck_assert_str_eq(add(registry, &all), "");
	ck_assert(definition_is_updatable(registry_at(registry, 0), STR("a")));
	ck_assert(!definition_is_updatable(registry_at(registry, 0), STR("b")));
	ck_assert(definition_is_updatable(registry_at(registry, 1), STR("b")));
	ck_assert(!definition_is_updatable(registry_at(registry, 1), STR("c")));
	ck_assert(!definition_is_updatable(registry_at(registry, 1), STR("a\0")));
	registry_free(registry);
}
END_TEST

START_TEST(test_rules)
{
	struct registry *registry = registry_new();
	const live_action *actions = LIVE_ACTIONS({"go", run}, {"rest", run});
	const live_definition stray = {.name = "A", .actions = actions, .rules = LIVE_RULES({.action = "wipe"})};
	ck_assert_str_eq(add(registry, &stray), "component 'A' has a rule for 'wipe', which is none of its actions");
	const live_definition none = {.name = "A", .rules = LIVE_RULES({.action = "go"})};
	ck_assert_str_eq(add(registry, &none), "component 'A' has a rule for 'go', which is none of its actions");
	const live_definition twice = {
		.name = "A", .actions = actions, .rules = LIVE_RULES({.action = "go"}, {.action = "go"})};
	ck_assert_str_eq(add(registry, &twice), "component 'A' has two rules for action 'go'");
	ck_assert_uint_eq(registry_count(registry), 0);
	registry_free(registry);
}
END_TEST

START_TEST(test_schemas)
{
	struct registry *registry = registry_new();
	const live_action *actions = LIVE_ACTIONS({"go", run}, {"rest", run});
	const live_definition typo = {
		.name = "A", .actions = actions, .rules = LIVE_RULES({.action = "rest", .schema = "{\"typ\": 1}"})};
	ck_assert_str_eq(add(registry, &typo), "the schema of component 'A', action 'rest' is unusable: "
					       "#/typ: is not known here, so it would not be checked");
	const live_definition broken = {
		.name = "A", .actions = actions, .rules = LIVE_RULES({.action = "rest", .schema = "{"})};
	const char *said = add(registry, &broken);
	ck_assert_ptr_nonnull(strstr(said, "the schema of component 'A', action 'rest' is unusable: "));
	ck_assert_uint_eq(registry_count(registry), 0);
	const live_definition fine = {
		.name = "A", .actions = actions, .rules = LIVE_RULES({.action = "rest", .schema = "{}"})};
	ck_assert_str_eq(add(registry, &fine), "");
	const struct definition *definition = registry_at(registry, 0);
	ck_assert_ptr_null(definition_schema(definition, definition_action(definition, STR("go"))));
	ck_assert_ptr_nonnull(definition_schema(definition, definition_action(definition, STR("rest"))));
	registry_free(registry);
}
END_TEST

START_TEST(test_facts)
{
	struct registry *registry = registry_new();
	ck_assert_str_eq(add(registry, &(live_definition){.name = "A", .persistent = "3"}),
			 "the persistent data of component 'A' is unusable: it is not an object");
	ck_assert_str_eq(add(registry, &(live_definition){.name = "A", .logging = 1u << 9}),
			 "component 'A' asks for logging that does not exist: 0x200");
	const live_definition fine = {.name = "A", .persistent = "{\"n\": 1}", .logging = LIVE_LOG_ALL};
	ck_assert_str_eq(add(registry, &fine), "");
	ck_assert_int_eq(live_as_int(live_get(registry_at(registry, 0)->persistent, "n"), 0), 1);
	registry_free(registry);
}
END_TEST

CORE_TESTS("definition", test_lookup, test_refusals, test_actions, test_updatable, test_rules, test_schemas, test_facts)
