/*
 * The program liveshard: reads its settings, runs a server until it is told to end (keeper.h). Exit status: 0 after an
 * orderly end, 2 for a setting, file or component that is wrong.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "core/log.h"
#include "server/author/author.h"
#include "server/embed/embed_private.h"
#include "server/inherited.h"
#include "server/keeper.h"
#include "server/server.h"
#include "server/upgrade.h"
#include "server/version.h"

enum { EXIT_WRONG = 2 };

static int fail(const char *error)
{
	fprintf(stderr, "liveshard: %s\n", error);
	return EXIT_WRONG;
}

struct call { /* of the program */
	int argc;
	char **argv;
};

/* Reads all settings again and takes over what may change in a running server: the certificate and the log level. */
static void reload(struct server *server, void *argument)
{
	const struct call *call = argument;
	char error[CONFIG_ERROR_SIZE];
	enum config_wish wish;
	struct config config;

	config_init(&config);
	if (config_read_arguments(&config, call->argc, call->argv, &wish, error) < 0 ||
	    server_reload(server, &config, error) < 0) {
		log_error(NULL, "not reloaded: %s", error);
	} else {
		log_setup(config_log_level(&config), 2);
		log_info(NULL, "reloaded");
	}
	log_flush();
	config_deinit(&config);
}

/* `liveshard upgrade`, with the options of the server that it asks. */
static int ask_for_upgrade(int argc, char **argv)
{
	char error[CONFIG_ERROR_SIZE];
	enum config_wish wish;
	struct config config;

	config_init(&config);
	int rc = config_read_arguments(&config, argc, argv, &wish, error);
	if (rc == 0)
		rc = upgrade_ask(&config, error);
	config_deinit(&config);
	return rc < 0 ? fail(error) : 0;
}

/* Gives options away. */
/* As many open files as the hard limit lets: shells and service managers begin with a thousand. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn(NULL, "cannot raise the limit of open files");
}

static int run(live_options *options, struct call *call, bool only_check)
{
	char error[CONFIG_ERROR_SIZE];
	live_server *server;
	struct inherited inherited;

	keeper_block_signals();
	log_thread("main");
	allow_files();
	if (live_server_new(&server, options, error, sizeof error) < 0)
		return fail(error);
	if (only_check) {
		live_server_free(server);
		printf("settings and components are good\n");
		return 0;
	}
	if (inherited_read(&inherited, error, sizeof error) < 0) {
		live_server_free(server);
		return fail(error);
	}
	server_inherit(server->server, &inherited);
	if (live_server_start(server, error, sizeof error) < 0) {
		live_server_free(server);
		return fail(error);
	}
	server_say_hello(server->server);
	inherited_tell_ready(&inherited);
	keeper_run(server->server, &(struct keeper_options){server->server->config, call->argv, reload, call});
	live_server_free(server);
	return 0;
}

int main(int argc, char **argv)
{
	char error[CONFIG_ERROR_SIZE];
	enum config_wish wish;

	if (argc > 1 && author_has_word(argv[1]))
		return author_run(argc, argv, error) < 0 ? fail(error) : 0;
	if (argc > 1 && !strcmp(argv[1], "upgrade"))
		return ask_for_upgrade(argc - 1, argv + 1);
	live_options *options = live_options_new();
	if (config_read_arguments(&options->config, argc, argv, &wish, error) < 0) {
		live_options_free(options);
		return fail(error);
	}
	switch (wish) {
	case CONFIG_PRINT: config_print(&options->config, stdout); break;
	case CONFIG_VERSION: printf("liveshard %s\n", LIVESHARD_VERSION); break;
	case CONFIG_HELP:
		config_print_help(stdout);
		putchar('\n');
		author_print_help(stdout);
		puts("\nliveshard upgrade [OPTION]...: a new process takes the place of the one that --pid-file names");
		break;
	case CONFIG_DOCS: config_print_docs(stdout); break;
	case CONFIG_CHECK:
	case CONFIG_RUN: return run(options, &(struct call){argc, argv}, wish == CONFIG_CHECK);
	}
	live_options_free(options);
	return 0;
}
