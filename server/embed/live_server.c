/*
 * live_server: a server's life, as a program that embeds it lives it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/component/instance.h"
#include "server/embed/embed_private.h"

/* ---- building ---- */

int live_server_new(live_server **out, live_options *options, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	live_server *self = mem_alloc(sizeof *self);

	self->options = options ? options : live_options_new();
	log_setup(config_log_level(&self->options->config), 2);
	int rc = server_new(&self->server, &self->options->config, line);
	if (rc < 0) {
		live_options_free(self->options);
		free(self);
		return embed_fail(rc, error, error_size, line);
	}
	struct server *server = self->server;
	server->owner = self;
	server->components.server = self;
	server->components.ids = server->sessions.ids =
		(struct id_source){self->options->make_id, self->options->make_id_argument};
	if (self->options->transport.name)
		server->transport = self->options->transport;
	*out = self;
	return 0;
}

int live_server_register(live_server *server, const live_definition *definition, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	int rc = registry_add(server->server->registry, definition, "the program", line, sizeof line);

	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

int live_server_load(live_server *server, const char *path, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];
	struct plugins *plugins = server->server->plugins;
	struct registry *registry = server->server->registry;
	struct stat about;
	int rc;

	if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
		rc = plugins_load_file(plugins, registry, path, line, sizeof line);
	else
		rc = plugins_load_folder(plugins, registry, path, line, sizeof line);
	return rc < 0 ? embed_fail(rc, error, error_size, line) : 0;
}

int live_server_use_auth(live_server *server, const live_auth_provider *provider)
{
	return auth_manager_register(server->server->auth, provider);
}

int live_server_add_route(live_server *server, const live_route *route)
{
	if (!route->method || !*route->method || !route->handler || !route->path || *route->path != '/')
		return -EINVAL;
	server_add_route(server->server, route);
	return 0;
}

/* ---- running ---- */

int live_server_start(live_server *server, char *error, size_t error_size)
{
	char line[CONFIG_ERROR_SIZE];

	if (server->was_started)
		return embed_fail(-EALREADY, error, error_size, "the server was started before");
	server->was_started = true;
	/* At once: a component that is mounted while others are still at the start may ask. */
	atomic_store_explicit(&server->is_running, true, memory_order_release);
	int rc = server_start(server->server, line);
	if (rc < 0) {
		live_server_shutdown(server, 0);
		return embed_fail(rc, error, error_size, line);
	}
	return 0;
}

void live_server_shutdown(live_server *server, int64_t deadline_ms)
{
	assert_always(!shard_here() || shard_group_of(shard_here()) != server->server->group);
	atomic_store_explicit(&server->is_running, false, memory_order_release);
	server->options->config.shutdown_ms = deadline_ms < 0 ? 0 : deadline_ms;
	server_stop(server->server);
}

void live_server_free(live_server *server)
{
	if (!server)
		return;
	if (live_server_is_running(server))
		live_server_shutdown(server, server->options->config.shutdown_ms);
	server_free(server->server);
	live_options_free(server->options);
	free(server);
}

/* ---- about it ---- */

bool live_server_is_running(const live_server *server)
{
	return atomic_load_explicit(&server->is_running, memory_order_acquire);
}

unsigned live_server_port(const live_server *server)
{
	return server->server->doors[DOOR_MAIN].port;
}

unsigned live_server_shard_count(const live_server *server)
{
	return shard_group_count(server->server->group);
}

void *live_server_user_data(const live_server *server)
{
	return server->options->user_data;
}

live_server *live_server_of(const live_component *self)
{
	return self->home->settings->server;
}
