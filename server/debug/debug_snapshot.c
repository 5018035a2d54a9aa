/* A snapshot of the server: each shard tells its components, and the owner of the debugger puts them together. */
#include <stdlib.h>

#include "core/mem.h"
#include "server/debug/debug_private.h"

enum { SNAPSHOT_BYTES = 16 * 1024 * 1024 }; /* of all shards together */

struct part {
	struct mail mail;
	struct gather *gather; /* opaque but to the owner */
	struct debug_hub *hub;
	struct buf components; /* JSON objects, separated by commas */
};

/* On the owner. Whoever brings the last part, or discards it when the server ends, frees it. */
struct gather {
	struct debug_hub *hub;
	struct debug_question *question;
	_Atomic unsigned missing; /* counted down on any shard; who takes it to 0 sees all parts (acquire, release) */
	unsigned count;
	struct part *parts[];
};

static void free_part(struct part *part)
{
	buf_deinit(&part->components);
	free(part);
}

static bool is_last_part(struct gather *gather)
{
	return atomic_fetch_sub_explicit(&gather->missing, 1, memory_order_acq_rel) == 1;
}

static void free_gather(struct gather *gather)
{
	for (unsigned i = 0; i < gather->count; i++)
		free_part(gather->parts[i]);
	free(gather);
}

static void write(struct buf *out, const struct gather *gather, struct shard *here)
{
	const struct debug_hub *hub = gather->hub;
	bool is_first = true;

	buf_append_str(out, STR("{\"components\":["));
	for (unsigned i = 0; i < gather->count; i++) {
		const struct buf *components = &gather->parts[i]->components;
		if (buf_failed(components) || !components->len)
			continue;
		if (!is_first)
			buf_append_char(out, ',');
		is_first = false;
		buf_append_str(out, buf_str(components));
	}
	buf_printf(out, "],\"connections\":%llu,\"uptime\":%lld,\"totalEvents\":%llu}",
		   (unsigned long long)counter_read(&hub->clients),
		   (long long)(shard_clock(here)->mono_ms - hub->started_ms),
		   (unsigned long long)counter_read(&hub->last));
}

/* All parts have come, or will never: here is NULL then. */
static void finish(struct gather *gather, struct shard *here)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	if (here && gather->count == gather->hub->shards)
		write(&out, gather, here);
	gather->question->done(gather->question, here, buf_str(&out));
	buf_deinit(&out);
	free_gather(gather);
}

static void discard(struct mail *mail)
{
	struct part *part = LIST_OF(mail, struct part, mail);
	struct gather *gather = part->gather;

	free_part(part);
	if (is_last_part(gather))
		finish(gather, NULL);
}

static void deliver_back(struct mail *mail, struct shard *here)
{
	struct part *part = LIST_OF(mail, struct part, mail);
	struct gather *gather = part->gather;

	gather->parts[gather->count++] = part;
	if (is_last_part(gather))
		finish(gather, here);
}

static void fill(struct mail *mail, struct shard *here)
{
	struct part *part = LIST_OF(mail, struct part, mail);

	part->hub->options.collect(here, &part->components, SNAPSHOT_BYTES / part->hub->shards);
	part->mail.deliver = deliver_back;
	shard_post(here, DEBUG_OWNER, &part->mail);
}

void debug_snapshot_ask(struct debug_hub *hub, struct shard *here, struct debug_question *question)
{
	struct gather *gather = mem_alloc(sizeof *gather + hub->shards * sizeof gather->parts[0]);

	gather->hub = hub;
	gather->question = question;
	atomic_init(&gather->missing, hub->shards);
	for (unsigned i = 0; i < hub->shards; i++) {
		struct part *part = mem_alloc(sizeof *part);
		part->mail.deliver = fill;
		part->mail.discard = discard;
		part->gather = gather;
		part->hub = hub;
		buf_init(&part->components, SIZE_MAX);
		shard_post(here, i, &part->mail);
	}
}
