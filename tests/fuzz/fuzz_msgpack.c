/*
 * Whatever bytes come: what msgpack_parse takes, msgpack_write writes so that it reads back equal, and as JSON it is
 * well-formed.
 */
#include "core/msgpack.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_round_trip(const live_value *value)
{
	struct buf once, twice;
	const live_value *again;

	buf_init(&once, SIZE_MAX / 2);
	buf_init(&twice, SIZE_MAX / 2);
	msgpack_write(&once, value);
	assert_always(!buf_failed(&once));
	assert_always(msgpack_parse(&again, buf_str(&once), MSGPACK_MAX_DEPTH) == 0);
	msgpack_write(&twice, again);
	/* Integers beyond 2^53 lose digits once, as they would in JavaScript, and then no more. */
	assert_always(str_equal(buf_str(&once), buf_str(&twice)));
	live_value_unref(again);
	buf_deinit(&once);
	buf_deinit(&twice);
}

static void check_json(const live_value *value)
{
	const struct json_limits limits = {.max_depth = MSGPACK_MAX_DEPTH};
	const live_value *again;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	json_write(&text, value);
	assert_always(json_parse(&again, buf_str(&text), &limits, NULL) == 0);
	live_value_unref(again);
	buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	const live_value *value;

	if (size)
		memcpy(copy, data, size);
	int rc = msgpack_parse(&value, (struct str){copy, size}, MSGPACK_MAX_DEPTH);
	assert_always((rc == 0) == (value != NULL));
	if (rc == 0) {
		check_round_trip(value);
		check_json(value);
	}
	live_value_unref(value);
	free(copy);
	return 0;
}
