/*
 * Whatever bytes come: json_parse, json_skip and the reader agree on what is JSON; what was parsed and printed parses
 * again to an equal value, and prints the same.
 */
#include "core/json.h"

#include <stdlib.h>

#include "core/assert.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct json_limits limits = {.max_depth = 40};

static bool is_prototype_name(struct str key)
{
	return str_equal(key, STR("__proto__")) || str_equal(key, STR("constructor")) ||
	       str_equal(key, STR("prototype"));
}

/* Walks one value piece by piece, no deeper than the reader's limit; whether it is well-formed. */
static bool walk(struct json_reader *reader, bool *has_prototype_names)
{
	struct str key, text;
	double number;
	bool flag;
	int rc;

	switch (json_peek(reader)) {
	case LIVE_STRING: return json_read_string(reader, &text) == 0;
	case LIVE_INT: return json_read_double(reader, &number) == 0;
	case LIVE_BOOL: return json_read_bool(reader, &flag) == 0;
	case LIVE_ARRAY:
		if (json_enter_array(reader) < 0)
			return false;
		while ((rc = json_next_item(reader)) == 1) {
			if (!walk(reader, has_prototype_names))
				return false;
		}
		return rc == 0;
	case LIVE_OBJECT:
		if (json_enter_object(reader) < 0)
			return false;
		while ((rc = json_next_key(reader, &key)) == 1) {
			*has_prototype_names |= is_prototype_name(key);
			if (!walk(reader, has_prototype_names))
				return false;
		}
		return rc == 0;
	case LIVE_NULL: {
		const live_value *value;
		return json_read_value(reader, &value) == 0;
	}
	default: return false;
	}
}

static void check_skip(struct str text, bool valid)
{
	struct json_reader reader;
	struct json_span span;
	struct arena *arena = arena_new(1024);
	bool has_prototype_names = false;

	json_reader_init(&reader, text, NULL, &limits);
	bool skipped = json_skip(&reader, &span) == 0 && json_finish(&reader) == 0;
	assert_always(skipped == valid);
	json_reader_init(&reader, text, arena, &limits);
	bool walked = walk(&reader, &has_prototype_names) && json_finish(&reader) == 0;
	assert_always(walked == valid);
	assert_always(!valid || has_prototype_names == span.has_prototype_names);
	arena_free(arena);
}

static void check_round_trip(const live_value *value)
{
	struct buf once, twice;
	const live_value *again;

	buf_init(&once, SIZE_MAX / 2);
	buf_init(&twice, SIZE_MAX / 2);
	json_write(&once, value);
	assert_always(!buf_failed(&once));
	assert_always(json_parse(&again, buf_str(&once), &limits, NULL) == 0);
	json_write(&twice, again);
	assert_always(str_equal(buf_str(&once), buf_str(&twice)));
	/* Infinities are the one thing that does not survive: they print as null. */
	assert_always(live_equal(value, again) || memmem(once.ptr, once.len, "null", 4));
	live_value_unref(again);
	buf_deinit(&once);
	buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	/* A copy that ends where its memory ends, so that a read past it is seen. */
	char *copy = malloc(size ? size : 1);
	struct str text = {copy, size};
	const live_value *value;
	struct json_error error = {0};

	if (size)
		memcpy(copy, data, size);
	bool valid = json_parse(&value, text, &limits, &error) == 0;
	assert_always(valid == !error.message && error.offset <= size);
	check_skip(text, valid);
	if (valid)
		check_round_trip(value);
	live_value_unref(value);

	const struct json_limits dropping = {.max_depth = 40, .flags = JSON_DROP_PROTOTYPE_NAMES};
	assert_always((json_parse(&value, text, &dropping, NULL) == 0) == valid);
	live_value_unref(value);
	free(copy);
	return 0;
}
