/* The hub itself: made, ended, and the events that it keeps. */
#include "server/debug/debug_private.h"

#include <stdlib.h>

#include "core/mem.h"

/* ---- birth and death ---- */

struct debug_hub *debug_hub_new(struct shard_group *group, const struct debug_options *options)
{
	unsigned shards = shard_group_count(group);
	struct debug_hub *hub = mem_alloc(sizeof *hub + shards * sizeof hub->taps[0]);

	hub->group = group;
	hub->shards = shards;
	hub->options = *options;
	list_init(&hub->subscribers);
	buf_init(&hub->scratch, SIZE_MAX);
	hub->lanes = mem_alloc(shards * sizeof *hub->lanes);
	for (unsigned i = 0; i < shards; i++)
		debug_tap_init(&hub->taps[i], hub, i);
	return hub;
}

static void free_kept(struct kept_event *kept)
{
	if (kept)
		frame_unref(kept->message);
	free(kept);
}

void debug_hub_free(struct debug_hub *hub)
{
	if (!hub)
		return;
	for (unsigned i = 0; i < DEBUG_KEPT; i++)
		free_kept(hub->kept[i]);
	debug_audience_free(hub);
	for (unsigned i = 0; i < hub->shards; i++)
		debug_tap_deinit(&hub->taps[i]);
	buf_deinit(&hub->scratch);
	free(hub->lanes);
	free(hub);
}

bool debug_is_enabled(const struct debug_hub *hub)
{
	return hub && hub->options.enabled;
}

struct debug_tap *debug_tap_of(struct debug_hub *hub, struct shard *shard)
{
	if (!debug_is_enabled(hub))
		return NULL;
	if (shard_index(shard) == DEBUG_OWNER && !hub->is_started) {
		hub->is_started = true;
		hub->started_ms = shard_clock(shard)->mono_ms;
	}
	return &hub->taps[shard_index(shard)];
}

struct debug_figures debug_figures(const struct debug_hub *hub)
{
	struct debug_figures figures = {
		.events = counter_read(&hub->last),
		.skipped = counter_read(&hub->skipped),
		.clients = counter_read(&hub->clients),
	};

	for (unsigned i = 0; i < hub->shards; i++)
		figures.dropped += counter_read(&hub->taps[i].dropped);
	return figures;
}

/* ---- keeping ---- */

static void keep(struct debug_hub *hub, const struct debug_event *event, struct frame *message, size_t start,
		 size_t len)
{
	struct str id = event->subject.component_id;
	struct kept_event *kept = mem_alloc(sizeof *kept + id.len + 1);
	uint64_t number = counter_read(&hub->last) + 1;

	kept->message = message;
	kept->start = start;
	kept->len = len;
	kept->type = event->type;
	if (id.len)
		memcpy(kept->component_id, id.ptr, id.len);
	free_kept(hub->kept[number % DEBUG_KEPT]);
	hub->kept[number % DEBUG_KEPT] = kept;
	counter_add(&hub->last, 1);
	if (number - hub->first > DEBUG_KEPT)
		hub->first = number - DEBUG_KEPT;
}

static void take(struct debug_hub *hub, struct shard *here, const struct debug_event *event)
{
	struct buf *out = &hub->scratch;

	buf_reset(out, DEBUG_SCRATCH_BYTES);
	buf_append_str(out, STR("{\"type\":\"DEBUG_EVENT\",\"event\":"));
	size_t start = out->len;
	debug_event_write(out, event, counter_read(&hub->last) + 1);
	size_t len = out->len - start;
	buf_printf(out, ",\"timestamp\":%lld}", (long long)event->wall_ms);
	if (buf_failed(out))
		return;
	struct frame *message = frame_new(buf_str(out));
	keep(hub, event, message, start, len);
	debug_audience_tell(hub, here, message);
}

void debug_hub_deliver(struct mail *mail, struct shard *here)
{
	struct debug_event *event = LIST_OF(mail, struct debug_event, mail);
	struct debug_tap *tap = event->tap;

	counter_add(&tap->taken, 1);
	counter_add(&tap->taken_bytes, event->data.len);
	take(tap->hub, here, event);
	free(event);
}

void debug_hub_clear(struct debug_hub *hub)
{
	for (unsigned i = 0; i < DEBUG_KEPT; i++) {
		free_kept(hub->kept[i]);
		hub->kept[i] = NULL;
	}
	hub->first = counter_read(&hub->last);
}
