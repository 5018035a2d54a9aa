/*
 * live_options: what a server is to be, before it is one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/embed/embed_private.h"

live_options *live_options_new(void)
{
	live_options *options = mem_alloc(sizeof *options);

	config_init(&options->config);
	return options;
}

void live_options_free(live_options *options)
{
	if (!options)
		return;
	config_deinit(&options->config);
	free((char *)(uintptr_t)options->transport.name);
	free(options);
}

int embed_fail(int rc, char *error, size_t error_size, const char *line)
{
	if (error && error_size)
		snprintf(error, error_size, "%s", line);
	return rc;
}

int live_options_set(live_options *options, const char *name, const char *value, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	int rc = config_set(&options->config, name, value, line);

	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

int live_options_read_file(live_options *options, const char *path, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	int rc = config_read_file(&options->config, path, line);

	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

int live_options_read_environment(live_options *options, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	int rc = config_read_environment(&options->config, line);

	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

int live_options_read_arguments(live_options *options, int argc, char **argv, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	enum config_wish wish;
	int rc = config_read_arguments(&options->config, argc, argv, &wish, line);

	if (rc == 0 && wish != CONFIG_RUN) {
		snprintf(line, sizeof line, "only settings are understood here");
		rc = -EINVAL;
	}
	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

void live_options_set_transport(live_options *options, const live_transport *transport)
{
	free((char *)(uintptr_t)options->transport.name);
	options->transport = *transport;
	options->transport.name = mem_strndup(transport->name, strlen(transport->name));
}

void live_options_set_id_generator(live_options *options, live_id_fn *make, void *argument)
{
	options->make_id = make;
	options->make_id_argument = argument;
}

void live_options_set_user_data(live_options *options, void *user_data)
{
	options->user_data = user_data;
}
