/*
 * The program liveshard: reads its settings, runs a server until it is told to end. Exit status: 0 after an orderly
 * end, 2 for a setting, file or component that is wrong.
 */
#include <signal.h>
#include <stdlib.h>

#include "core/log.h"
#include "server/server.h"
#include "server/version.h"

enum { EXIT_WRONG = 2 };

static int fail(const char *error)
{
	fprintf(stderr, "liveshard: %s\n", error);
	return EXIT_WRONG;
}

static enum log_level level_of(const struct config *config)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	if (config->debug)
		return LOG_DEBUG;
	for (int i = 0; i < 4; i++)
		if (!strcmp(config->log_level, names[i]))
			return (enum log_level)i;
	return LOG_INFO;
}

/* Signals that end the server are taken by this thread alone, in sigwait. */
static void block_signals(sigset_t *ending)
{
	sigemptyset(ending);
	sigaddset(ending, SIGTERM);
	sigaddset(ending, SIGINT);
	pthread_sigmask(SIG_BLOCK, ending, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(const struct config *config, bool only_check)
{
	char error[CONFIG_ERROR_SIZE];
	struct server *server;
	sigset_t ending;
	int signal_number;

	block_signals(&ending);
	log_setup(level_of(config), 2);
	log_thread("main");
	if (server_new(&server, config, error) < 0)
		return fail(error);
	if (only_check) {
		server_free(server);
		printf("settings and components are good\n");
		return 0;
	}
	if (server_start(server, error) < 0) {
		server_free(server);
		return fail(error);
	}
	sigwait(&ending, &signal_number);
	log_info(NULL, "ending on signal %d", signal_number);
	log_flush();
	server_stop(server);
	server_free(server);
	return 0;
}

int main(int argc, char **argv)
{
	char error[CONFIG_ERROR_SIZE];
	enum config_wish wish;
	struct config config;
	int status = 0;

	config_init(&config);
	if (config_read_arguments(&config, argc, argv, &wish, error) < 0) {
		config_deinit(&config);
		return fail(error);
	}
	switch (wish) {
	case CONFIG_PRINT: config_print(&config, stdout); break;
	case CONFIG_VERSION: printf("liveshard %s\n", LIVESHARD_VERSION); break;
	case CONFIG_HELP: config_print_help(stdout); break;
	case CONFIG_DOCS: config_print_docs(stdout); break;
	case CONFIG_CHECK:
	case CONFIG_RUN: status = run(&config, wish == CONFIG_CHECK); break;
	}
	config_deinit(&config);
	return status;
}
