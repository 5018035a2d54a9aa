/*
 * The config file: one JSON object, its keys the names of settings.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/json.h"
#include "server/config/config_table.h"

enum { MAX_FILE_BYTES = 1024 * 1024 };

static int read_all(const char *path, struct buf *text, char error[CONFIG_ERROR_SIZE])
{
	FILE *file = fopen(path, "re");

	if (!file) {
		int code = errno;
		snprintf(error, CONFIG_ERROR_SIZE, "cannot read config file %s: %s", path, strerror(code));
		return -code;
	}
	char *room;
	size_t count = 1;
	while (count && (room = buf_room(text, 4096))) {
		count = fread(room, 1, 4096, file);
		text->len += count;
	}
	bool failed = ferror(file) || buf_failed(text);
	fclose(file);
	if (!failed)
		return 0;
	snprintf(error, CONFIG_ERROR_SIZE, "cannot read config file %s: it is no file, or over %d bytes", path,
		 MAX_FILE_BYTES);
	return -EINVAL;
}

static void position(struct str text, size_t offset, unsigned *line, unsigned *column)
{
	*line = *column = 1;
	for (size_t i = 0; text.ptr && i < offset && i < text.len; i++) {
		*column = text.ptr[i] == '\n' ? 1 : *column + 1;
		*line += text.ptr[i] == '\n';
	}
}

static int set_one(struct config *config, const char *name, const live_value *value, char error[CONFIG_ERROR_SIZE])
{
	char number[32];

	switch (live_value_type(value)) {
	case LIVE_STRING: return config_set(config, name, live_as_string(value), error);
	case LIVE_BOOL: return config_set(config, name, live_as_bool(value) ? "true" : "false", error);
	case LIVE_INT:
		snprintf(number, sizeof number, "%" PRId64, live_as_int(value, 0));
		return config_set(config, name, number, error);
	default:
		snprintf(error, CONFIG_ERROR_SIZE, "%s: neither text, a whole number, true nor false", name);
		return -EINVAL;
	}
}

static int set_member(struct config *config, const live_iter *it, char error[CONFIG_ERROR_SIZE])
{
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)it->key_len, it->key);
	if (live_value_type(it->value) != LIVE_ARRAY)
		return set_one(config, name, it->value, error);
	const struct setting *setting = setting_find(name);
	if (setting && setting->kind != SETTING_IS_LIST) {
		snprintf(error, CONFIG_ERROR_SIZE, "%s: it takes one value, not a list", name);
		return -EINVAL;
	}
	int rc = 0;
	for (live_iter item = {0}; rc == 0 && live_next(it->value, &item);)
		rc = set_one(config, name, item.value, error);
	return rc;
}

static int parse(const char *path, struct str text, const live_value **out, char error[CONFIG_ERROR_SIZE])
{
	const struct json_limits limits = {.max_depth = 8};
	struct json_error where = {0};
	unsigned line, column;

	if (json_parse(out, text, &limits, &where) < 0) {
		position(text, where.offset, &line, &column);
		snprintf(error, CONFIG_ERROR_SIZE, "%s:%u:%u: %s", path, line, column, where.message);
		return -EINVAL;
	}
	if (live_value_type(*out) == LIVE_OBJECT)
		return 0;
	live_value_unref(*out);
	snprintf(error, CONFIG_ERROR_SIZE, "%s: it must hold one JSON object", path);
	return -EINVAL;
}

int config_read_file(struct config *config, const char *path, char error[CONFIG_ERROR_SIZE])
{
	char reason[CONFIG_ERROR_SIZE];
	const live_value *all = NULL;
	struct buf text;

	buf_init(&text, MAX_FILE_BYTES);
	int rc = read_all(path, &text, error);
	if (rc == 0)
		rc = parse(path, buf_str(&text), &all, error);
	buf_deinit(&text);
	if (rc < 0)
		return rc;
	for (live_iter it = {0}; rc == 0 && live_next(all, &it);)
		rc = set_member(config, &it, reason);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "%s: %.400s", path, reason);
	live_value_unref(all);
	return rc;
}
