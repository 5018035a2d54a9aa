/*
 * The command line: --name value or --name=value for every setting, and the few words that are no settings.
 */
#include <errno.h>

#include "server/config/config_table.h"

static const struct {
	const char *word;
	enum config_wish wish;
	const char *why;
} wishes[] = {
	{"--print-config", CONFIG_PRINT, "print all settings as JSON and end"},
	{"--check", CONFIG_CHECK, "load settings and components, say whether they are good, and end"},
	{"--version", CONFIG_VERSION, "print the version and end"},
	{"--help", CONFIG_HELP, "print this and end"},
	{"--print-docs", CONFIG_DOCS, "print the table of docs/configuration.md and end"},
};

static bool is_wish(const char *word, enum config_wish *wish)
{
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		if (strcmp(word, wishes[i].word))
			continue;
		*wish = wishes[i].wish;
		return true;
	}
	return false;
}

struct option {
	char name[64];
	const char *value; /* NULL: none was given */
	int words;         /* of the command line that it took */
};

/* Takes "--name value", "--name=value" or a flag's "--name" apart. */
static int read_option(int argc, char **argv, int at, struct option *option, char error[CONFIG_ERROR_SIZE])
{
	const char *word = argv[at];
	const char *equals = strchr(word, '=');

	if (strncmp(word, "--", 2)) {
		snprintf(error, CONFIG_ERROR_SIZE, "'%s' is no option (see --help)", word);
		return -EINVAL;
	}
	int len = equals ? (int)(equals - word) - 2 : (int)strlen(word) - 2;
	snprintf(option->name, sizeof option->name, "%.*s", len, word + 2);
	option->words = 1;
	option->value = equals ? equals + 1 : NULL;
	const struct setting *setting = setting_find(option->name);
	if (!setting && strcmp(option->name, "config")) {
		snprintf(error, CONFIG_ERROR_SIZE, "there is no option '--%s' (see --help)", option->name);
		return -EINVAL;
	}
	if (option->value)
		return 0;
	if (setting && setting->kind == SETTING_IS_FLAG) {
		option->value = "true";
		return 0;
	}
	if (at + 1 >= argc) {
		snprintf(error, CONFIG_ERROR_SIZE, "option '--%s' needs a value", option->name);
		return -EINVAL;
	}
	option->value = argv[at + 1];
	option->words = 2;
	return 0;
}

/* Later wins: the first of a list on the command line takes the place of what stood in it. */
static void begin_list(struct config *config, const struct setting *setting)
{
	struct text_list *list = (struct text_list *)(void *)((char *)config + setting->offset);

	if (setting->kind != SETTING_IS_LIST || list->is_begun)
		return;
	config_clear_list(list);
	list->is_begun = true;
}

/* The config file first, since everything else overrides it. */
static int read_files(struct config *config, int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	struct option option;
	enum config_wish wish;

	for (int i = 1; i < argc; i += option.words) {
		option.words = 1;
		if (is_wish(argv[i], &wish))
			continue;
		if (read_option(argc, argv, i, &option, error) < 0)
			return -EINVAL;
		if (strcmp(option.name, "config"))
			continue;
		int rc = config_read_file(config, option.value, error);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int config_read_arguments(struct config *config, int argc, char **argv, enum config_wish *wish,
			  char error[CONFIG_ERROR_SIZE])
{
	struct option option;
	int rc = read_files(config, argc, argv, error);

	*wish = CONFIG_RUN;
	if (rc == 0)
		rc = config_read_environment(config, error);
	for (int i = 1; rc == 0 && i < argc; i += option.words) {
		option.words = 1;
		if (is_wish(argv[i], wish))
			continue;
		rc = read_option(argc, argv, i, &option, error);
		if (rc < 0 || !strcmp(option.name, "config"))
			continue;
		begin_list(config, setting_find(option.name));
		rc = config_set(config, option.name, option.value, error);
	}
	return rc;
}

void config_print_help(FILE *to)
{
	fprintf(to, "Usage: liveshard [--config FILE] [--SETTING VALUE]...\n\n");
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
		fprintf(to, "  %-28s %s\n", wishes[i].word, wishes[i].why);
	fprintf(to, "  %-28s %s\n\n", "--config FILE", "read settings from a JSON file");
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		char option[64];
		snprintf(option, sizeof option, "--%s", s->name);
		for (char *at = option; *at; at++)
			*at = *at == '_' ? '-' : *at;
		fprintf(to, "  %-28s %s\n", option, s->why);
	}
	fprintf(to, "\nEach setting is also a key of the config file, and LIVE_<SETTING> in the environment.\n");
}
