#include "core/json.h"

#include <stdio.h>

#include "core/assert.h"
#include "core/buf.h"

/* JSON for authors: core/json with the limits and the error text that live/value.h promises. */

enum { MAX_DEPTH = 64 };

const live_value *live_from_json(const char *text, size_t len, char *error, size_t error_size)
{
	const struct json_limits limits = {.max_depth = MAX_DEPTH};
	const live_value *value;
	struct json_error what = {0};

	if (json_parse(&value, (struct str){text, len}, &limits, &what) == 0)
		return value;
	if (error && error_size)
		snprintf(error, error_size, "%s at byte %zu", what.message, what.offset);
	return NULL;
}

char *live_to_json(const live_value *value, size_t *len)
{
	struct buf text;
	buf_init(&text, SIZE_MAX / 2);
	json_write(&text, value);
	size_t written = text.len;
	buf_append_char(&text, 0);
	/* It is limited by memory alone, which live/value.h says aborts. */
	assert_always(!buf_failed(&text));
	if (len)
		*len = written;
	return text.ptr;
}
