#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pubsub/memory_adapter.h"
#include "server/auth/tokens.h"
#include "server/debug/debug.h"
#include "server/embed/socket.h"
#include "server/server_private.h"

/* ---- from config to what each part takes ---- */

static int trust_proxies(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct text_list *networks = &server->config->trusted_proxies;

	for (unsigned i = 0; i < networks->count; i++) {
		if (!server->trusted)
			server->trusted = address_set_new();
		if (address_set_add(server->trusted, networks->items[i]) < 0) {
			snprintf(error, CONFIG_ERROR_SIZE, "trusted_proxies: '%s' is no network",
				 networks->items[i].ptr);
			return -EINVAL;
		}
	}
	return 0;
}

static unsigned shard_count(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->shards)
		return (unsigned)config->shards;
	return cores < 1 ? 1 : cores > 1024 ? 1024 : (unsigned)cores;
}

static void set_limits(struct server *server)
{
	const struct config *c = server->config;

	server->connection = (struct connection_options){
		.soft_bytes = (size_t)c->outbox_soft_bytes,
		.hard_bytes = (size_t)c->outbox_hard_bytes,
		.soft_age_ms = (unsigned)c->outbox_soft_ms,
		.hard_age_ms = (unsigned)c->outbox_hard_ms,
		.proxy_protocol = c->proxy_protocol,
		.proxies = server->trusted,
	};
	server->net.per_address = (unsigned)c->max_connections_per_address;
	server->net.backlog_total_bytes = (size_t)c->outbox_total_bytes / shard_count(c);
	server->ws = (struct ws_options){
		.max_message_bytes = (size_t)(c->max_payload_bytes > c->max_message_bytes ? c->max_payload_bytes
											  : c->max_message_bytes),
		.ping_ms = (unsigned)c->ping_ms,
		.deflate = c->deflate,
	};
	server->sessions = (struct session_settings){
		.rate = {.tokens = (uint32_t)c->rate_limit_tokens, .per_second = (uint32_t)c->rate_limit_refill},
		.max_depth = (unsigned)c->max_json_depth,
		.max_message_bytes = (size_t)c->max_message_bytes,
	};
	server->origins = (struct origin_list){c->allowed_origin.items, c->allowed_origin.count};
}

static void set_component_settings(struct server *server)
{
	const struct config *c = server->config;

	server->components = (struct component_settings){
		.diff_depth = (unsigned)c->diff_depth,
		.signature_renew_ms = c->signature_renew_ms,
		.action_slow_ms = c->action_slow_ms,
		.action_timeout_ms = c->action_timeout_ms,
		.components_per_client = (unsigned)c->components_per_client,
		.state_backups = (unsigned)c->state_backups,
		.rooms_per_client = (unsigned)c->rooms_per_client,
		.node = server->node,
		.auth = server->auth,
		.pool = server->pool,
		.mount_slow_ms = c->mount_slow_ms,
		.error_alert_count = c->error_alert_count,
		.logging = server->logging,
		.debug = server->debug,
	};
	server->rooms = (struct rooms_options){
		.max_state_bytes = (size_t)c->room_state_bytes,
		.empty_ms = c->room_empty_ms,
		.max_rooms = (uint32_t)c->max_rooms,
		.diff_depth = (unsigned)c->diff_depth,
		.adapter = server->adapter,
	};
}

static void name_node(struct server *server)
{
	if (*server->config->node)
		snprintf(server->node, sizeof server->node, "%s", server->config->node);
	else if (gethostname(server->node, sizeof server->node - 1) < 0)
		snprintf(server->node, sizeof server->node, "node");
}

static struct session_shard *sessions_of(struct shard *shard)
{
	struct server_shard *here = server_shard_of(shard);

	return here ? &here->sessions : NULL;
}

static const struct net_counters *net_of(struct shard *shard)
{
	return net_shard_counters(server_shard_of(shard)->net);
}

/* ---- building ---- */

static int load_components(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	if (!*server->config->components)
		return 0;
	return plugins_load_folder(server->plugins, server->registry, server->config->components, error,
				   CONFIG_ERROR_SIZE);
}

/* The one provider that comes with the server, if it has a file. */
static int build_auth(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	server->auth = auth_manager_new(server->config->auth_timeout_ms);
	if (!*server->config->tokens_file)
		return 0;
	int rc = tokens_new(&server->tokens, server->config->tokens_file, error);
	if (rc < 0)
		return rc;
	live_auth_provider provider = tokens_provider(server->tokens);
	return auth_manager_register(server->auth, &provider);
}

static int build_threads(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct config *c = server->config;
	const struct shard_options options = {
		.count = shard_count(c),
		.mailbox_depth = (unsigned)c->mailbox_depth,
		.mail_budget = (unsigned)c->mail_budget,
	};
	int rc = shard_group_new(&server->group, &options);

	if (rc == 0)
		rc = pool_new(&server->pool, (unsigned)c->pool_threads, (unsigned)c->pool_depth);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "cannot make %u shards: %s", options.count, strerror(-rc));
	return rc;
}

