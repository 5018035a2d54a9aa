/*
 * config - the settings of one server, from defaults, config file, environment and command line, in this order: later
 * wins.
 *
 * All of it comes from one table, settings.def. Numbers are checked against their range, an unknown name or a wrong
 * value is one clear line. Built before the shards start, then read-only. A secret is never printed. Threads: [start]
 * to build, [any] to read.
 */
#ifndef SERVER_CONFIG_CONFIG_H
#define SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/log.h"
#include "core/str.h"

struct text_list {
	struct str *items; /* each NUL-terminated */
	unsigned count;
	bool is_begun; /* by the command line: what file or environment said is gone */
};

struct config { /* NOLINT(clang-analyzer-optin.performance.Padding): the order is the table's */
#define SETTING_NUMBER(name, fallback, min, max, unit, why) int64_t name;
#define SETTING_TEXT(name, fallback, why) char *name;
#define SETTING_SECRET(name, why) char *name;
#define SETTING_FLAG(name, fallback, why) bool name;
#define SETTING_LIST(name, why) struct text_list name;
#define SETTING_CHOICE(name, fallback, choices, why) char *name;
#include "server/config/settings.def"
#undef SETTING_NUMBER
#undef SETTING_TEXT
#undef SETTING_SECRET
#undef SETTING_FLAG
#undef SETTING_LIST
#undef SETTING_CHOICE
};

enum { CONFIG_ERROR_SIZE = 512 };

/* All defaults. */
void config_init(struct config *config);
void config_deinit(struct config *config);
/* Sets one setting by its name (with _ or -) from text. 0, or -EINVAL with one line in error. A list gets one more. */
int config_set(struct config *config, const char *name, const char *value, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Reads a JSON file: an object of settings. 0, or -errno with one line in error. */
int config_read_file(struct config *config, const char *path, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Reads LIVE_<NAME> for every setting; a list is separated by commas. 0, or -EINVAL with one line in error. */
int config_read_environment(struct config *config, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

/* From which level the log is printed: what log_level and debug say together. */
enum log_level config_log_level(const struct config *config);

enum config_wish { CONFIG_RUN, CONFIG_PRINT, CONFIG_CHECK, CONFIG_VERSION, CONFIG_HELP, CONFIG_DOCS };

/* Reads the command line, with config file and environment below it. *wish: what it asks for. 0, or -EINVAL with one
 * line. */
int config_read_arguments(struct config *config, int argc, char **argv, enum config_wish *wish,
			  char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

/* Writes all settings as a JSON object, secrets as "***". */
void config_print(const struct config *config, FILE *to);
/* Writes how to call the program. */
void config_print_help(FILE *to);
/* Writes the table of docs/configuration.md. */
void config_print_docs(FILE *to);

#endif
