#include "server/debug/debug_tap.h"

#include <stdlib.h>

#include "core/json.h"
#include "server/debug/debug_private.h"

enum {
	EVENTS_ON_THE_WAY = 1024,
	BYTES_ON_THE_WAY = 8 * 1024 * 1024,
	DATA_LIMIT = 64 * 1024 * 1024, /* before it is cut */
};

void debug_tap_init(struct debug_tap *tap, struct debug_hub *hub, unsigned shard)
{
	tap->hub = hub;
	tap->shard = shard;
	buf_init(&tap->data, DATA_LIMIT);
}

void debug_tap_deinit(struct debug_tap *tap)
{
	buf_deinit(&tap->data);
}

static bool is_full(const struct debug_tap *tap)
{
	return counter_read(&tap->sent) - counter_read(&tap->taken) >= EVENTS_ON_THE_WAY ||
	       counter_read(&tap->sent_bytes) - counter_read(&tap->taken_bytes) >= BYTES_ON_THE_WAY;
}

static void drop(struct debug_tap *tap)
{
	counter_add(&tap->dropped, 1);
	tap->untold++;
}

static void discard(struct mail *mail)
{
	free(LIST_OF(mail, struct debug_event, mail));
}

static void send(struct debug_tap *tap, struct debug_event *event)
{
	struct shard *here = shard_group_at(tap->hub->group, tap->shard);

	event->tap = tap;
	event->wall_ms = shard_clock(here)->wall_ms;
	event->mail.deliver = debug_hub_deliver;
	event->mail.discard = discard;
	counter_add(&tap->sent, 1);
	counter_add(&tap->sent_bytes, event->data.len);
	shard_post(here, DEBUG_OWNER, &event->mail);
}

static void tell_dropped(struct debug_tap *tap)
{
	struct buf *data = &tap->data;

	buf_printf(
		data,
		"{\"category\":\"performance\",\"level\":\"warn\",\"message\":\"%llu events of shard %u were left out: "
		"they came too fast\"}",
		(unsigned long long)tap->untold, tap->shard);
	tap->untold = 0;
	debug_end(tap, DEBUG_LOG, &(struct debug_subject){0});
}

struct buf *debug_begin(struct debug_tap *tap)
{
	if (!tap)
		return NULL;
	if (is_full(tap)) {
		drop(tap);
		return NULL;
	}
	buf_reset(&tap->data, DEBUG_SCRATCH_BYTES);
	if (tap->untold) {
		tell_dropped(tap);
		buf_reset(&tap->data, DEBUG_SCRATCH_BYTES);
	}
	return &tap->data;
}

void debug_end(struct debug_tap *tap, enum debug_type type, const struct debug_subject *subject)
{
	debug_fit_data(&tap->data);
	struct debug_event *event = debug_event_new(type, subject, buf_str(&tap->data));

	if (event)
		send(tap, event);
	else
		drop(tap);
}
