/* Checking: what fits, and the words for what does not. */
#include "unit/server/schema/schema_test.h"

#include "core/mem.h"

#define OBJECT(...) "{\"type\": \"object\", " __VA_ARGS__ "}"

static const struct {
	const char *schema, *value, *said; /* "" when it fits */
} cases[] = {
	{"true", "1", ""},
	{"false", "1", "payload: is not allowed"},
	{"{}", "null", ""},
	/* type */
	{"{\"type\": \"string\"}", "\"a\"", ""},
	{"{\"type\": \"string\"}", "1", "payload: must be a string"},
	{"{\"type\": \"integer\"}", "1", ""},
	{"{\"type\": \"integer\"}", "1.0", ""},
	{"{\"type\": \"integer\"}", "1e300", ""},
	{"{\"type\": \"integer\"}", "1.5", "payload: must be an integer"},
	{"{\"type\": \"number\"}", "1", ""},
	{"{\"type\": \"number\"}", "\"1\"", "payload: must be a number"},
	{"{\"type\": \"boolean\"}", "false", ""},
	{"{\"type\": \"boolean\"}", "0", "payload: must be a boolean"},
	{"{\"type\": \"null\"}", "null", ""},
	{"{\"type\": \"null\"}", "0", "payload: must be null"},
	{"{\"type\": \"array\"}", "{}", "payload: must be an array"},
	{"{\"type\": \"object\"}", "[]", "payload: must be an object"},
	{"{\"type\": [\"object\", \"null\"]}", "null", ""},
	{"{\"type\": [\"object\", \"null\"]}", "1", "payload: must be an object or null"},
	{"{\"type\": [\"object\", \"string\", \"null\"]}", "1", "payload: must be a string, an object or null"},
	/* enum, const */
	{"{\"enum\": [\"a\", 1, null]}", "1.0", ""},
	{"{\"enum\": [\"a\", 1, null]}", "\"b\"", "payload: must be one of \"a\", 1, null"},
	{"{\"const\": {\"a\": 1, \"b\": 2}}", "{\"b\": 2, \"a\": 1}", ""},
	{"{\"const\": {\"a\": 1}}", "{}", "payload: must be {\"a\":1}"},
	{"{\"const\": false}", "0", "payload: must be false"},
	/* numbers */
	{"{\"minimum\": 1}", "1", ""},
	{"{\"minimum\": 1}", "0.5", "payload: must be at least 1"},
	{"{\"minimum\": 1}", "\"a\"", ""},
	{"{\"maximum\": 9}", "9", ""},
	{"{\"maximum\": 9}", "10", "payload: must be at most 9"},
	{"{\"exclusiveMinimum\": 0}", "0", "payload: must be greater than 0"},
	{"{\"exclusiveMaximum\": 1.5}", "1.5", "payload: must be less than 1.5"},
	{"{\"multipleOf\": 5}", "15", ""},
	{"{\"multipleOf\": 5}", "16", "payload: must be a multiple of 5"},
	{"{\"multipleOf\": 0.1}", "0.3", ""},
	{"{\"multipleOf\": 0.01}", "19.99", ""},
	{"{\"multipleOf\": 0.1}", "0.35", "payload: must be a multiple of 0.1"},
	{"{\"multipleOf\": 1e-300}", "1e300", "payload: must be a multiple of 1e-300"},
	/* strings, counted in code points */
	{"{\"minLength\": 1}", "\"\"", "payload: must have at least 1 character"},
	{"{\"minLength\": 2}", "\"a\"", "payload: must have at least 2 characters"},
	{"{\"maxLength\": 2}", "\"\xc3\xa9\xf0\x9f\x98\x80\"", ""},
	{"{\"maxLength\": 1}", "\"ab\"", "payload: must have at most 1 character"},
	{"{\"pattern\": \"^[a-z]+$\"}", "\"abc\"", ""},
	{"{\"pattern\": \"^[a-z]+$\"}", "\"Abc\"", "payload: must match ^[a-z]+$"},
	{"{\"format\": \"email\"}", "\"ann@example.com\"", ""},
	{"{\"format\": \"email\"}", "\"ann\"", "payload: must be a valid email"},
	{"{\"format\": \"date-time\"}", "\"now\"", "payload: must be a valid date-time"},
	{"{\"format\": \"email\"}", "7", ""},
	/* arrays */
	{"{\"minItems\": 2}", "[1]", "payload: must have at least 2 items"},
	{"{\"maxItems\": 1}", "[1, 2]", "payload: must have at most 1 item"},
	{"{\"items\": {\"type\": \"number\"}}", "[1, 2]", ""},
	{"{\"items\": {\"type\": \"number\"}}", "[1, 2, \"3\"]", "payload[2]: must be a number"},
	{"{\"prefixItems\": [{\"type\": \"number\"}, {\"type\": \"string\"}], \"items\": false}", "[1, \"a\"]", ""},
	{"{\"prefixItems\": [{\"type\": \"number\"}, {\"type\": \"string\"}], \"items\": false}", "[1]", ""},
	{"{\"prefixItems\": [{\"type\": \"number\"}]}", "[\"a\"]", "payload[0]: must be a number"},
	{"{\"prefixItems\": [true], \"items\": false}", "[1, 2]", "payload[1]: is not allowed"},
	{"{\"uniqueItems\": true}", "[1, 2, \"1\", [1], {}]", ""},
	{"{\"uniqueItems\": true}", "[1, 2, 1.0]", "payload: must not hold an item twice"},
	{"{\"uniqueItems\": true}", "[{\"a\": 1, \"b\": 2}, {\"b\": 2, \"a\": 1}]",
	 "payload: must not hold an item twice"},
	{"{\"uniqueItems\": false}", "[1, 1]", ""},
	{"{\"contains\": {\"const\": 1}}", "[0, 1]", ""},
	{"{\"contains\": {\"const\": 1}}", "[0, 2]", "payload: must hold at least 1 item of the kind asked for"},
	{"{\"contains\": {\"const\": 1}, \"minContains\": 2}", "[1]",
	 "payload: must hold at least 2 items of the kind asked for"},
	{"{\"contains\": {\"const\": 1}, \"maxContains\": 1}", "[1, 1]",
	 "payload: must hold at most 1 item of the kind asked for"},
	{"{\"contains\": {\"const\": 1}, \"minContains\": 0}", "[]", ""},
	/* objects */
	{OBJECT("\"required\": [\"a\"]"), "{\"a\": null}", ""},
	{OBJECT("\"required\": [\"title\"]"), "{}", "payload.title: is required"},
	{OBJECT("\"required\": [\"odd name\"]"), "{}", "payload[\"odd name\"]: is required"},
	{OBJECT("\"properties\": {\"a\": {\"type\": \"string\"}}"), "{\"a\": 1}", "payload.a: must be a string"},
	{OBJECT("\"properties\": {\"a\": {\"items\": {\"properties\": {\"b\": {\"minimum\": 1}}}}}"),
	 "{\"a\": [{}, {\"b\": 0}]}", "payload.a[1].b: must be at least 1"},
	{OBJECT("\"properties\": {\"a\": true}, \"additionalProperties\": false"), "{\"a\": 1}", ""},
	{OBJECT("\"properties\": {\"a\": true}, \"additionalProperties\": false"), "{\"a\": 1, \"b\": 2}",
	 "payload.b: is not allowed"},
	{OBJECT("\"additionalProperties\": {\"type\": \"number\"}"), "{\"x\": \"1\"}", "payload.x: must be a number"},
	{OBJECT("\"patternProperties\": {\"^n_\": {\"type\": \"number\"}}, \"additionalProperties\": false"),
	 "{\"n_a\": 1}", ""},
	{OBJECT("\"patternProperties\": {\"^n_\": {\"type\": \"number\"}}"), "{\"n_a\": \"1\"}",
	 "payload.n_a: must be a number"},
	{OBJECT("\"propertyNames\": {\"pattern\": \"^[a-z]+$\"}"), "{\"ok\": 1}", ""},
	{OBJECT("\"propertyNames\": {\"pattern\": \"^[a-z]+$\"}"), "{\"Not ok\": 1}",
	 "payload name \"Not ok\": must match ^[a-z]+$"},
	{"{\"minProperties\": 1}", "{}", "payload: must have at least 1 member"},
	{"{\"maxProperties\": 1}", "{\"a\": 1, \"b\": 2}", "payload: must have at most 1 member"},
	{"{\"dependentRequired\": {\"card\": [\"address\"]}}", "{}", ""},
	{"{\"dependentRequired\": {\"card\": [\"address\"]}}", "{\"card\": 1}",
	 "payload.address: is required with card"},
	/* schemas of schemas */
	{"{\"allOf\": [{\"minimum\": 1}, {\"maximum\": 3}]}", "2", ""},
	{"{\"allOf\": [{\"minimum\": 1}, {\"maximum\": 3}]}", "4", "payload: must be at most 3"},
	{"{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 3}]}", "4", ""},
	{"{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 3}]}", "2", "payload: must fit at least one alternative"},
	{"{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 3}]}", "2", ""},
	{"{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 3}]}", "4", "payload: must fit exactly one alternative"},
	{"{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 3}]}", "0", "payload: must fit exactly one alternative"},
	{"{\"not\": {\"type\": \"string\"}}", "1", ""},
	{"{\"not\": {\"type\": \"string\"}}", "\"a\"", "payload: must not fit what is excluded"},
	{"{\"if\": {\"required\": [\"a\"]}, \"then\": {\"required\": [\"b\"]}, \"else\": {\"required\": [\"c\"]}}",
	 "{\"a\": 1}", "payload.b: is required"},
	{"{\"if\": {\"required\": [\"a\"]}, \"then\": {\"required\": [\"b\"]}, \"else\": {\"required\": [\"c\"]}}",
	 "{}", "payload.c: is required"},
	{"{\"if\": {\"required\": [\"a\"]}, \"then\": {\"required\": [\"b\"]}}", "{}", ""},
	{"{\"$ref\": \"#/$defs/n\", \"maximum\": 5, \"$defs\": {\"n\": {\"type\": \"number\"}}}", "6",
	 "payload: must be at most 5"},
	{"{\"$ref\": \"#/$defs/a~1b\", \"$defs\": {\"a/b\": {\"type\": \"number\"}}}", "\"\"",
	 "payload: must be a number"},
	{"{\"required\": [\"v\"], \"properties\": {\"next\": {\"$ref\": \"#\"}}}",
	 "{\"v\": 1, \"next\": {\"v\": 2, \"next\": {}}}", "payload.next.next.v: is required"},
};