static int build_http(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct config *c = server->config;
	const struct http_options options = {
		.header_ms = (unsigned)c->http_header_ms,
		.body_ms = (unsigned)c->http_body_ms,
		.idle_ms = (unsigned)c->http_idle_ms,
		.max_body_bytes = (size_t)c->http_body_bytes,
		.proxies = server->trusted,
		.connection = &server->connection,
	};

	server->http = http_service_new(&options);
	if (server_has_management(c)) {
		struct connection_options connection = server->connection;
		struct http_options management = options;
		connection.proxy_protocol = false; /* of the doors that a load balancer leads to */
		management.connection = &connection;
		server->management = http_service_new(&management);
	}
	return server_add_routes(server, error);
}

int server_new(struct server **out, const struct config *config, char error[CONFIG_ERROR_SIZE])
{
	struct server *server = mem_alloc(sizeof *server);

	server->config = config;
	server->registry = registry_new();
	buf_init(&server->names, SIZE_MAX);
	server->plugins = plugins_new();
	server->stats = (struct stats_source){
		.sessions_of = sessions_of,
		.net_of = net_of,
		.max_connections = config->max_connections,
	};
	server->adapter = memory_adapter();
	server->transport = server_own_transport(server);
	name_node(server);
	int rc = trust_proxies(server, error);
	set_limits(server);
	if (rc == 0)
		rc = load_components(server, error);
	if (rc == 0)
		rc = build_auth(server, error);
	if (rc == 0)
		rc = build_threads(server, error);
	if (rc == 0)
		rc = server_build_tls(server, error);
	if (rc == 0)
		rc = server_build_watch(server, error);
	if (rc == 0) {
		set_component_settings(server);
		rc = server_build_redis(server, error);
	}
	if (rc == 0) {
		server->keys = signing_keys_new(&(struct signing_options){
			.secret = str_of(config->state_secret),
			.max_age_ms = config->state_max_age * 1000,
			.max_state_bytes = (size_t)config->state_max_bytes,
			.compress = config->state_compression,
			.encrypt = config->state_encryption,
			.nonce_ttl_ms = config->state_nonces ? config->state_nonce_ttl * 1000 : 0,
			.rotation_ms = config->state_rotation_seconds * 1000,
		});
		rc = build_http(server, error);
	}
	if (rc < 0) {
		server_free(server);
		return rc;
	}
	*out = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	if (server->is_started)
		server_stop(server);
	pool_free(server->pool);
	acceptor_free(server->acceptor);
	auth_manager_free(server->auth);
	server_end_watch(server);
	/* A plugin's own threads, which its destructor ends, may post until then. */
	plugins_close(server->plugins);
	shard_group_free(server->group);
	server_free_redis(server);
	debug_hub_free(server->debug);
	free(server->debug_path);
	http_service_free(server->http);
	http_service_free(server->management);
	server_free_tls(server);
	address_set_free(server->trusted);
	signing_keys_free(server->keys);
	buf_deinit(&server->names);
	if (server->reloader)
		reloader_free(server->reloader);
	else
		registry_free(server->registry);
	server_free_routes(server);
	if (server->transport.free)
		server->transport.free(server->transport.argument);
	free(server);
}

/* ---- running ---- */

static void start_shard(struct shard *shard, void *argument)
{
	server_shard_new(argument, shard);
}

static void stop_shard(struct shard *shard, void *argument)
{
	(void)argument;
	server_shard_free(server_shard_of(shard));
}

static enum accept_policy policy_of(const char *name)
{
	if (!strcmp(name, "round-robin"))
		return ACCEPT_ROUND_ROBIN;
	return !strcmp(name, "random") ? ACCEPT_RANDOM : ACCEPT_LEAST_CONNECTIONS;
}

void server_say_hello(const struct server *server)
{
	server_say_where(server);
	printf("%u shards\ncomponents:", shard_group_count(server->group));
	printf("%.*s\n", STR_ARG(buf_str(&server->names)));
	fflush(stdout);
}

/* While the registry is still ours: the reloader may take another one at any time. */
static void name_components(struct server *server)
{
	for (unsigned i = 0; i < registry_count(server->registry); i++)
		buf_printf(&server->names, " %s", registry_at(server->registry, i)->api->name);
	if (!server->names.len)
		buf_append_str(&server->names, STR(" none"));
}

int server_start(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct acceptor_options options = {
		.policy = policy_of(server->config->load_balancing),
		.batch = (unsigned)server->config->accept_batch,
		.max_connections = (uint64_t)server->config->max_connections,
		.on_accept = server_on_accept,
	};
	int rc = acceptor_new(&server->acceptor, server->group, &options);

	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "cannot listen: %s", strerror(-rc));
		return rc;
	}
	server_ready_metrics(server);
	rc = server_register_with_transport(server, error);
	if (rc < 0)
		return rc;
	name_components(server);
	rc = server_start_watch(server, error);
	if (rc < 0)
		return rc;
	server->reloader = reloader_new(&(struct reload_options){
		.group = server->group,
		.pool = server->pool,
		.plugins = server->plugins,
		.registry = server->registry,
		.folder = server->config->components,
		.watch = server->config->watch,
		.watchdog = server->watchdog,
	});
	rc = shard_group_start(server->group, start_shard, stop_shard, server);
	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "cannot start the threads: %s", strerror(-rc));
		return rc;
	}
	server->is_started = true;
	if (server->transport.start)
		rc = server->transport.start(server->transport.argument, error, CONFIG_ERROR_SIZE);
	if (rc < 0) {
		server_stop(server);
		return rc;
	}
	atomic_store_explicit(&server->is_ready, true, memory_order_relaxed);
	return 0;
}
