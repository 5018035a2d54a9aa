/* What is told of components as JSON. */
#include "unit/server/author/author_test.h"

static const live_value *manifest_of(size_t count, const live_definition *components)
{
	char *text = author_written(manifest_write, count, components);
	const live_value *manifest = parsed(text);

	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(text);
	return manifest;
}

static void assert_at(const live_value *manifest, const char *path, const char *json)
{
	assert_prints(live_value_ref(live_path(manifest, path)), json);
}

START_TEST(test_facts)
{
	static const char *const keys[] = {"b", NULL};
	const live_definition components[] = {
		{.name = "Plain", .default_state = "{\"a\":1,\"b\":[null]}"},
		{
			.name = "One \"odd\" */",
			.default_state = "{\"a\":1,\"b\":2}",
			.actions = LIVE_ACTIONS({"go", author_act}, {"destroy", author_act}, {"no", NULL},
						{"on", author_act}),
			.updatable = keys,
			.singleton = true,
			.room_type = "chat",
		},
	};
	const live_value *manifest = manifest_of(2, components);
	ck_assert_uint_eq(live_len(live_get(manifest, "components")), 2);
	assert_at(manifest, "components.0",
		  "{\"name\":\"Plain\",\"defaultState\":{\"a\":1,\"b\":[null]},\"actions\":[],\"updatable\":[\"a\","
		  "\"b\"],"
		  "\"singleton\":false,\"roomType\":\"default\"}");
	assert_at(manifest, "components.1.name", "\"One \\\"odd\\\" */\"");
	assert_at(manifest, "components.1.actions", "[{\"name\":\"go\"},{\"name\":\"on\"}]");
	assert_at(manifest, "components.1.updatable", "[\"b\"]");
	assert_at(manifest, "components.1.singleton", "true");
	assert_at(manifest, "components.1.roomType", "\"chat\"");
	live_value_unref(manifest);
	manifest = manifest_of(0, NULL);
	assert_prints(manifest, "{\"components\":[]}");
}
END_TEST

/* Broken into lines where it is long, it still says the same. */
START_TEST(test_long_states)
{
	uint64_t seed = test_seed();
	for (int i = 0; i < 200; i++) {
		const live_value *state = live_object("it", chance_value(&seed, 6, 5), NULL);
		char *text = live_to_json(state, NULL);
		const live_definition component = {.name = "Long", .default_state = text};
		const live_value *manifest = manifest_of(1, &component);
		ck_assert(live_equal(live_path(manifest, "components.0.defaultState"), state));
		live_value_unref(manifest);
		live_value_unref(state);
		free(text);
	}
}
END_TEST

CORE_TESTS("manifest", test_facts, test_long_states)
