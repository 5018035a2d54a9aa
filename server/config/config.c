#include "server/config/config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/config/config_table.h"

__attribute__((format(printf, 2, 3))) static int refuse(char error[CONFIG_ERROR_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, CONFIG_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static void *field(const struct config *config, const struct setting *setting)
{
	return (char *)(uintptr_t)config + setting->offset;
}

/* ---- one setting ---- */

static int set_number(struct config *config, const struct setting *setting, const char *value,
		      char error[CONFIG_ERROR_SIZE])
{
	char *end;

	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return refuse(error, "%s: '%s' is not a whole number", setting->name, value);
	if (number < setting->min || number > setting->max)
		return refuse(error, "%s: %lld is out of range (%" PRId64 " to %" PRId64 ")", setting->name, number,
			      setting->min, setting->max);
	*(int64_t *)field(config, setting) = number;
	return 0;
}

static int set_flag(struct config *config, const struct setting *setting, const char *value,
		    char error[CONFIG_ERROR_SIZE])
{
	static const char *const yes[] = {"true", "1", "yes", "on"};
	static const char *const no[] = {"false", "0", "no", "off"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*(bool *)field(config, setting) = !strcmp(value, yes[i]);
			return 0;
		}
	}
	return refuse(error, "%s: '%s' is neither true nor false", setting->name, value);
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *at = strchr(value, '|') ? NULL : choices; at;
	     at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
		if (len && !strncmp(at, value, len) && (at[len] == '|' || !at[len]))
			return true;
	return false;
}

static void set_text(struct config *config, const struct setting *setting, const char *value)
{
	char **text = field(config, setting);

	free(*text);
	*text = mem_strndup(value, strlen(value));
}

static void add_to_list(struct text_list *list, const char *value, size_t len)
{
	list->items = mem_realloc(list->items, (list->count + 1) * sizeof *list->items);
	list->items[list->count++] = (struct str){mem_strndup(value, len), len};
}

void config_clear_list(struct text_list *list)
{
	for (unsigned i = 0; i < list->count; i++)
		free((char *)(uintptr_t)list->items[i].ptr);
	free(list->items);
	*list = (struct text_list){0};
}

static int set_setting(struct config *config, const struct setting *setting, const char *value,
		       char error[CONFIG_ERROR_SIZE])
{
	switch (setting->kind) {
	case SETTING_IS_NUMBER: return set_number(config, setting, value, error);
	case SETTING_IS_FLAG: return set_flag(config, setting, value, error);
	case SETTING_IS_LIST: add_to_list(field(config, setting), value, strlen(value)); return 0;
	case SETTING_IS_CHOICE:
		if (!is_choice(setting->choices, value))
			return refuse(error, "%s: '%s' is none of %s", setting->name, value, setting->choices);
		break;
	case SETTING_IS_TEXT:
	case SETTING_IS_SECRET: break;
	}
	set_text(config, setting, value);
	return 0;
}

int config_set(struct config *config, const char *name, const char *value, char error[CONFIG_ERROR_SIZE])
{
	const struct setting *setting = setting_find(name);

	if (!setting)
		return refuse(error, "there is no setting named '%s'", name);
	return set_setting(config, setting, value, error);
}

enum log_level config_log_level(const struct config *config)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	if (config->debug)
		return LOG_DEBUG;
	for (int i = 0; i < 4; i++)
		if (!strcmp(config->log_level, names[i]))
			return (enum log_level)i;
	return LOG_INFO;
}

/* ---- all of them ---- */

void config_init(struct config *config)
{
	*config = (struct config){0};
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		if (s->kind == SETTING_IS_NUMBER)
			*(int64_t *)field(config, s) = s->number;
		else if (s->kind == SETTING_IS_FLAG)
			*(bool *)field(config, s) = s->number != 0;
		else if (s->kind != SETTING_IS_LIST)
			set_text(config, s, s->fallback);
	}
}

void config_deinit(struct config *config)
{
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		if (s->kind == SETTING_IS_LIST)
			config_clear_list(field(config, s));
		else if (s->kind != SETTING_IS_NUMBER && s->kind != SETTING_IS_FLAG)
			free(*(char **)field(config, s));
	}
}

static void add_all(struct config *config, const struct setting *setting, const char *value)
{
	config_clear_list(field(config, setting));
	while (*value) {
		size_t len = strcspn(value, ",");
		if (len)
			add_to_list(field(config, setting), value, len);
		value += len + (value[len] == ',');
	}
}

/* In the environment nothing stands for these as well: what composes one often leaves a variable that it has no value
 * for. */
static bool cannot_be_empty(const struct setting *setting)
{
	return setting->kind == SETTING_IS_NUMBER || setting->kind == SETTING_IS_FLAG ||
	       setting->kind == SETTING_IS_CHOICE;
}

int config_read_environment(struct config *config, char error[CONFIG_ERROR_SIZE])
{
	char name[64];

	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		snprintf(name, sizeof name, "LIVE_%s", s->name);
		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		const char *value = getenv(name);
		if (!value || (!*value && cannot_be_empty(s)))
			continue;
		if (s->kind == SETTING_IS_LIST)
			add_all(config, s, value);
		else if (set_setting(config, s, value, error) < 0)
			return -EINVAL;
	}
	return 0;
}
