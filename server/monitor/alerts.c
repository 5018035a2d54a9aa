#include "server/monitor/alerts.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"

enum { MOST = 1000, KEPT_OF_MOST = 500 };

struct alerts {
	unsigned count;
	struct alert *all[MOST + 1]; /* ours */
};

struct alerts *alerts_new(void)
{
	return mem_alloc(sizeof(struct alerts));
}

void alerts_free(struct alerts *alerts)
{
	for (unsigned i = 0; alerts && i < alerts->count; i++)
		free(alerts->all[i]);
	free(alerts);
}

static struct str put(char **at, struct str text)
{
	struct str copy = {*at, text.len};

	if (text.len)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return copy;
}

struct alert *alert_copy(const struct alert *alert)
{
	size_t texts = alert->component_id.len + alert->component_name.len + alert->message.len;
	struct alert *copy = mem_alloc(sizeof *copy + texts);
	char *at = (char *)(copy + 1);

	*copy = *alert;
	copy->component_id = put(&at, alert->component_id);
	copy->component_name = put(&at, alert->component_name);
	copy->message = put(&at, alert->message);
	return copy;
}

void alerts_add(struct alerts *alerts, const struct alert *alert)
{
	alerts->all[alerts->count++] = alert_copy(alert);
	if (alerts->count <= MOST)
		return;
	unsigned gone = alerts->count - KEPT_OF_MOST;
	for (unsigned i = 0; i < gone; i++)
		free(alerts->all[i]);
	memmove(alerts->all, alerts->all + gone, KEPT_OF_MOST * sizeof alerts->all[0]);
	alerts->count = KEPT_OF_MOST;
}

unsigned alerts_count(const struct alerts *alerts)
{
	return alerts->count;
}

const struct alert *alerts_at(const struct alerts *alerts, unsigned index)
{
	return alerts->all[index];
}

void alert_write(struct buf *out, const struct alert *alert)
{
	static const char *const types[] = {
		[ALERT_SLOW_ACTION] = "slow_action",
		[ALERT_SLOW_RENDER] = "slow_render",
		[ALERT_HIGH_ERROR_RATE] = "high_error_rate",
	};

	buf_printf(out, "{\"type\":\"%s\",\"componentId\":", types[alert->type]);
	json_write_string(out, alert->component_id);
	buf_append_str(out, STR(",\"componentName\":"));
	json_write_string(out, alert->component_name);
	buf_append_str(out, STR(",\"message\":"));
	json_write_string(out, alert->message);
	buf_printf(out, ",\"value\":%lld,\"threshold\":%lld,\"timestamp\":%lld}", (long long)alert->value,
		   (long long)alert->threshold, (long long)alert->wall_ms);
}
