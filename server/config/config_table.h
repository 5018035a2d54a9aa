/*
 * config_table - settings.def as data: one entry per setting, with its place in struct config. Private to
 * server/config. Threads: [any], read-only.
 */
#ifndef SERVER_CONFIG_CONFIG_TABLE_H
#define SERVER_CONFIG_CONFIG_TABLE_H

#include "server/config/config.h"

enum setting_kind {
	SETTING_IS_NUMBER,
	SETTING_IS_TEXT,
	SETTING_IS_SECRET,
	SETTING_IS_FLAG,
	SETTING_IS_LIST,
	SETTING_IS_CHOICE
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;        /* in struct config */
	const char *fallback; /* texts and choices */
	int64_t number;       /* a number's default, a flag's default */
	int64_t min, max;
	const char *unit;    /* numbers; "" for none */
	const char *choices; /* "a|b|c" */
	const char *why;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* Empties list. [start] */
void config_clear_list(struct text_list *list);
/* The setting of that name, with _ or -, or NULL. */
const struct setting *setting_find(const char *name);

#endif
