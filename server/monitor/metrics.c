#include "server/monitor/metrics.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "redis/node.h"
#include "redis/room_adapter.h"
#include "server/component/component_shard.h"
#include "server/monitor/metric_rows.h"
#include "server/monitor/metrics_write.h"
#include "server/net/net_counters.h"
#include "server/security/signature.h"
#include "server/session/session.h"

/* A tick that lasts for so long holds its shard: who waits for mail there might wait for long. */
enum { HELD_MS = 500 };

/* What one shard tells. */
struct part {
	struct mail mail;
	struct gather *gather;
	struct shard_figures *figures; /* written by the shard asked, read by the one that asked: the mail is between */
};

/* On the shard that asked. Whoever brings the last part, or discards it when the server ends, frees it. */
struct gather {
	struct shard *home;
	const struct metrics_source *source;
	live_request *request; /* ours */
	unsigned asked;
	unsigned told;
	_Atomic unsigned missing; /* counted down on any shard; who takes it to 0 sees all parts (acquire, release) */
	struct shard_figures **figures;
	struct part parts[];
};

/* Answered by then, or not at all: the server ends. */
static void free_gather(struct gather *gather)
{
	if (gather->request)
		live_request_reply(gather->request, 503, NULL, NULL, 0);
	for (unsigned i = 0; i < gather->asked; i++)
		free(gather->figures[i]);
	free(gather->figures);
	free(gather);
}

static bool is_last(struct gather *gather)
{
	return atomic_fetch_sub_explicit(&gather->missing, 1, memory_order_acq_rel) == 1;
}

static void discard_part(struct mail *mail)
{
	struct gather *gather = LIST_OF(mail, struct part, mail)->gather;

	if (is_last(gather))
		free_gather(gather);
}

static void finish(struct gather *gather)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	metrics_write(&out, gather->source, shard_group_of(gather->home), gather->figures, gather->asked);
	live_request_reply(gather->request, 200, "text/plain; version=0.0.4; charset=utf-8", out.ptr, out.len);
	gather->request = NULL;
	buf_deinit(&out);
}

int64_t metrics_tick_age_ns(const struct shard *shard)
{
	int64_t began_ns = shard_tick_began_ns(shard);
	int64_t now_ns = clock_now_mono_ns();

	return began_ns && now_ns > began_ns ? now_ns - began_ns : 0;
}

static void deliver_back(struct mail *mail, struct shard *here)
{
	struct gather *gather = LIST_OF(mail, struct part, mail)->gather;

	(void)here;
	gather->told++;
	if (!is_last(gather))
		return;
	if (gather->told == gather->asked)
		finish(gather);
	free_gather(gather);
}

static uint64_t mail_waiting_for(struct shard *here)
{
	const struct shard_group *group = shard_group_of(here);
	uint64_t waiting = 0;

	for (unsigned from = 0; from < shard_group_count(group); from++)
		if (from != shard_index(here))
			waiting += shard_mail_in_flight(group, from, shard_index(here));
	return waiting;
}

/* Of the rooms that shard number index shares, or NULL. */
static const void *shared_figures(const struct metrics_source *source, unsigned index)
{
	return source->shared_rooms ? redis_room_adapter_figures(source->shared_rooms, index) : NULL;
}

static void fill(struct mail *mail, struct shard *here)
{
	struct part *part = LIST_OF(mail, struct part, mail);
	const struct metrics_source *source = part->gather->source;
	const struct session_shard *sessions = source->sessions_of(here);
	const struct shard_counters *counters = shard_counters(here);
	struct shard_figures *figures = part->figures;

	if (!sessions) { /* the server ends, and so does who asked */
		discard_part(mail);
		return;
	}
	const struct component_shard *components = sessions->components;
	const void *const places[METRIC_PLACES] = {
		[METRIC_SHARD] = counters,
		[METRIC_NET] = source->net_of(here),
		[METRIC_SESSION] = &sessions->counters,
		[METRIC_COMPONENT] = &components->counters,
		[METRIC_ROOM] = rooms_counters(components->rooms),
		[METRIC_SIGNER] = signer_counters(components->signer),
		[METRIC_REDIS] = source->redis ? &source->redis->figures[figures->shard] : NULL,
		[METRIC_REDIS_ROOMS] = shared_figures(source, figures->shard),
	};
	for (size_t row = 0; row < metric_rows_count; row++) {
		bool is_there = places[metric_rows[row].place];
		figures->rows[row] = is_there ? metric_row_read(&metric_rows[row], places) : METRIC_ABSENT;
	}
	for (unsigned bucket = 0; bucket < SHARD_TICK_BUCKETS; bucket++)
		figures->tick_buckets[bucket] = counter_read(&counters->tick_buckets[bucket]);
	figures->busy_ns = counter_read(&counters->busy_ns);
	figures->rooms = rooms_home_count(components->rooms);
	figures->mail_waiting = mail_waiting_for(here);
	mail->deliver = deliver_back;
	shard_post(here, shard_index(part->gather->home), mail);
}

/* Makes the part that shard, if it is not held, is to fill. */
static void add_part(struct gather *gather, unsigned shard)
{
	struct part *part = &gather->parts[gather->asked];

	part->figures = mem_alloc(sizeof *part->figures + metric_rows_count * sizeof part->figures->rows[0]);
	part->figures->shard = shard;
	part->mail.deliver = fill;
	part->mail.discard = discard_part;
	part->gather = gather;
	gather->figures[gather->asked++] = part->figures;
}

void metrics_answer(live_request *request, struct shard_group *group, const struct metrics_source *source)
{
	unsigned shards = shard_group_count(group);
	struct gather *gather = mem_alloc(sizeof *gather + shards * sizeof gather->parts[0]);

	gather->home = shard_here() ? shard_here() : shard_group_at(group, 0);
	gather->source = source;
	gather->request = request;
	gather->figures = mem_alloc(shards * sizeof *gather->figures);
	for (unsigned i = 0; i < shards; i++) {
		struct shard *shard = shard_group_at(group, i);
		if (shard == gather->home || metrics_tick_age_ns(shard) < HELD_MS * INT64_C(1000000))
			add_part(gather, i);
	}
	unsigned asked = gather->asked; /* the last one that is asked may free it */
	atomic_init(&gather->missing, asked);
	for (unsigned i = 0; i < asked; i++)
		shard_post_any(group, gather->parts[i].figures->shard, &gather->parts[i].mail);
}
