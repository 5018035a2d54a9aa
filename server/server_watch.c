/*
 * What watches the server: the logger's categories, the debugger and its socket, the watchdog of the shards.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/component/trace.h"
#include "server/debug/category.h"
#include "server/debug/debug.h"
#include "server/debug/debug_client.h"
#include "server/debug/debug_tap.h"
#include "server/debug/logger.h"
#include "server/server_private.h"
#include "shard/watchdog.h"

int server_build_watch(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct debug_options options = {.enabled = server->config->debug, .collect = trace_collect};
	char reason[CONFIG_ERROR_SIZE - 16];

	server->debug = debug_hub_new(server->group, &options);
	server->stats.debug = server->debug;
	int rc = categories_parse(&server->logging, server->config->logging, reason, sizeof reason);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "logging: %s", reason);
	return rc;
}

/* ---- the debugger's socket ---- */

static void connect_debugger(struct http_request *request, void *argument)
{
	struct server *server = argument;

	debug_client_accept(server->debug, request, &server->ws, &server->origins);
}

void server_serve_debug(struct server *server)
{
	static const char path[] = "/debug/ws";
	const char *prefix = server->config->http_prefix;

	if (!strcmp(prefix, "off"))
		return;
	server->debug_path = mem_alloc(strlen(prefix) + sizeof path);
	memcpy(mempcpy(server->debug_path, prefix, strlen(prefix)), path, sizeof path);
	http_service_add_upgrade(server->management ? server->management : server->http, server->debug_path,
				 connect_debugger, server);
}

/* ---- the watchdog ---- */

struct notice { /* what the watchdog saw, on its way to a shard that can tell the debugger */
	struct mail mail;
	struct debug_hub *debug;
	char text[256];
};

static void deliver(struct mail *mail, struct shard *here)
{
	struct notice *notice = LIST_OF(mail, struct notice, mail);

	logger_tell(debug_tap_of(notice->debug, here), &(struct logger_line){
							       .category = LIVE_LOG_PERFORMANCE,
							       .warns = true,
							       .text = str_of(notice->text),
						       });
	free(notice);
}

static void discard(struct mail *mail)
{
	free(LIST_OF(mail, struct notice, mail));
}

static void describe(char *text, size_t size, const struct watchdog_report *report)
{
	long long ms = report->held_ms;

	if (report->ended)
		snprintf(text, size, "shard %u turns again after %lld ms", report->shard, ms);
	else if (report->job.who)
		snprintf(text, size, "shard %u has been held for %lld ms: '%s' of %s runs", report->shard, ms,
			 report->job.what, report->job.who);
	else
		snprintf(text, size, "shard %u has been busy for %lld ms, not with a component", report->shard, ms);
}

/* On the watchdog's thread. The shard after the one that is held can tell at once, if there is one. */
static void report_held(void *argument, const struct watchdog_report *report)
{
	struct server *server = argument;
	struct notice *notice = mem_alloc(sizeof *notice);

	describe(notice->text, sizeof notice->text, report);
	log_warn(NULL, "%s", notice->text);
	if (!debug_is_enabled(server->debug)) {
		free(notice);
		return;
	}
	notice->mail.deliver = deliver;
	notice->mail.discard = discard;
	notice->debug = server->debug;
	unsigned other = (report->shard + 1) % shard_group_count(server->group);
	shard_post_outside(shard_group_at(server->group, other), &notice->mail);
}

void server_end_watch(struct server *server)
{
	watchdog_free(server->watchdog);
	server->watchdog = NULL;
}

int server_start_watch(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct watchdog_options options = {
		.limit_ms = server->config->watchdog_ms,
		.report = report_held,
		.argument = server,
	};

	if (!options.limit_ms || server->watchdog)
		return 0;
	int rc = watchdog_new(&server->watchdog, server->group, &options);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "cannot start the watchdog: %s", strerror(-rc));
	return rc;
}
