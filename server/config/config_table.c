#include "server/config/config_table.h"

#define AT(name) offsetof(struct config, name)
#define SETTING_NUMBER(name, fallback, min, max, unit, why) \
	{#name, SETTING_IS_NUMBER, AT(name), NULL, fallback, min, max, unit, NULL, why},
#define SETTING_TEXT(name, fallback, why) {#name, SETTING_IS_TEXT, AT(name), fallback, 0, 0, 0, "", NULL, why},
#define SETTING_SECRET(name, why) {#name, SETTING_IS_SECRET, AT(name), "", 0, 0, 0, "", NULL, why},
#define SETTING_FLAG(name, fallback, why) {#name, SETTING_IS_FLAG, AT(name), NULL, fallback, 0, 1, "", NULL, why},
#define SETTING_LIST(name, why) {#name, SETTING_IS_LIST, AT(name), NULL, 0, 0, 0, "", NULL, why},
#define SETTING_CHOICE(name, fallback, choices, why) \
	{#name, SETTING_IS_CHOICE, AT(name), fallback, 0, 0, 0, "", choices, why},

const struct setting settings[] = {
#include "server/config/settings.def"
};

const size_t setting_count = sizeof settings / sizeof settings[0];

static bool is_same_name(const char *a, const char *b)
{
	while (*a && (*a == *b || (*a == '_' && *b == '-')))
		a++, b++;
	return !*a && !*b;
}

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < setting_count; i++)
		if (is_same_name(settings[i].name, name))
			return &settings[i];
	return NULL;
}
