/* The TypeScript that is made of components. That the compiler takes it is for the integration test to see. */
#include "unit/server/author/author_test.h"

static void assert_state(const char *default_state, const char *type)
{
	const live_definition component = {.name = "Odd", .default_state = default_state};
	struct buf wanted;

	buf_init(&wanted, SIZE_MAX);
	buf_printf(&wanted, "export type OddState = %s;\n%c", type, 0);
	author_assert_holds(types_write, &component, wanted.ptr);
	buf_deinit(&wanted);
}

START_TEST(test_whole)
{
	const live_definition component = {
		.name = "Counter",
		.default_state = "{\"count\":0,\"by\":null}",
		.actions = LIVE_ACTIONS({"increment", author_act}, {"_hidden", author_act}, {"missing", NULL},
					{"setState", author_act}, {"toString", author_act}, {"re-set", author_act}),
	};
	char *text = author_written(types_write, 1, &component);
	ck_assert_str_eq(text, "// Written by `liveshard types`: what is changed here is lost with the next run.\n"
			       "\n"
			       "export type CounterState = {\n"
			       "\tcount: number;\n"
			       "\tby: unknown | null;\n"
			       "};\n"
			       "\n"
			       "export interface CounterActions {\n"
			       "\tincrement: (payload?: unknown) => Promise<unknown>;\n"
			       "\t\"re-set\": (payload?: unknown) => Promise<unknown>;\n"
			       "}\n"
			       "\n"
			       "export interface Counter extends CounterActions {}\n"
			       "export class Counter {\n"
			       "\tstatic readonly componentName = \"Counter\";\n"
			       "\tstatic readonly defaultState: CounterState = { count: 0, by: null };\n"
			       "\tstatic readonly publicActions = [\"increment\", \"re-set\"] as const;\n"
			       "}\n");
	free(text);
}
END_TEST

START_TEST(test_types_of_state)
{
	assert_state("{}", "Record<string, unknown>");
	assert_state("{\"a\":1,\"b\":0.5,\"c\":\"\",\"d\":true}",
		     "{\n\ta: number;\n\tb: number;\n\tc: string;\n\td: boolean;\n}");
	assert_state("{\"a\":[]}", "{\n\ta: unknown[];\n}");
	assert_state("{\"a\":{}}", "{\n\ta: Record<string, unknown>;\n}");
	assert_state("{\"a\":[1,2.5]}", "{\n\ta: number[];\n}");
	assert_state("{\"a\":[1,\"x\",null,false]}", "{\n\ta: (boolean | number | string | null)[];\n}");
	assert_state("{\"a\":[null]}", "{\n\ta: (unknown | null)[];\n}");
	assert_state("{\"a\":[[1],[\"x\"],[]]}", "{\n\ta: (number | string)[][];\n}");
	assert_state("{\"a\":{\"b\":{\"c\":null}}}", "{\n\ta: { b: { c: unknown | null } };\n}");
}
END_TEST

/* What the objects of an array have in common is one type; what some of them lack is optional. */
START_TEST(test_objects_in_arrays)
{
	assert_state("{\"a\":[{\"id\":1,\"x\":1},{\"id\":\"s\"},{\"y\":[]}]}",
		     "{\n\ta: { id?: number | string; x?: number; y?: unknown[] }[];\n}");
	assert_state("{\"a\":[{\"id\":1},null,{\"id\":2}]}", "{\n\ta: ({ id: number } | null)[];\n}");
	assert_state("{\"a\":[{\"in\":{\"x\":1}},{\"in\":{}}]}", "{\n\ta: { in: { x?: number } }[];\n}");
}
END_TEST

START_TEST(test_odd_keys)
{
	assert_state(
		"{\"a b\":1,\"\":2,\"new\":3,\"9\":4,\"\\\"\":5}",
		"{\n\t\"a b\": number;\n\t\"\": number;\n\tnew: number;\n\t\"9\": number;\n\t\"\\\"\": number;\n}");
	const live_definition component = {.name = "Odd", .default_state = "{\"a\":{\"__proto__\":{\"x\":[1,{}]}}}"};
	author_assert_holds(types_write, &component,
			    "{\n\ta: { [\"__proto__\"]: { x: (number | Record<string, unknown>)[] } };\n}");
	author_assert_holds(types_write, &component, "OddState = { a: { [\"__proto__\"]: { x: [1, {}] } } };");
}
END_TEST

/* As deep as a default state may be: the text comes to an end, and so does the stack. */
START_TEST(test_deepest)
{
	char state[300] = "{\"a\":";
	memset(state + 5, '[', 63);
	memset(state + 68, ']', 63);
	memcpy(state + 131, "}", 2);
	const live_definition component = {.name = "Deep", .default_state = state};
	author_assert_holds(types_write, &component, "\ta: unknown[][][]");
	author_assert_holds(manifest_write, &component, "[[[[[[");
}
END_TEST

START_TEST(test_none)
{
	char *text = author_written(types_write, 0, NULL);
	ck_assert_ptr_nonnull(strstr(text, "\nexport {};\n")); /* a module, also when it is empty */
	free(text);
}
END_TEST

CORE_TESTS("types", test_whole, test_types_of_state, test_objects_in_arrays, test_odd_keys, test_deepest, test_none)
