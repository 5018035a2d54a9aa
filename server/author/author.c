#include "server/author/author.h"

#include <errno.h>
#include <string.h>

#include "server/author/author_private.h"
#include "server/component/plugin.h"

static int print(struct buf *out, char error[CONFIG_ERROR_SIZE])
{
	int rc = fwrite(out->ptr, 1, out->len, stdout) == out->len && fflush(stdout) == 0 ? 0 : -errno;

	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "cannot write to standard output: %s", strerror(-rc));
	return rc;
}

typedef void write_fn(struct buf *out, const struct registry *registry);

static int print_folder(const char *folder, write_fn *write, char error[CONFIG_ERROR_SIZE])
{
	struct plugins *plugins = plugins_new();
	struct registry *registry = registry_new();
	int rc = plugins_load_folder(plugins, registry, folder, error, CONFIG_ERROR_SIZE);

	if (rc == 0) {
		struct buf out;
		buf_init(&out, SIZE_MAX);
		write(&out, registry);
		rc = print(&out, error);
		buf_deinit(&out);
	}
	registry_free(registry);
	plugins_close(plugins);
	return rc;
}

/* The folder is the setting of the server, so it may also come from a config file or the environment. */
static int print_components(int argc, char **argv, write_fn *write, char error[CONFIG_ERROR_SIZE])
{
	struct config config;
	enum config_wish wish;

	config_init(&config);
	int rc = config_read_arguments(&config, argc, argv, &wish, error);
	if (rc == 0 && wish != CONFIG_RUN) {
		snprintf(error, CONFIG_ERROR_SIZE, "'%s' takes settings only (see --help)", argv[0]);
		rc = -EINVAL;
	} else if (rc == 0 && !*config.components) {
		snprintf(error, CONFIG_ERROR_SIZE, "'%s' needs --components DIR", argv[0]);
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = print_folder(config.components, write, error);
	config_deinit(&config);
	return rc;
}

static int run_manifest(int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	return print_components(argc, argv, manifest_write, error);
}

static int run_types(int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	return print_components(argc, argv, types_write, error);
}

/* NAME [--into DIR], in any order. */
static int run_new(int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	const char *name = NULL;
	const char *folder = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--into") && i + 1 < argc && !folder) {
			folder = argv[++i];
		} else if (*argv[i] != '-' && !name) {
			name = argv[i];
		} else {
			name = NULL;
			break;
		}
	}
	if (!name || (folder && !*folder)) {
		snprintf(error, CONFIG_ERROR_SIZE, "'new' takes NAME [--into DIR] (see --help)");
		return -EINVAL;
	}
	int rc = skeleton_write(name, folder ? folder : name, error);
	if (rc < 0)
		return rc;
	printf("%s/%s.c is a component; %s/README.md says how to build it\n", folder ? folder : name, name,
	       folder ? folder : name);
	return 0;
}

static int run_check(int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	struct buf out;

	if (argc != 2 || *argv[1] == '-') {
		snprintf(error, CONFIG_ERROR_SIZE, "'check' takes one FILE.so (see --help)");
		return -EINVAL;
	}
	buf_init(&out, SIZE_MAX);
	int rc = check_plugin(&out, argv[1], error);
	if (rc == 0)
		rc = print(&out, error);
	buf_deinit(&out);
	return rc;
}

static const struct command {
	const char *word;
	const char *takes;
	const char *why;
	int (*run)(int argc, char **argv, char error[CONFIG_ERROR_SIZE]); /* argv[0]: the word */
} commands[] = {
	{"manifest", "--components DIR", "print what is known of the components in DIR as JSON", run_manifest},
	{"types", "--components DIR", "print the components in DIR as TypeScript, for clients", run_types},
	{"new", "NAME [--into DIR]", "write the files of a new component into DIR (by default NAME)", run_new},
	{"check", "FILE.so", "say what component FILE.so is, or what is wrong with it", run_check},
};

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(word, commands[i].word))
			return &commands[i];
	return NULL;
}

bool author_has_word(const char *word)
{
	return find_command(word) != NULL;
}

int author_run(int argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
	if (argc == 3 && !strcmp(argv[2], "--help")) {
		author_print_help(stdout);
		return 0;
	}
	return find_command(argv[1])->run(argc - 1, argv + 1, error);
}

void author_print_help(FILE *to)
{
	fprintf(to, "For authors of components, instead of running a server:\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		char usage[64];
		snprintf(usage, sizeof usage, "%s %s", commands[i].word, commands[i].takes);
		fprintf(to, "  liveshard %-28s %s\n", usage, commands[i].why);
	}
}
