/* Every setting by every way, and what is refused. The table itself says what to try. */
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/config_table.h"
#include "unit/core/core_test.h"

static char error[CONFIG_ERROR_SIZE];

static const void *field(const struct config *config, const struct setting *setting)
{
	return (const char *)config + setting->offset;
}

/* A value that is not the default, as text. */
static const char *other_value(const struct setting *setting)
{
	static char text[64];

	switch (setting->kind) {
	case SETTING_IS_NUMBER:
		snprintf(text, sizeof text, "%" PRId64, setting->number == setting->max ? setting->min : setting->max);
		return text;
	case SETTING_IS_FLAG: return setting->number ? "false" : "true";
	case SETTING_IS_CHOICE: return strrchr(setting->choices, '|') + 1;
	default: return "some, \"text\"";
	}
}

static bool has_value(const struct config *config, const struct setting *setting, const char *value)
{
	const struct text_list *list = field(config, setting);
	bool yes = !strcmp(value, "true");

	switch (setting->kind) {
	case SETTING_IS_NUMBER: return *(const int64_t *)field(config, setting) == strtoll(value, NULL, 10);
	case SETTING_IS_FLAG: return *(const bool *)field(config, setting) == yes;
	case SETTING_IS_LIST: return list->count >= 1 && str_equal(list->items[list->count - 1], str_of(value));
	default: return !strcmp(*(char *const *)field(config, setting), value);
	}
}

static int read_arguments(struct config *config, int argc, char **argv, enum config_wish *wish)
{
	error[0] = 0;
	int rc = config_read_arguments(config, argc, argv, wish, error);
	ck_assert_int_eq(rc < 0, error[0] != 0);
	ck_assert_ptr_null(strchr(error, '\n'));
	return rc;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void make_path(char path[64])
{
	snprintf(path, 64, "/tmp/live-config-XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(test_command_line)
{
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		for (int form = 0; form < 3; form++) {
			struct config config;
			enum config_wish wish;
			char name[80], word[160];
			snprintf(name, sizeof name, "--%s", s->name);
			for (char *at = name; form != 2 && *at; at++)
				*at = *at == '_' ? '-' : *at;
			snprintf(word, sizeof word, "%s=%s", name, other_value(s));
			char value[80];
			snprintf(value, sizeof value, "%s", other_value(s));
			bool in_two = form == 0 && s->kind != SETTING_IS_FLAG;
			char *argv[] = {"liveshard", in_two ? name : word, in_two ? value : NULL, NULL};
			config_init(&config);
			ck_assert_msg(read_arguments(&config, in_two ? 3 : 2, argv, &wish) == 0, "%s", error);
			ck_assert_int_eq(wish, CONFIG_RUN);
			ck_assert_msg(has_value(&config, s, other_value(s)), "%s", s->name);
			config_deinit(&config);
		}
	}
}
END_TEST

START_TEST(test_environment)
{
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		struct config config;
		char name[80];
		snprintf(name, sizeof name, "LIVE_%s", s->name);
		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		const char *value = s->kind == SETTING_IS_LIST ? "a,,b" : other_value(s);
		setenv(name, value, 1);
		config_init(&config);
		ck_assert_msg(config_read_environment(&config, error) == 0, "%s", error);
		ck_assert_msg(has_value(&config, s, s->kind == SETTING_IS_LIST ? "b" : value), "%s", s->name);
		if (s->kind == SETTING_IS_LIST)
			ck_assert_uint_eq(((const struct text_list *)field(&config, s))->count, 2);
		config_deinit(&config);
		if (s->kind == SETTING_IS_NUMBER || s->kind == SETTING_IS_FLAG || s->kind == SETTING_IS_CHOICE) {
			setenv(name, "", 1);
			config_init(&config);
			ck_assert_msg(config_read_environment(&config, error) == 0, "%s", error);
			ck_assert_msg(!has_value(&config, s, value), "%s", s->name);
			config_deinit(&config);
		}
		unsetenv(name);
	}
}
END_TEST

START_TEST(test_file)
{
	char path[64], text[256];
	make_path(path);
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		struct config config;
		if (s->kind == SETTING_IS_NUMBER || s->kind == SETTING_IS_FLAG)
			snprintf(text, sizeof text, "{\"%s\": %s}", s->name, other_value(s));
		else if (s->kind == SETTING_IS_LIST)
			snprintf(text, sizeof text, "{\"%s\": [\"a\", \"b\"]}", s->name);
		else
			snprintf(text, sizeof text, "{\"%s\": \"%s\"}", s->name,
				 s->kind == SETTING_IS_CHOICE ? other_value(s) : "text");
		write_file(path, text);
		config_init(&config);
		ck_assert_msg(config_read_file(&config, path, error) == 0, "%s", error);
		if (s->kind == SETTING_IS_LIST)
			ck_assert(has_value(&config, s, "b"));
		else if (s->kind == SETTING_IS_TEXT || s->kind == SETTING_IS_SECRET)
			ck_assert(has_value(&config, s, "text"));
		else
			ck_assert_msg(has_value(&config, s, other_value(s)), "%s", s->name);
		config_deinit(&config);
	}
	unlink(path);
}
END_TEST

