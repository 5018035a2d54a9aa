/* Compiling: what is taken, and what is refused, with the place and the reason. */
#include "unit/server/schema/schema_test.h"

static const struct {
	const char *schema, *error;
} refused[] = {
	{"7", "#: must be an object or a boolean"},
	{"null", "#: must be an object or a boolean"},
	{"{\"propertis\": {}}", "#/propertis: is not known here, so it would not be checked"},
	{"{\"properties\": {\"a/b~c\": {\"typ\": 1}}}",
	 "#/properties/a~1b~0c/typ: is not known here, so it would not be checked"},
	{"{\"unevaluatedProperties\": false}",
	 "#/unevaluatedProperties: is not known here, so it would not be checked"},
	{"{\"type\": \"text\"}", "#/type: is no type: \"text\""},
	{"{\"type\": [\"string\", 1]}", "#/type: must be a string or an array of strings"},
	{"{\"type\": []}", "#/type: must name a type"},
	{"{\"type\": {}}", "#/type: must be a string or an array of strings"},
	{"{\"enum\": []}", "#/enum: must be an array that is not empty"},
	{"{\"enum\": \"a\"}", "#/enum: must be an array that is not empty"},
	{"{\"minimum\": \"1\"}", "#/minimum: must be a number"},
	{"{\"multipleOf\": 0}", "#/multipleOf: must be a number above 0"},
	{"{\"minLength\": -1}", "#/minLength: must be an integer of at least 0"},
	{"{\"maxItems\": 1.5}", "#/maxItems: must be an integer of at least 0"},
	{"{\"uniqueItems\": 1}", "#/uniqueItems: must be a boolean"},
	{"{\"pattern\": 1}", "#/pattern: must be a string"},
	{"{\"pattern\": \"(\"}", "#/pattern: the pattern is unusable: missing closing parenthesis, at offset 1"},
	{"{\"patternProperties\": {\"*\": {}}}",
	 "#/patternProperties/*: the pattern is unusable: quantifier does not follow a repeatable item, at offset 0"},
	{"{\"format\": 1}", "#/format: must be a string"},
	{"{\"format\": \"phone\"}", "#/format: \"phone\" is no format that is known here"},
	{"{\"properties\": []}", "#/properties: must be an object"},
	{"{\"properties\": {\"a\": 1}}", "#/properties/a: must be an object or a boolean"},
	{"{\"required\": \"a\"}", "#/required: must be an array of strings"},
	{"{\"required\": [1]}", "#/required: must be an array of strings"},
	{"{\"dependentRequired\": {\"a\": \"b\"}}", "#/dependentRequired: must be an object of arrays of strings"},
	{"{\"items\": [{}]}", "#/items: must be an object or a boolean"},
	{"{\"allOf\": []}", "#/allOf: must be an array of schemas that is not empty"},
	{"{\"allOf\": [{}, 3]}", "#/allOf/1: must be an object or a boolean"},
	{"{\"minContains\": 2}", "#: minContains and maxContains need contains"},
	{"{\"if\": {}}", "#: if needs then or else, and they need if"},
	{"{\"then\": {}}", "#: if needs then or else, and they need if"},
	{"{\"$ref\": \"other.json\"}", "#/$ref: must be \"#\" or \"#/\" and a JSON pointer into the same schema"},
	{"{\"$ref\": \"#name\"}", "#/$ref: must be \"#\" or \"#/\" and a JSON pointer into the same schema"},
	{"{\"$ref\": \"#/$defs/a\"}", "#: $ref means no schema: #/$defs/a"},
	{"{\"properties\": {\"a\": {\"$ref\": \"#/properties\"}}}",
	 "#/properties/a: $ref means no schema: #/properties"},
	{"{\"$ref\": \"#\"}", "#: refers to itself without end"},
	{"{\"$defs\": {\"a\": {\"allOf\": [{\"$ref\": \"#/$defs/a\"}]}}}",
	 "#/$defs/a/allOf/0: refers to itself without end"},
	{"{\"properties\": {\"a\": {\"$id\": \"x\"}}}", "#/properties/a/$id: is known at the root only"},
	{"{\"properties\": {\"a\": {\"type\": \"string\", \"default\": 1}}}",
	 "#/properties/a: its own default does not fit: default: must be a string"},
	{"{\"anyOf\": [{\"properties\": {\"a\": {\"default\": 1}}}]}",
	 "#/anyOf/0/properties/a/default: has no effect here: a default counts where a property always has it"},
	{"{\"items\": {\"default\": 1}}",
	 "#/items/default: has no effect here: a default counts where a property always has it"},
	{"{\"allOf\": [{\"default\": 1}]}",
	 "#/allOf/0/default: has no effect here: a default counts where a property always has it"},
};

START_TEST(test_refused)
{
	char error[SCHEMA_ERROR_SIZE];
	struct schema *schema;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		const live_value *source = value_of(refused[i].schema);
		ck_assert_int_eq(schema_new(&schema, source, error), -EINVAL);
		ck_assert_ptr_null(schema);
		ck_assert_str_eq(error, refused[i].error);
		live_value_unref(source);
	}
}
END_TEST

START_TEST(test_taken)
{
	static const char *const taken[] = {
		"true",
		"false",
		"{}",
		"{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"$id\": \"todo\", \"$comment\": "
		"\"\"}",
		"{\"title\": \"T\", \"description\": \"D\", \"examples\": [1], \"deprecated\": true, \"x-anything\": 1,"
		" \"readOnly\": true, \"writeOnly\": false, \"contentEncoding\": \"base64\", \"contentMediaType\": "
		"\"a/b\"}",
		/* trees, lists and the like refer to themselves deeper in the value */
		"{\"properties\": {\"children\": {\"items\": {\"$ref\": \"#\"}}}}",
		"{\"$ref\": \"#/properties/a\", \"properties\": {\"a\": {\"type\": \"object\"}}}",
		"{\"properties\": {\"a\": {\"$defs\": {\"in\": {}}, \"$ref\": \"#/properties/a/$defs/in\"}}}",
		/* a definition may have defaults, whoever refers to it */
		"{\"$defs\": {\"d\": {\"properties\": {\"a\": {\"default\": 1}}}}, \"anyOf\": [{\"$ref\": "
		"\"#/$defs/d\"}]}",
	};

	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		struct schema *schema = schema_of(taken[i]);
		const live_value *source = value_of(taken[i]);
		ck_assert(live_equal(schema_source(schema), source));
		live_value_unref(source);
		schema_free(schema);
	}
	schema_free(NULL);
}
END_TEST

/* A schema of many schemas: {"allOf": [{}, {}, ...]}. */
START_TEST(test_too_large)
{
	char error[SCHEMA_ERROR_SIZE];
	struct schema *schema;
	const live_value *list = live_array(0, NULL);

	for (size_t i = 0; i < SCHEMA_MAX_NODES; i++) {
		const live_value *longer = live_append(list, live_object(NULL, NULL));
		live_value_unref(list);
		list = longer;
	}
	const live_value *source = live_object("allOf", list, NULL);
	ck_assert_int_eq(schema_new(&schema, source, error), -EINVAL);
	ck_assert_str_eq(error, "#/allOf/1999: is too large a schema");
	live_value_unref(source);
	source = live_object(NULL, NULL);
	for (size_t i = 0; i < SCHEMA_MAX_DEPTH; i++)
		source = live_object("not", source, NULL);
	ck_assert_int_eq(schema_new(&schema, source, error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, ": is too large a schema"));
	live_value_unref(source);
}
END_TEST

CORE_TESTS("schema: compile", test_refused, test_taken, test_too_large)
