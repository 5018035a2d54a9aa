/* Defaults: where they fill in, where they do not, and that nothing is built without need. */
#include "unit/server/schema/schema_test.h"

static const struct {
	const char *schema, *value, *whole; /* value NULL: there is none */
} cases[] = {
	{"{\"properties\": {\"a\": {\"default\": 1}}}", "{}", "{\"a\": 1}"},
	{"{\"properties\": {\"a\": {\"default\": 1}}}", "{\"b\": 2}", "{\"b\": 2, \"a\": 1}"},
	{"{\"properties\": {\"a\": {\"default\": 1}}}", "{\"a\": null}", "{\"a\": null}"},
	{"{\"properties\": {\"a\": {\"default\": 1}}}", "[]", "[]"},
	{"{\"properties\": {\"a\": {\"default\": 1}}, \"required\": [\"a\"]}", "{}", "{\"a\": 1}"},
	{"{\"properties\": {\"a\": {\"default\": 1}}, \"maxProperties\": 1}", "{}", "{\"a\": 1}"},
	{"{\"properties\": {\"a\": {\"properties\": {\"b\": {\"default\": 1}}}}}", "{\"a\": {}}",
	 "{\"a\": {\"b\": 1}}"},
	{"{\"properties\": {\"a\": {\"properties\": {\"b\": {\"default\": 1}}}}}", "{}", "{}"},
	/* what a default is, it stays */
	{"{\"properties\": {\"a\": {\"default\": {}, \"properties\": {\"b\": {\"default\": 1}}}}}", "{}",
	 "{\"a\": {}}"},
	{"{\"properties\": {\"n\": {\"default\": {}, \"$ref\": \"#\"}}}", "{}", "{\"n\": {}}"},
	{"{\"items\": {\"properties\": {\"a\": {\"default\": 1}}}}", "[{}, {\"a\": 2}, 3, {}]",
	 "[{\"a\": 1}, {\"a\": 2}, 3, {\"a\": 1}]"},
	{"{\"prefixItems\": [true, {\"properties\": {\"a\": {\"default\": 1}}}]}", "[{}, {}, {}]",
	 "[{}, {\"a\": 1}, {}]"},
	{"{\"allOf\": [{\"properties\": {\"a\": {\"default\": 1}}}, {\"required\": [\"a\"]}]}", "{}", "{\"a\": 1}"},
	{"{\"$ref\": \"#/$defs/d\", \"$defs\": {\"d\": {\"properties\": {\"a\": {\"default\": 1}}}}}", "{}",
	 "{\"a\": 1}"},
	{"{\"properties\": {\"a\": {\"$ref\": \"#/$defs/d\"}}, \"$defs\": {\"d\": {\"default\": 5}}}", "{}",
	 "{\"a\": 5}"},
	{"{\"additionalProperties\": {\"properties\": {\"a\": {\"default\": 1}}}}", "{\"x\": {}, \"y\": 2}",
	 "{\"x\": {\"a\": 1}, \"y\": 2}"},
	{"{\"patternProperties\": {\"^x\": {\"properties\": {\"a\": {\"default\": 1}}}}}", "{\"x\": {}, \"y\": {}}",
	 "{\"x\": {\"a\": 1}, \"y\": {}}"},
	{"{\"properties\": {\"children\": {\"items\": {\"$ref\": \"#\"}}, \"n\": {\"default\": 0}}}",
	 "{\"children\": [{\"children\": [{}]}]}",
	 "{\"children\": [{\"children\": [{\"n\": 0}], \"n\": 0}], \"n\": 0}"},
	{"{\"$defs\": {\"d\": {\"properties\": {\"a\": {\"default\": 1}}}}, \"anyOf\": [{\"$ref\": \"#/$defs/d\"}]}",
	 "{}", "{}"},
	{"{\"default\": {\"a\": 1}}", NULL, "{\"a\": 1}"},
	{"{\"default\": {\"a\": 1}}", "null", "null"},
	{"{\"default\": {}, \"properties\": {\"a\": {\"default\": 1}}}", NULL, "{\"a\": 1}"},
};

START_TEST(test_all)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct schema *schema = schema_of(cases[i].schema);
		const live_value *value = cases[i].value ? value_of(cases[i].value) : NULL;
		const live_value *expected = value_of(cases[i].whole);
		const live_value *whole;
		struct buf message;
		buf_init(&message, 4096);
		ck_assert_int_eq(schema_apply(schema, value, "payload", &whole, &message), 0);
		char *text = live_to_json(whole, NULL);
		ck_assert_msg(live_equal(whole, expected), "%s on %s gave %s", cases[i].schema,
			      cases[i].value ? cases[i].value : "nothing", text);
		if (live_equal(value, expected))
			ck_assert_ptr_eq(whole, value); /* itself, not a copy */
		free(text);
		buf_deinit(&message);
		live_value_unref(whole);
		live_value_unref(expected);
		live_value_unref(value);
		schema_free(schema);
	}
}
END_TEST

/* Members and items that follow the first one that was changed are kept, in their order. */
START_TEST(test_order)
{
	struct schema *schema = schema_of("{\"properties\": {\"b\": {\"properties\": {\"x\": {\"default\": 1}}},"
					  " \"z\": {\"default\": 2}}}");
	const live_value *value = value_of("{\"a\": 1, \"b\": {}, \"c\": 3}");
	const live_value *whole;
	ck_assert_str_eq(said_of(schema, value, &whole), "");
	char *text = live_to_json(whole, NULL);
	ck_assert_str_eq(text, "{\"a\":1,\"b\":{\"x\":1},\"c\":3,\"z\":2}");
	free(text);
	live_value_unref(whole);
	live_value_unref(value);
	schema_free(schema);
}
END_TEST

CORE_TESTS("schema: default", test_all, test_order)
