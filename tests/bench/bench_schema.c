/*
 * What a check of a payload by its schema costs: honest payloads, and those a patient peer might send to keep a shard
 * busy. Prints the median of RUNS runs, and all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/clock.h"
#include "server/schema/schema.h"

enum { RUNS = 5, RUN_NS = 50 * 1000 * 1000 };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Nanoseconds of one check. */
static double measure(const struct schema *schema, const live_value *payload, struct buf *message)
{
	int64_t start = clock_now_mono_ns();
	int64_t took;
	unsigned count = 0;

	do {
		const live_value *whole;
		message->len = 0;
		if (schema_apply(schema, payload, "payload", &whole, message) == 0)
			live_value_unref(whole);
		took = clock_now_mono_ns() - start;
		count++;
	} while (took < RUN_NS);
	return (double)took / count;
}

/* Payload is given away. */
static void report(const char *name, const char *text, const live_value *payload)
{
	char error[SCHEMA_ERROR_SIZE];
	const live_value *source = live_from_json(text, strlen(text), error, sizeof error);
	struct schema *schema;
	struct buf message;
	double results[RUNS];

	assert_always(source && payload && schema_new(&schema, source, error) == 0);
	buf_init(&message, 4096);
	for (unsigned i = 0; i < RUNS; i++)
		results[i] = measure(schema, payload, &message) / 1000;
	qsort(results, RUNS, sizeof *results, compare);
	printf("%-44s %10.2f us   (", name, results[RUNS / 2]);
	for (unsigned i = 0; i < RUNS; i++)
		printf("%s%.2f", i ? " " : "", results[i]);
	printf(")  %.*s\n", message.len > 40 ? 40 : (int)message.len, message.len ? message.ptr : "");
	fflush(stdout);
	buf_deinit(&message);
	schema_free(schema);
	live_value_unref(source);
	live_value_unref(payload);
}

static const live_value *json(const char *text)
{
	return live_from_json(text, strlen(text), NULL, 0);
}

/* count times c, and then end. */
static const live_value *run_of(char c, size_t count, const char *end)
{
	char *text = malloc(count + strlen(end) + 1);

	assert_always(text);
	memset(text, c, count);
	memcpy(text + count, end, strlen(end) + 1);
	const live_value *value = live_string(text);
	free(text);
	return value;
}

/* An array of count times value, which is given away. */
static const live_value *many_of(size_t count, const live_value *value)
{
	const live_value **items = malloc(count * sizeof *items);

	assert_always(items);
	for (size_t i = 0; i < count; i++)
		items[i] = live_value_ref(value);
	const live_value *array = live_array(count, items);
	free(items);
	live_value_unref(value);
	return array;
}

int main(void)
{
	report("an object of four, no pattern",
	       "{\"type\": \"object\", \"required\": [\"title\"], \"additionalProperties\": false, \"properties\": {"
	       "\"title\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 80}, \"done\": {\"type\": "
	       "\"boolean\"},"
	       "\"stars\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 5},"
	       "\"tags\": {\"type\": \"array\", \"maxItems\": 8, \"items\": {\"type\": \"string\"}}}}",
	       json("{\"title\": \"milk and honey\", \"done\": false, \"stars\": 3, \"tags\": [\"a\", \"b\"]}"));
	report("a text that is not blank", "{\"pattern\": \"\\\\S\"}", json("\"milk and honey\""));
	report("a name", "{\"pattern\": \"^[a-z0-9_-]{3,16}$\"}", json("\"hello_world\""));
	report("a colour", "{\"pattern\": \"^(red|green|blue)$\"}", json("\"green\""));
	report("an address", "{\"pattern\": \"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\\\.[a-zA-Z]{2,}$\"}",
	       json("\"somebody@example.com\""));
	report("a paragraph of 1000, trimmed", "{\"pattern\": \"^\\\\S(.*\\\\S)?$\"}", run_of('a', 1000, ""));
	report("a word in 1000", "{\"pattern\": \"foo\"}", run_of('f', 1000, "foo"));
	report("1000 names", "{\"items\": {\"pattern\": \"^[a-z0-9_-]{3,16}$\"}}",
	       many_of(1000, json("\"hello_world\"")));
	report("(a+)+$ on 30", "{\"pattern\": \"(a+)+$\"}", run_of('a', 30, "!"));
	report("(a+)+$ on 1000", "{\"pattern\": \"(a+)+$\"}", run_of('a', 1000, "!"));
	report("(a+)+$ on 10000", "{\"pattern\": \"(a+)+$\"}", run_of('a', 10000, "!"));
	report("a+$ on 10000", "{\"pattern\": \"a+$\"}", run_of('a', 10000, "!"));
	report("a+$ on 300000", "{\"pattern\": \"a+$\"}", run_of('a', 300000, "!"));
	report("1000 times (a+)+$ on 12", "{\"items\": {\"pattern\": \"(a+)+$\"}}", many_of(1000, run_of('a', 12, "")));
	report("1000 times, not, (a+)+$ on 12", "{\"items\": {\"not\": {\"pattern\": \"(a+)+$\"}}}",
	       many_of(1000, run_of('a', 12, "!")));
	return 0;
}
