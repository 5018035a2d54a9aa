/*
 * Statistics, alerts and the debugger, for the program.
 */
#include <live/monitor.h>

#include <stdlib.h>

#include <live/transport.h>

#include "core/mem.h"
#include "server/debug/debug.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/monitor/alerts.h"

/* ---- statistics: the route's own answer, without HTTP ---- */

struct stats_asked {
	const char *part; /* of the answer; NULL: all of it */
	live_done_fn *done;
	void *argument;
};

static void on_stats(void *argument, unsigned status, const char *headers, const char *content_type, const void *body,
		     size_t len)
{
	struct stats_asked *asked = argument;
	const live_value *stats = status == 200 ? live_from_json(body, len, NULL, 0) : NULL;

	(void)headers;
	(void)content_type;
	if (asked->done)
		asked->done(asked->argument, stats ? NULL : ERRAND_ENDED,
			    asked->part ? live_get(stats, asked->part) : stats);
	live_value_unref(stats);
	free(asked);
}

static void serve_stats(live_request *request, void *argument)
{
	struct server *server = argument;

	stats_answer(request, server->group, &server->stats);
}

static void ask_stats(live_server *server, const char *part, live_done_fn *done, void *argument)
{
	const live_route route = {
		.method = "GET", .path = "/stats", .handler = serve_stats, .argument = server->server};
	const live_request_info info = {.method = "GET", .path = "/stats"};

	if (!live_server_is_running(server)) {
		if (done)
			done(argument, ERRAND_ENDED, NULL);
		return;
	}
	struct stats_asked *asked = mem_alloc(sizeof *asked);
	*asked = (struct stats_asked){part, done, argument};
	live_route_serve(&route, &info, on_stats, asked);
}

void live_server_stats(live_server *server, live_done_fn *done, void *argument)
{
	ask_stats(server, NULL, done, argument);
}

void live_performance_monitor_stats(live_server *server, live_done_fn *done, void *argument)
{
	ask_stats(server, "performance", done, argument);
}

/* ---- alerts ---- */

static void visit_alerts(struct errand_leg *leg, struct server_shard *here)
{
	const struct alerts *alerts = here->components->alerts;
	struct errand_list list = {0};
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	for (unsigned i = 0; alerts && i < alerts_count(alerts); i++) {
		alert_write(&text, alerts_at(alerts, i));
		errand_list_add(&list, live_from_json(text.ptr, text.len, NULL, 0));
		buf_reset(&text, SIZE_MAX);
	}
	buf_deinit(&text);
	const live_value *parts = live_object("limit", live_value_ref(errand_value(leg, "limit")), "alerts",
					      errand_list_end(&list), NULL);
	errand_end(leg, NULL, parts);
}

static int by_time(const void *a, const void *b)
{
	int64_t left = live_as_int(live_get(*(const live_value *const *)a, "timestamp"), 0);
	int64_t right = live_as_int(live_get(*(const live_value *const *)b, "timestamp"), 0);

	return (left > right) - (left < right);
}

static const live_value *join_alerts(const live_value *const *parts, unsigned count)
{
	size_t limit = (size_t)live_as_int(live_get(parts[0], "limit"), 50);
	struct errand_list all = {0};

	for (unsigned i = 0; i < count; i++)
		for (live_iter it = {0}; live_next(live_get(parts[i], "alerts"), &it);)
			errand_list_add(&all, live_value_ref(it.value));
	if (all.count)
		qsort(all.items, all.count, sizeof *all.items, by_time);
	size_t len = all.count;
	const live_value *sorted = errand_list_end(&all);
	const live_value *last = live_slice(sorted, len > limit ? len - limit : 0, len);
	live_value_unref(sorted);
	return last;
}

void live_performance_monitor_alerts(live_server *server, unsigned limit, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_alerts,
						  .join = join_alerts,
						  .argument = live_object("limit", live_int(limit ? limit : 50), NULL),
						  .done = done,
						  .context = argument});
}

/* ---- the debugger ---- */

bool live_debugger_is_enabled(const live_server *server)
{
	return debug_is_enabled(server->server->debug);
}

static void on_debug_answer(void *context, const live_value *answer)
{
	errand_end(context, answer ? NULL : ERRAND_ENDED, live_value_ref(answer));
}

static void visit_events(struct errand_leg *leg, struct server_shard *here)
{
	const struct debug_filter filter = {
		.component_id = live_as_string(errand_value(leg, "component")),
		.type = live_as_string(errand_value(leg, "type")),
		.limit = (unsigned)live_as_int(errand_value(leg, "limit"), 0),
	};
	debug_get_events(here->server->debug, &filter, on_debug_answer, leg);
}

void live_debugger_events(live_server *server, const char *component, const char *type, unsigned limit,
			  live_done_fn *done, void *argument)
{
	errand_send_to(server, 0,
		       &(struct errand_plan){.visit = visit_events,
					     .argument = live_object("component", live_string(component), "type",
								     live_string(type), "limit", live_int(limit), NULL),
					     .done = done,
					     .context = argument});
}

static void visit_snapshot(struct errand_leg *leg, struct server_shard *here)
{
	debug_get_snapshot(here->server->debug, on_debug_answer, leg);
}

void live_debugger_snapshot(live_server *server, live_done_fn *done, void *argument)
{
	errand_send_to(server, 0, &(struct errand_plan){.visit = visit_snapshot, .done = done, .context = argument});
}

void live_debugger_clear(live_server *server)
{
	debug_clear(server->server->debug);
}
