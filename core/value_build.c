#include "core/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/plain.h"
#include "core/utf8.h"

/* ---- strings ---- */

static const live_value *bytes_value(live_type type, struct str bytes, bool plain)
{
	if (!bytes.len)
		return value_empty(type);
	live_value *value = value_new(type, bytes.len + 1);
	char *to = (char *)(value + 1);
	value->len = bytes.len;
	value->plain = plain;
	memcpy(to, bytes.ptr, bytes.len);
	to[bytes.len] = 0;
	return value;
}

const live_value *value_string(struct str bytes, bool plain)
{
	return bytes_value(LIVE_STRING, bytes, plain);
}

const live_value *live_string(const char *text)
{
	return text ? live_string_len(text, strlen(text)) : live_null();
}

const live_value *live_string_len(const char *text, size_t len)
{
	struct str bytes = {text, len};
	bool plain = plain_is(bytes);
	if (plain || utf8_check(bytes))
		return value_string(bytes, plain);
	struct buf repaired;
	buf_init(&repaired, SIZE_MAX / 2);
	utf8_append_repaired(&repaired, bytes);
	assert_always(!buf_failed(&repaired));
	const live_value *value = value_string(buf_str(&repaired), false);
	buf_deinit(&repaired);
	return value;
}

const live_value *live_stringf(const char *format, ...)
{
	char *text;
	va_list arguments;
	va_start(arguments, format);
	int len = vasprintf(&text, format, arguments);
	va_end(arguments);
	assert_always(len >= 0);
	const live_value *value = live_string_len(text, (size_t)len);
	free(text);
	return value;
}

const live_value *live_binary(const void *bytes, size_t len)
{
	return bytes_value(LIVE_BINARY, (struct str){bytes, len}, false);
}

/* ---- arrays ---- */

/* An array of count items, which it takes; none of them NULL. */
static const live_value *array_of(const live_value *const *items, size_t count)
{
	if (!count)
		return value_empty(LIVE_ARRAY);
	live_value *array = value_new(LIVE_ARRAY, count * sizeof *items);
	array->len = count;
	memcpy(array + 1, items, count * sizeof *items);
	return array;
}

const live_value *value_array_of_pairs(const struct value_pair *pairs, size_t count)
{
	if (!count)
		return value_empty(LIVE_ARRAY);
	live_value *array = value_new(LIVE_ARRAY, count * sizeof(const live_value *));
	const live_value **to = (const live_value **)(void *)(array + 1);
	array->len = count;
	for (size_t i = 0; i < count; i++)
		to[i] = pairs[i].value;
	return array;
}

const live_value *live_array(size_t count, const live_value *const *items)
{
	if (!count)
		return value_empty(LIVE_ARRAY);
	live_value *array = value_new(LIVE_ARRAY, count * sizeof *items);
	const live_value **to = (const live_value **)(void *)(array + 1);
	array->len = count;
	for (size_t i = 0; i < count; i++)
		to[i] = value_or_null(items[i]);
	return array;
}

const live_value *live_array_of(const live_value *first, ...)
{
	va_list arguments, again;
	size_t count = 0;

	va_start(arguments, first);
	va_copy(again, arguments);
	for (const live_value *item = first; item != LIVE_END; item = va_arg(arguments, const live_value *))
		count++;
	va_end(arguments);
	live_value *array = value_new(LIVE_ARRAY, count * sizeof first);
	const live_value **to = (const live_value **)(void *)(array + 1);
	array->len = count;
	for (const live_value *item = first; item != LIVE_END; item = va_arg(again, const live_value *))
		*to++ = item;
	va_end(again);
	return array;
}

const live_value *live_append(const live_value *array, const live_value *value)
{
	size_t len = value_is(array, LIVE_ARRAY) ? array->len : 0;
	live_value *longer = value_new(LIVE_ARRAY, (len + 1) * sizeof value);
	const live_value **to = (const live_value **)(void *)(longer + 1);
	longer->len = len + 1;
	for (size_t i = 0; i < len; i++)
		to[i] = live_value_ref(value_items(array)[i]);
	to[len] = value_or_null(value);
	return longer;
}

const live_value *live_slice(const live_value *array, size_t start, size_t end)
{
	size_t len = value_is(array, LIVE_ARRAY) ? array->len : 0;
	if (end > len)
		end = len;
	if (start >= end)
		return value_empty(LIVE_ARRAY);
	if (end - start == len)
		return live_value_ref(array);
	const live_value *slice = array_of(value_items(array) + start, end - start);
	for (size_t i = start; i < end; i++)
		live_value_ref(value_items(array)[i]);
	return slice;
}