START_TEST(test_all)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct schema *schema = schema_of(cases[i].schema);
		const live_value *value = value_of(cases[i].value);
		const live_value *whole;
		const char *said = said_of(schema, value, &whole);
		ck_assert_msg(strcmp(said, cases[i].said) == 0, "%s on %s said: %s", cases[i].schema, cases[i].value,
			      said);
		if (!*said)
			ck_assert_ptr_eq(whole, value);
		live_value_unref(whole);
		live_value_unref(value);
		schema_free(schema);
	}
}
END_TEST

static const live_value *numbers(size_t count, size_t twice)
{
	const live_value **items = mem_alloc((count + 1) * sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = live_object("n", live_int((int64_t)(i == twice ? 0 : i)), NULL);
	const live_value *array = live_array(count, items);
	free(items);
	return array;
}

START_TEST(test_many_unique)
{
	struct schema *schema = schema_of("{\"uniqueItems\": true}");
	static const size_t counts[] = {1, 2, 8, 9, 16, 17, 1000, 100000};
	const live_value *whole;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		const live_value *good = numbers(counts[i], SIZE_MAX);
		ck_assert_str_eq(said_of(schema, good, &whole), "");
		live_value_unref(whole);
		live_value_unref(good);
		if (counts[i] == 1)
			continue;
		const live_value *bad = numbers(counts[i], counts[i] - 1);
		ck_assert_str_eq(said_of(schema, bad, &whole), "payload: must not hold an item twice");
		live_value_unref(bad);
	}
	schema_free(schema);
}
END_TEST

