/*
 * monitor - how a server fares, for the program that embeds it: its statistics, the performance monitor, the debugger.
 *
 * Thresholds, and whether the debugger listens, are settings (action_slow_ms, mount_slow_ms, error_alert_count, debug).
 * Threads: [any].
 */
#ifndef LIVE_MONITOR_H
#define LIVE_MONITOR_H

#include <live/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What GET <http_prefix>/stats tells: components, rooms, connections, uploads, performance, and more. */
LIVE_API void live_server_stats(live_server *server, live_done_fn *done, void *argument);

/* ---- the performance monitor ---- */

/* The last alerts, at most limit (0: 50), oldest first, as an array of {type, componentId, componentName, message,
 * value, threshold, timestamp}. */
LIVE_API void live_performance_monitor_alerts(live_server *server, unsigned limit, live_done_fn *done, void *argument);
/* {totalComponents, totalAlerts, components: [{id, name, actionCount, errorCount, ...}]}: the first 1000 of each shard.
 */
LIVE_API void live_performance_monitor_stats(live_server *server, live_done_fn *done, void *argument);

/* ---- the debugger ---- */

/* Whether it listens: setting debug. */
LIVE_API bool live_debugger_is_enabled(const live_server *server);
/* The last events that were kept, at most limit (0: 100), oldest first: of a component (its id; NULL: all) and of a
 * type
 * ("ACTION_CALL"; NULL: all). */
LIVE_API void live_debugger_events(live_server *server, const char *component, const char *type, unsigned limit,
				   live_done_fn *done, void *argument);
/* Components with their state, clients of the debugger, uptime, number of events. */
LIVE_API void live_debugger_snapshot(live_server *server, live_done_fn *done, void *argument);
/* Forgets the events that are kept. */
LIVE_API void live_debugger_clear(live_server *server);

#ifdef __cplusplus
}
#endif

#endif
