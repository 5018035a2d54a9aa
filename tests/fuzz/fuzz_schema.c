/*
 * For any schema and payload, a line of JSON each: what compiles checks in bounded time; what fits stays itself where
 * there are no defaults; and what does not fit has a message that is text.
 */
#include "server/schema/schema.h"

#include <string.h>

#include "core/assert.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(const struct schema *schema, const live_value *payload, bool fills)
{
	const live_value *whole;
	struct buf message;

	buf_init(&message, 4096);
	if (schema_apply(schema, payload, "payload", &whole, &message) == 0) {
		assert_always(message.len == 0 && (fills || whole == payload));
		live_value_unref(whole);
	} else {
		assert_always(message.len > 0 && !buf_failed(&message) && !whole);
	}
	assert_always(message.len == 0 || utf8_check(buf_str(&message)));
	buf_deinit(&message);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data;
	const char *newline = size ? memchr(text, '\n', size) : NULL;
	char error[SCHEMA_ERROR_SIZE];
	struct schema *schema;

	if (!newline)
		return 0;
	size_t first = (size_t)(newline - text);
	const live_value *source = live_from_json(text, first, NULL, 0);
	const live_value *payload = live_from_json(newline + 1, size - first - 1, NULL, 0);
	if (source && payload && schema_new(&schema, source, error) == 0) {
		check(schema, payload, memmem(text, first, "default", 7) || memchr(text, '\\', first));
		schema_free(schema);
	}
	live_value_unref(source);
	live_value_unref(payload);
	return 0;
}
