/*
 * health - how a component fares, by its errors and by how long it has been idle (behaviour.md section 11).
 *
 * Threads: [any].
 */
#ifndef SERVER_MONITOR_HEALTH_H
#define SERVER_MONITOR_HEALTH_H

#include <stdint.h>

enum health { HEALTHY, DEGRADED, UNHEALTHY, HEALTHS };

/* More than 5 errors are unhealthy; one error, or five minutes without a change or a call, is degraded. */
static inline enum health health_of(uint32_t errors, int64_t idle_s)
{
	if (errors > 5)
		return UNHEALTHY;
	return errors || idle_s > 300 ? DEGRADED : HEALTHY;
}

static inline const char *health_name(enum health health)
{
	static const char *const names[] = {"healthy", "degraded", "unhealthy"};

	return names[health];
}

#endif
