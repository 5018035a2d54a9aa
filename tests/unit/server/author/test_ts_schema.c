/* The types of payloads. That the compiler takes them, and refuses what does not fit, is for tests/e2e to see. */
#include "unit/server/author/author_test.h"

/* The type of a schema, of which there is one action: "go". */
static void assert_type(const char *schema, const char *type)
{
	const live_action_rule rules[] = {{.action = "go", .schema = schema}, {.action = NULL}};
	const live_definition component = {.name = "Odd", .actions = LIVE_ACTIONS({"go", author_act}), .rules = rules};
	struct buf wanted;

	buf_init(&wanted, SIZE_MAX);
	buf_printf(&wanted, "export type OddGoPayload = %s;\n%c", type, 0);
	author_assert_holds(types_write, &component, wanted.ptr);
	buf_deinit(&wanted);
}

static void assert_action(const char *schema, const char *signature)
{
	const live_action_rule rules[] = {{.action = "go", .schema = schema}, {.action = NULL}};
	const live_definition component = {.name = "Odd", .actions = LIVE_ACTIONS({"go", author_act}), .rules = rules};

	author_assert_holds(types_write, &component, signature);
}

START_TEST(test_plain)
{
	assert_type("true", "unknown");
	assert_type("false", "never");
	assert_type("{}", "unknown");
	assert_type("{\"minLength\":3}", "unknown");
	assert_type("{\"type\":\"string\",\"minLength\":3}", "string");
	assert_type("{\"type\":\"integer\"}", "number");
	assert_type("{\"type\":[\"string\",\"null\"]}", "string | null");
	assert_type("{\"const\":\"a\"}", "\"a\"");
	assert_type("{\"enum\":[\"a\",1,null,{\"b\":[true]}]}", "\"a\" | 1 | null | {\"b\":[true]}");
}
END_TEST

START_TEST(test_containers)
{
	assert_type("{\"type\":\"object\"}", "Record<string, unknown>");
	assert_type("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}", "Record<string, number>");
	assert_type("{\"properties\":{\"a\":{\"type\":\"string\"},\"b c\":{\"type\":\"number\"}},\"required\":[\"a\"]}",
		    "{ a: string; \"b c\"?: number }");
	assert_type("{\"properties\":{\"a\":{\"default\":1}},\"required\":[\"a\",\"z\"]}",
		    "{ a?: unknown; z: unknown }");
	assert_type("{\"properties\":{\"a\":true},\"additionalProperties\":true}",
		    "{ a?: unknown; [key: string]: unknown }");
	assert_type("{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{ a?: unknown }");
	assert_type("{\"type\":\"array\"}", "unknown[]");
	assert_type("{\"items\":{\"type\":[\"string\",\"number\"]}}", "(string | number)[]");
	assert_type("{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"number\"}],\"items\":false,\"minItems\":1}",
		    "[string, number?]");
	assert_type("{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"number\"}}",
		    "[string?, ...number[]]");
	assert_type("{\"prefixItems\":[{\"type\":\"string\"}],\"minItems\":1}", "[string, ...unknown[]]");
}
END_TEST

START_TEST(test_combined)
{
	assert_type("{\"anyOf\":[{\"type\":\"string\"},{\"enum\":[1,2]}]}", "(string | (1 | 2))");
	assert_type("{\"type\":\"object\",\"properties\":{\"a\":true},\"oneOf\":[{\"required\":[\"a\"]},{\"required\":["
		    "\"b\"]}]}",
		    "{ a?: unknown } & ({ a: unknown } | { b: unknown })");
	assert_type("{\"allOf\":[{\"properties\":{\"a\":true}},{\"type\":[\"object\",\"null\"]}]}",
		    "{ a?: unknown } & (Record<string, unknown> | null)");
	assert_type("{\"items\":{\"allOf\":[{\"type\":\"string\"},{\"type\":\"string\"}]}}", "(string & string)[]");
}
END_TEST

START_TEST(test_references)
{
	assert_type("{\"properties\":{\"children\":{\"items\":{\"$ref\":\"#\"}}}}", "{ children?: OddGoPayload[] }");
	assert_type("{\"$ref\":\"#/$defs/user name\",\"$defs\":{\"user name\":{\"type\":\"string\"}}}",
		    "OddGoPayloadUserName");
	assert_action("{\"$ref\":\"#/$defs/user name\",\"$defs\":{\"user name\":{\"type\":\"string\"}}}",
		      "export type OddGoPayloadUserName = string;\n");
	assert_type("{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"$ref\":\"#/properties/a\"}}}",
		    "{ a?: string; b?: unknown }");
}
END_TEST

START_TEST(test_signatures)
{
	assert_action("{\"type\":\"object\"}", "\tgo: (payload: OddGoPayload) => Promise<unknown>;\n");
	assert_action("{\"type\":[\"object\",\"null\"]}", "\tgo: (payload?: OddGoPayload) => Promise<unknown>;\n");
	assert_action("{\"type\":\"object\",\"default\":{}}", "\tgo: (payload?: OddGoPayload) => Promise<unknown>;\n");
	assert_action("{}", "\tgo: (payload?: OddGoPayload) => Promise<unknown>;\n");
}
END_TEST

CORE_TESTS("types of schemas", test_plain, test_containers, test_combined, test_references, test_signatures)