/* A schema that looks at the same thing again and again, and a value that makes it: it ends, and says so. */
START_TEST(test_too_complex)
{
	struct schema *schema = schema_of("{\"$ref\": \"#/$defs/a\", \"$defs\": {"
					  "\"a\": {\"anyOf\": [{\"items\": {\"$ref\": \"#/$defs/a\"}, \"not\": {}}, "
					  "{\"items\": {\"$ref\": \"#/$defs/a\"}}]}}}");
	const live_value *value = live_int(1);
	const live_value *whole;

	for (unsigned i = 0; i < 60; i++)
		value = live_array_of(value, LIVE_END);
	ck_assert_str_eq(said_of(schema, value, &whole), "payload: is too complex to check");
	live_value_unref(value);
	schema_free(schema);
	schema = schema_of("{\"items\": {\"pattern\": \"(a|b|aa)*(a|b)*(a*)*c$\"}}");
	char *text = mem_alloc(400001);
	memset(text, 'a', 400000);
	value = live_array_of(live_string(text), LIVE_END);
	ck_assert_str_eq(said_of(schema, value, &whole), "payload: is too complex to check");
	free(text);
	live_value_unref(value);
	schema_free(schema);
}
END_TEST

/* Names that a peer chose are cut, at a character, and quoted when they are odd. */
START_TEST(test_long_names)
{
	struct schema *schema = schema_of("{\"additionalProperties\": false}");
	char key[400];
	char expected[600];
	const live_value *whole;

	for (size_t i = 0; i < sizeof key - 1; i += 3)
		memcpy(key + i, "\xe2\x82\xac", 3);
	key[sizeof key - 1] = 0;
	const live_value *value = live_object(key, live_int(1), NULL);
	snprintf(expected, sizeof expected, "payload[\"%.63s\"...]: is not allowed", key);
	ck_assert_str_eq(said_of(schema, value, &whole), expected);
	live_value_unref(value);
	schema_free(schema);
}
END_TEST

START_TEST(test_long_choices)
{
	const live_value *list = live_array(0, NULL);
	struct schema *schema;
	char error[SCHEMA_ERROR_SIZE];
	const live_value *whole;

	for (unsigned i = 0; i < 100; i++) {
		const live_value *longer = live_append(list, live_stringf("choice number %u", i));
		live_value_unref(list);
		list = longer;
	}
	const live_value *source = live_object("enum", list, NULL);
	ck_assert_int_eq(schema_new(&schema, source, error), 0);
	const live_value *value = live_int(1);
	const char *said = said_of(schema, value, &whole);
	ck_assert_uint_lt(strlen(said), 280);
	ck_assert_str_eq(said + strlen(said) - 5, ", ...");
	live_value_unref(value);
	live_value_unref(source);
	schema_free(schema);
}
END_TEST

CORE_TESTS("schema: check", test_all, test_many_unique, test_too_complex, test_long_names, test_long_choices)
