#include "server/debug/category.h"

#include <errno.h>
#include <stdio.h>

#include <live/component.h>

static const struct {
	unsigned bit;
	struct str name;
} categories[] = {
	{LIVE_LOG_LIFECYCLE, STR("lifecycle")}, {LIVE_LOG_MESSAGES, STR("messages")},
	{LIVE_LOG_STATE, STR("state")},         {LIVE_LOG_PERFORMANCE, STR("performance")},
	{LIVE_LOG_ROOMS, STR("rooms")},         {LIVE_LOG_WEBSOCKET, STR("websocket")},
};

enum { CATEGORIES = sizeof categories / sizeof categories[0] };

const char *category_name(unsigned category)
{
	for (size_t i = 0; i < CATEGORIES; i++)
		if (category & categories[i].bit)
			return categories[i].name.ptr;
	return "none";
}

static unsigned find(struct str name)
{
	for (size_t i = 0; i < CATEGORIES; i++)
		if (str_equal(name, categories[i].name))
			return categories[i].bit;
	return 0;
}

static struct str trimmed(struct str text)
{
	while (text.len && *text.ptr == ' ')
		text = (struct str){text.ptr + 1, text.len - 1};
	while (text.len && text.ptr[text.len - 1] == ' ')
		text.len--;
	return text;
}

int categories_parse(unsigned *out, const char *text, char *error, size_t error_size)
{
	unsigned all = 0;

	*out = !strcmp(text, "true") ? LIVE_LOG_ALL : 0;
	if (*out || !strcmp(text, "false"))
		return 0;
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		struct str name = trimmed((struct str){at, len});
		unsigned bit = find(name);
		if (name.len && !bit) {
			snprintf(error, error_size,
				 "'%.*s' is none of lifecycle, messages, state, performance, rooms, websocket, true, "
				 "false",
				 STR_ARG(name));
			return -EINVAL;
		}
		all |= bit;
		at += len + (at[len] == ',');
	}
	*out = all;
	return 0;
}
