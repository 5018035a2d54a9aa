/*
 * The program liveshard: reads its settings, runs a server until SIGTERM or SIGINT ends it; SIGHUP reads the settings
 * again. Exit status: 0 after an orderly end, 2 for a setting, file or component that is wrong.
 */
#include <signal.h>
#include <stdlib.h>

#include "core/log.h"
#include "server/author/author.h"
#include "server/embed/embed_private.h"
#include "server/server.h"
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

/* Signals are taken by this thread alone, in sigwait. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Reads all settings again and takes over what may change in a running server: the certificate and the log level. */
static void reload(struct server *server, const struct call *call)
{
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

/* Returns when a signal ends the server. */
static void heed_signals(struct server *server, const sigset_t *signals, const struct call *call)
{
	int number;

	while (sigwait(signals, &number) == 0 && number == SIGHUP)
		reload(server, call);
	log_info(NULL, "ending on signal %d", number);
	log_flush();
}

/* Gives options away. */
static int run(live_options *options, const struct call *call, bool only_check)
{
	char error[CONFIG_ERROR_SIZE];
	live_server *server;
	sigset_t signals;

	block_signals(&signals);
	log_thread("main");
	if (live_server_new(&server, options, error, sizeof error) < 0)
		return fail(error);
	if (only_check) {
		live_server_free(server);
		printf("settings and components are good\n");
		return 0;
	}
	if (live_server_start(server, error, sizeof error) < 0) {
		live_server_free(server);
		return fail(error);
	}
	server_say_hello(server->server);
	heed_signals(server->server, &signals, call);
	live_server_free(server);
	return 0;
}

int main(int argc, char **argv)
{
	char error[CONFIG_ERROR_SIZE];
	enum config_wish wish;

	if (argc > 1 && author_has_word(argv[1]))
		return author_run(argc, argv, error) < 0 ? fail(error) : 0;
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
		break;
	case CONFIG_DOCS: config_print_docs(stdout); break;
	case CONFIG_CHECK:
	case CONFIG_RUN: return run(options, &(struct call){argc, argv}, wish == CONFIG_CHECK);
	}
	live_options_free(options);
	return 0;
}
