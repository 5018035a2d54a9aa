#include "server/component/watch.h"

#include <stdio.h>

#include "core/log.h"
#include "server/component/trace.h"
#include "server/monitor/alerts.h"

static bool is_over(int64_t value, int64_t threshold)
{
	return threshold && value > threshold;
}

static void raise(live_component *self, enum alert_type type, int64_t value, int64_t threshold, const char *message)
{
	struct component_shard *here = self->home;
	const struct alert alert = {
		.type = type,
		.component_id = self->sender.id,
		.component_name = self->definition->name,
		.message = str_of(message),
		.value = value,
		.threshold = threshold,
		.wall_ms = shard_clock(here->shard)->wall_ms,
	};

	alerts_add(here->alerts, &alert);
	counter_add(&here->counters.alerts, 1);
	if (trace_wants(self, LIVE_LOG_PERFORMANCE))
		trace_alert(self, &alert);
}

void watch_mounted(live_component *self, int64_t took_ns)
{
	int64_t took_ms = took_ns / 1000000;
	int64_t limit_ms = self->home->settings->mount_slow_ms;
	char message[96];

	self->mount_ms = took_ms < UINT16_MAX ? (uint16_t)took_ms : UINT16_MAX;
	if (!is_over(took_ms, limit_ms))
		return;
	snprintf(message, sizeof message, "Slow render: %lldms (threshold: %lldms)", (long long)took_ms,
		 (long long)limit_ms);
	raise(self, ALERT_SLOW_RENDER, took_ms, limit_ms, message);
}

void watch_answered(live_component *self, struct str action, int64_t took_ns)
{
	int64_t took_ms = took_ns / 1000000;
	int64_t limit_ms = self->home->settings->action_slow_ms;
	char message[512];

	if (!is_over(took_ms, limit_ms))
		return;
	snprintf(message, sizeof message, "Slow action '%.*s': %lldms (threshold: %lldms)",
		 action.len < 256 ? (int)action.len : 256, action.ptr, (long long)took_ms, (long long)limit_ms);
	raise(self, ALERT_SLOW_ACTION, took_ms, limit_ms, message);
}

void watch_failed(live_component *self)
{
	int64_t limit = self->home->settings->error_alert_count;
	char message[64];

	if (self->error_count < UINT16_MAX)
		self->error_count++;
	if (!limit || self->error_count < limit)
		return;
	snprintf(message, sizeof message, "High error rate: %u errors", (unsigned)self->error_count);
	raise(self, ALERT_HIGH_ERROR_RATE, self->error_count, limit, message);
}