START_TEST(test_ranges)
{
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		struct config config;
		char text[32];
		if (s->kind != SETTING_IS_NUMBER)
			continue;
		ck_assert_msg(s->min <= s->number && s->number <= s->max, "%s", s->name);
		config_init(&config);
		const int64_t good[] = {s->min, s->max, s->number}, bad[] = {s->min - 1, s->max + 1};
		for (size_t i = 0; i < 3; i++) {
			snprintf(text, sizeof text, "%" PRId64, good[i]);
			ck_assert_int_eq(config_set(&config, s->name, text, error), 0);
		}
		for (size_t i = 0; i < 2; i++) {
			snprintf(text, sizeof text, "%" PRId64, bad[i]);
			ck_assert_int_lt(config_set(&config, s->name, text, error), 0);
			ck_assert_ptr_nonnull(strstr(error, "is out of range"));
		}
		static const char *const nonsense[] = {"", "x", "1x", "1.5", "0x10", "99999999999999999999", "1 "};
		for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
			ck_assert_int_lt(config_set(&config, s->name, nonsense[i], error), 0);
		config_deinit(&config);
	}
}
END_TEST

START_TEST(test_choices_and_flags)
{
	struct config config;
	config_init(&config);
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		static const char *const bad[] = {"", "|", "x", "true ", "TRUE", "2"};
		if (s->kind != SETTING_IS_CHOICE && s->kind != SETTING_IS_FLAG)
			continue;
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
			ck_assert_int_lt(config_set(&config, s->name, bad[i], error), 0);
		if (s->kind == SETTING_IS_CHOICE)
			ck_assert_int_lt(config_set(&config, s->name, s->choices, error), 0);
	}
	ck_assert_int_lt(config_set(&config, "", "1", error), 0);
	ck_assert_int_lt(config_set(&config, "por", "1", error), 0);
	ck_assert_int_lt(config_set(&config, "port_", "1", error), 0);
	config_deinit(&config);
}
END_TEST

/* Default, file, environment, command line: later wins; the file's place on the command line does not matter. */
START_TEST(test_order)
{
	char path[64], file[80];
	struct config config;
	enum config_wish wish;
	make_path(path);
	write_file(path, "{\"port\": 1, \"shards\": 1, \"pool_threads\": 1, \"allowed_origin\": [\"http://file\"]}");
	snprintf(file, sizeof file, "--config=%s", path);
	setenv("LIVE_PORT", "2", 1);
	setenv("LIVE_SHARDS", "2", 1);
	char *argv[] = {"liveshard",        "--port",   "3", "--print-config", file, "--allowed-origin=http://a",
			"--allowed-origin", "http://b", NULL};
	config_init(&config);
	ck_assert_int_eq(read_arguments(&config, 8, argv, &wish), 0);
	ck_assert_uint_eq(config.allowed_origin.count, 2);
	ck_assert_str_eq(config.allowed_origin.items[0].ptr, "http://a");
	ck_assert_str_eq(config.allowed_origin.items[1].ptr, "http://b");
	ck_assert_int_eq(wish, CONFIG_PRINT);
	ck_assert_int_eq(config.port, 3);
	ck_assert_int_eq(config.shards, 2);
	ck_assert_int_eq(config.pool_threads, 1);
	config_deinit(&config);
	unsetenv("LIVE_PORT");
	unsetenv("LIVE_SHARDS");
	unlink(path);
}
END_TEST

START_TEST(test_bad_files)
{
	static const struct {
		const char *text, *error;
	} all[] = {
		{"", ":1:1: "},
		{"{\n\"port\": 1,\n\"x\" 2}", ":3:5: "},
		{"[]", "it must hold one JSON object"},
		{"{\"port\": {}}", "port: "},
		{"{\"port\": [1]}", "port: it takes one value, not a list"},
		{"{\"nobody\": 1}", "there is no setting named 'nobody'"},
		{"{\"allowed_origin\": [[]]}", "allowed_origin: "},
	};
	char path[64];
	make_path(path);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct config config;
		config_init(&config);
		write_file(path, all[i].text);
		ck_assert_int_lt(config_read_file(&config, path, error), 0);
		ck_assert_msg(strstr(error, all[i].error) && !strncmp(error, path, strlen(path)), "%s", error);
		config_deinit(&config);
	}
	unlink(path);
	struct config config;
	config_init(&config);
	ck_assert_int_eq(config_read_file(&config, path, error), -ENOENT);
	ck_assert_int_lt(config_read_file(&config, "/tmp", error), 0);
	config_deinit(&config);
}
END_TEST

START_TEST(test_secrets_are_not_printed)
{
	struct config config;
	char *text = NULL;
	size_t len;
	config_init(&config);
	for (const struct setting *s = settings; s < settings + setting_count; s++)
		if (s->kind == SETTING_IS_SECRET)
			ck_assert_int_eq(config_set(&config, s->name, "very secret", error), 0);
	FILE *file = open_memstream(&text, &len);
	config_print(&config, file);
	fclose(file);
	ck_assert_ptr_null(strstr(text, "very secret"));
	ck_assert_ptr_nonnull(strstr(text, "\"state_secret\": \"***\""));
	const live_value *all = live_from_json(text, len, NULL, 0);
	ck_assert_uint_eq(live_len(all), setting_count);
	live_value_unref(all);
	free(text);
	config_deinit(&config);
}
END_TEST

CORE_TESTS("config", test_command_line, test_environment, test_file, test_ranges, test_choices_and_flags, test_order,
	   test_bad_files, test_secrets_are_not_printed)
