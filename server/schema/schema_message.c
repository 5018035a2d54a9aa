/*
 * What is wrong, in words: the place, then what must be. docs/components.md lists them all.
 */
#include <stdio.h>

#include "core/json.h"
#include "core/utf8.h"
#include "server/schema/schema_check.h"

enum { KEY_BYTES = 64, VALUE_BYTES = 200, MAX_PLACES = 128 };

/* text, cut at a character when it is longer than max bytes. */
static struct str cut(struct str text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return (struct str){text.ptr, max};
}

static bool is_plain(struct str key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];
		bool is_letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '$';
		if (!is_letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return key.len >= 1 && key.len <= KEY_BYTES;
}

static void write_key(struct buf *out, struct str key)
{
	struct str shown = cut(key, KEY_BYTES);

	json_write_string(out, shown);
	if (shown.len < key.len)
		buf_append_str(out, STR("..."));
}

static void write_place(struct buf *out, const struct place *place)
{
	const struct place *chain[MAX_PLACES];
	size_t count = 0;

	for (; place->up && count < MAX_PLACES; place = place->up)
		chain[count++] = place;
	while (place->up)
		place = place->up;
	buf_append_str(out, place->key);
	while (count) {
		place = chain[--count];
		if (place->kind == PLACE_ITEM) {
			buf_printf(out, "[%zu]", place->index);
		} else if (place->kind == PLACE_NAME) {
			buf_append_str(out, STR(" name "));
			write_key(out, place->key);
		} else if (is_plain(place->key)) {
			buf_append_char(out, '.');
			buf_append_str(out, place->key);
		} else {
			buf_append_char(out, '[');
			write_key(out, place->key);
			buf_append_char(out, ']');
		}
	}
	buf_append_str(out, STR(": "));
}

/* Begins a message; false when there is none to tell. */
static bool begin(struct check *check, const struct place *place)
{
	if (check->mute || check->is_over || check->message->len)
		return false;
	write_place(check->message, place);
	return true;
}

bool check_fail(struct check *check, const struct place *place, const char *format, ...)
{
	char text[VALUE_BYTES];
	va_list arguments;

	if (!begin(check, place))
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	buf_append_str(check->message, str_of(text));
	return false;
}

bool check_fail_text(struct check *check, const struct place *place, const char *text, struct str words)
{
	struct str shown = cut(words, VALUE_BYTES);

	if (!begin(check, place))
		return false;
	buf_append_str(check->message, str_of(text));
	utf8_append_repaired(check->message, shown); /* lone surrogates are text to JSON only */
	if (shown.len < words.len)
		buf_append_str(check->message, STR("..."));
	return false;
}

static void write_value(struct buf *out, const live_value *value)
{
	struct buf json;

	buf_init(&json, SIZE_MAX);
	json_write(&json, value);
	struct str shown = cut(buf_str(&json), VALUE_BYTES);
	buf_append_str(out, shown);
	if (shown.len < json.len)
		buf_append_str(out, STR("..."));
	buf_deinit(&json);
}

bool check_fail_value(struct check *check, const struct place *place, const char *text, const live_value *value)
{
	if (!begin(check, place))
		return false;
	buf_append_str(check->message, str_of(text));
	write_value(check->message, value);
	return false;
}

bool check_fail_choices(struct check *check, const struct place *place, const char *text, const live_value *choices)
{
	const char *separator = "";

	if (!begin(check, place))
		return false;
	buf_append_str(check->message, str_of(text));
	size_t start = check->message->len;
	for (live_iter it = {0}; live_next(choices, &it); separator = ", ") {
		buf_append_str(check->message, str_of(separator));
		if (check->message->len - start > VALUE_BYTES) {
			buf_append_str(check->message, STR("..."));
			break;
		}
		write_value(check->message, it.value);
	}
	return false;
}
