/*
 * alerts - what was slow, or failed too often, on one shard (behaviour.md section 13).
 *
 * Each shard keeps its own; above 1000 only the last 500 stay. Threads: [shard].
 */
#ifndef SERVER_MONITOR_ALERTS_H
#define SERVER_MONITOR_ALERTS_H

#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum alert_type { ALERT_SLOW_ACTION, ALERT_SLOW_RENDER, ALERT_HIGH_ERROR_RATE };

struct alert {
	enum alert_type type;
	struct str component_id;
	struct str component_name;
	struct str message;
	int64_t value; /* ms, or errors */
	int64_t threshold;
	int64_t wall_ms;
};

struct alerts;

/* None yet. Never NULL. */
struct alerts *alerts_new(void);
/* NULL is fine. */
void alerts_free(struct alerts *alerts);
/* Keeps a copy of alert. */
void alerts_add(struct alerts *alerts, const struct alert *alert);
unsigned alerts_count(const struct alerts *alerts);
/* Number index, from 0, the oldest first; a loan until the next alerts_add. */
const struct alert *alerts_at(const struct alerts *alerts, unsigned index);
/* A copy with its texts, which the caller frees with free(). [any] */
struct alert *alert_copy(const struct alert *alert);
/* Appends {"type":..,"componentId":..,"componentName":..,"message":..,"value":..,"threshold":..,"timestamp":..}. [any]
 */
void alert_write(struct buf *out, const struct alert *alert);

#endif
