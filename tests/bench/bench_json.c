/*
 * What one message of 262 bytes costs: to parse into a tree (and free it), to walk by the reader as protocol/decode
 * does, and to print; ours and json-c side by side. Prints the median of the rounds, and the ratio to json-c.
 *
 * Both use the allocator of this process, both print the same bytes without white space into memory that they own and
 * use again, and json-c's tokener is kept too. json-c is the system's library, thus optimised as packages are; what is
 * linked together with us at link time it cannot be.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"
#include "core/json.h"

enum { ROUNDS = 101, TIMES = 2000 };

/* The CALL_ACTION of protocol.md section 8 with a payload as an application would send it. */
static const char message[] = "{\"type\":\"CALL_ACTION\",\"componentId\":\"Ab3dEf9_\",\"action\":\"increment\","
			      "\"payload\":{\"by\":2,\"note\":"
			      "\"a somewhat longer piece of "
			      "text\",\"position\":{\"x\":12.5,\"y\":-300.25},\"tags\":[\"alpha\",\"beta\",3,true,"
			      "null],\"at\":1700000000123},\"requestId\":\"d81-Zz0q\",\"expectResponse\":true}";

static const struct json_limits limits = {.max_depth = 64, .flags = JSON_DROP_PROTOTYPE_NAMES};
static const struct str text = {message, sizeof message - 1};

/* What the measured functions work on. */
static const live_value *tree;
static json_object *their_tree;
static struct buf printed;
static struct arena *arena;

/* Keeps the compiler from seeing that nobody looks at results. */
static volatile size_t sink;

static void parse(void)
{
	const live_value *value;
	if (json_parse(&value, text, &limits, NULL) < 0)
		abort();
	live_value_unref(value);
}

static void print(void)
{
	printed.len = 0;
	json_write(&printed, tree);
	sink = printed.len;
}

/* The top level as strings and flags, the payload checked and passed over. */
static void walk(void)
{
	struct json_reader reader;
	struct json_span span;
	struct str key, string;
	bool flag;

	json_reader_init(&reader, text, arena, &limits);
	json_enter_object(&reader);
	while (json_next_key(&reader, &key) == 1) {
		switch (json_peek(&reader)) {
		case LIVE_STRING: json_read_string(&reader, &string); break;
		case LIVE_BOOL: json_read_bool(&reader, &flag); break;
		default: json_skip(&reader, &span); break;
		}
	}
	if (json_finish(&reader) < 0)
		abort();
}

static void skip(void)
{
	struct json_reader reader;
	struct json_span span;

	json_reader_init(&reader, text, NULL, &limits);
	if (json_skip(&reader, &span) < 0)
		abort();
	sink = span.raw.len;
}

static json_tokener *tokener;

static void their_parse(void)
{
	json_tokener_reset(tokener);
	json_object *object = json_tokener_parse_ex(tokener, message, (int)text.len);
	if (!object)
		abort();
	json_object_put(object);
}

static const char *their_text(void)
{
	size_t len;
	const char *bytes = json_object_to_json_string_length(
		their_tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	sink = len;
	return bytes;
}

static void their_print(void)
{
	their_text();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct measured {
	const char *name;
	void (*run)(void);
	double ns[ROUNDS]; /* per call */
};

/* Of this thread alone, so that a busy machine does not count. */
static int64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double measure_once(void (*run)(void))
{
	int64_t start = cpu_ns();
	for (int i = 0; i < TIMES; i++)
		run();
	return (double)(cpu_ns() - start) / TIMES;
}

static double median(struct measured *measured)
{
	qsort(measured->ns, ROUNDS, sizeof *measured->ns, compare);
	return measured->ns[ROUNDS / 2];
}

int main(void)
{
	struct measured all[] = {
		{.name = "parse", .run = parse},
		{.name = "walk by the reader", .run = walk},
		{.name = "skip", .run = skip},
		{.name = "print", .run = print},
		{.name = "json-c parse", .run = their_parse},
		{.name = "json-c print", .run = their_print},
	};
	enum { COUNT = sizeof all / sizeof *all };

	if (json_parse(&tree, text, &limits, NULL) < 0)
		abort();
	their_tree = json_tokener_parse(message);
	tokener = json_tokener_new();
	buf_init(&printed, 4096);
	arena = arena_new(4096);
	print();
	assert_always(str_equal(buf_str(&printed), text));
	assert_always(str_equal(str_of(their_text()), text));
	/* In turn within each round, so that a noisy moment hits them alike. */
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < COUNT; i++)
			all[i].ns[round] = measure_once(all[i].run);
	}
	printf("one message of %zu bytes, median of %d rounds of %d in CPU time, parse with the free of the tree\n",
	       text.len, ROUNDS, TIMES);
	for (int i = 0; i < COUNT; i++)
		printf("%-20s %7.0f ns\n", all[i].name, median(&all[i]));
	printf("json-c / ours: parse %.1f, print %.1f\n", median(&all[4]) / median(&all[0]),
	       median(&all[5]) / median(&all[3]));
	arena_free(arena);
	buf_deinit(&printed);
	json_tokener_free(tokener);
	json_object_put(their_tree);
	live_value_unref(tree);
	return 0;
}
