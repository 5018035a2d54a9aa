#include "server/monitor/stats.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "redis/figures.h"
#include "server/component/audience.h"
#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/instance.h"
#include "server/component/singleton.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_owner.h"
#include "server/debug/debug.h"
#include "server/monitor/alerts.h"
#include "server/monitor/health.h"
#include "server/monitor/stats_redis.h"
#include "server/net/net_counters.h"
#include "server/session/session.h"

enum { LISTED_COMPONENTS = 1000 }; /* per shard; the totals count all */
enum { LISTED_ALERTS = 50, LISTED_CONNECTIONS = 100 };

/* What one shard tells: its lists as JSON members, without the braces around them. */
struct part {
	struct mail mail;
	struct gather *gather; /* opaque but to the shard that asked */
	const struct stats_source *source;
	unsigned asker;
	unsigned definitions; /* of the shard's registry: another one while code is taken over */
	uint64_t components, rooms, sessions, alerts;
	uint64_t healths[HEALTHS];
	struct alert *listed[LISTED_ALERTS]; /* ours: the last, oldest first */
	unsigned listed_count, told;         /* told: of those listed, by write_alerts */
	uint64_t *net;                       /* one for each of net_counter_rows; ours */
	uint64_t *shared;                    /* one for each of redis_rooms_figure_rows; ours */
	struct buf singletons, mirrors, room_counts, room_list, component_list, ailing_list, connection_list;
};

/* On the shard that asked. Whoever brings the last part, or discards it when the server ends, frees it. */
struct gather {
	const struct stats_source *source;
	live_request *request;    /* ours */
	_Atomic unsigned missing; /* counted down on any shard; who takes it to 0 sees all parts (acquire, release) */
	unsigned asked;
	unsigned count;
	struct part *parts[];
};

/* ---- on each shard ---- */

static void next_member(struct buf *out)
{
	if (out->len)
		buf_append_char(out, ',');
}

static void add_room(void *context, const struct room_stats *stats)
{
	struct part *part = context;

	next_member(&part->room_counts);
	json_write_string(&part->room_counts, stats->id);
	buf_printf(&part->room_counts, ":%u", stats->members);
	next_member(&part->room_list);
	json_write_string(&part->room_list, stats->id);
	buf_printf(&part->room_list, ":{\"members\":%u,\"createdAt\":%lld,\"lastActivity\":%lld}", stats->members,
		   (long long)stats->created_ms, (long long)stats->last_activity_ms);
	part->rooms++;
}

static void add_singleton(struct part *part, const live_component *instance)
{
	next_member(&part->singletons);
	json_write_string(&part->singletons, instance->definition->name);
	buf_printf(&part->singletons, ":{\"componentId\":\"%.*s\",\"connections\":%u", STR_ARG(instance->sender.id),
		   singleton_clients(instance));
	const struct clustered *clustered = instance->audience->clustered;
	const struct owner *owner = clustered ? clustered_owner(clustered) : NULL;
	if (owner)
		buf_printf(&part->singletons, ",\"fence\":%llu", (unsigned long long)owner_fence(owner));
	buf_append_char(&part->singletons, '}');
}

/* Singletons that other nodes own, and that clients of this one have mounted. */
static void add_mirrors(struct part *part, const struct component_shard *components)
{
	const struct map *all = &components->singletons;

	for (struct map_entry *entry = map_first(all); entry; entry = map_next(all, entry)) {
		const struct audience *audience = MAP_OF(entry, struct audience, by_name);
		struct str owner = audience->clustered ? clustered_elsewhere(audience->clustered) : STR("");
		if (!owner.len)
			continue;
		next_member(&part->mirrors);
		json_write_string(&part->mirrors, audience->definition->name);
		buf_append_str(&part->mirrors, STR(":{\"componentId\":"));
		json_write_string(&part->mirrors, audience->sender.id);
		buf_append_str(&part->mirrors, STR(",\"ownerInstanceId\":"));
		json_write_string(&part->mirrors, owner);
		buf_printf(&part->mirrors, ",\"connections\":%u}", audience->count);
	}
}

static void add_component(struct part *part, const live_component *instance)
{
	int64_t now_s = shard_clock(instance->home->shard)->mono_ms / 1000;
	enum health health = health_of(instance->error_count, now_s - instance->active_s);

	if (instance->audience)
		add_singleton(part, instance);
	part->healths[health]++;
	if (++part->components > LISTED_COMPONENTS)
		return;
	if (health != HEALTHY) {
		next_member(&part->ailing_list);
		json_write_string(&part->ailing_list, instance->sender.id);
		buf_printf(&part->ailing_list, ":\"%s\"", health_name(health));
	}
	next_member(&part->component_list);
	buf_printf(&part->component_list, "{\"id\":\"%.*s\",\"name\":", STR_ARG(instance->sender.id));
	json_write_string(&part->component_list, instance->definition->name);
	buf_printf(&part->component_list,
		   ",\"renderCount\":1,\"avgRenderTime\":%u,\"actionCount\":%u,\"stateChanges\":%u,\"errorCount\":%u}",
		   instance->mount_ms, instance->action_count, instance->state_change_count, instance->error_count);
}

static void add_connection(struct part *part, struct session *session)
{
	const struct session_figures figures = session_figures(session);
	const struct client *client = session_client(session);
	struct buf *out = &part->connection_list;

	next_member(out);
	buf_append_str(out, STR("{\"id\":"));
	json_write_string(out, str_of(client->id));
	buf_printf(out,
		   ",\"connectedAt\":%lld,\"lastActivity\":%lld,\"messagesSent\":%u,\"messagesReceived\":%u,"
		   "\"bytesTransferred\":%llu,\"latency\":",
		   (long long)client->opened_s * 1000, (long long)figures.last_message_ms, figures.messages_out,
		   figures.messages_in, (unsigned long long)figures.way.bytes);
	json_write_double(out, figures.way.round_trip_us / 1000.0);
	buf_printf(out, ",\"status\":\"%s\",\"errorCount\":%u,\"reconnectCount\":%u}", figures.status, figures.errors,
		   figures.reconnects);
}

static void add_connections(struct part *part, struct session_shard *sessions)
{
	unsigned count = 0;

	for (struct session *at = NULL; count < LISTED_CONNECTIONS && (at = session_next(sessions, at)); count++)
		add_connection(part, at);
}

static void add_alerts(struct part *part, const struct alerts *alerts)
{
	unsigned count = alerts_count(alerts);

	part->alerts = count;
	for (unsigned i = count > LISTED_ALERTS ? count - LISTED_ALERTS : 0; i < count; i++)
		part->listed[part->listed_count++] = alert_copy(alerts_at(alerts, i));
}

static void free_part(struct part *part)
{
	buf_deinit(&part->singletons);
	buf_deinit(&part->mirrors);
	buf_deinit(&part->room_counts);
	buf_deinit(&part->room_list);
	buf_deinit(&part->component_list);
	buf_deinit(&part->ailing_list);
	buf_deinit(&part->connection_list);
	for (unsigned i = 0; i < part->listed_count; i++)
		free(part->listed[i]);
	free(part->net);
	free(part->shared);
	free(part);
}

static bool is_last_part(struct gather *gather)
{
	return atomic_fetch_sub_explicit(&gather->missing, 1, memory_order_acq_rel) == 1;
}

/* Answered by then, or not at all: the server ends. */
static void free_gather(struct gather *gather)
{
	if (gather->request)
		live_request_reply_json(gather->request, 503, "{\"error\":\"shutting down\"}");
	for (unsigned i = 0; i < gather->count; i++)
		free_part(gather->parts[i]);
	free(gather);
}

static void drop_part(struct part *part)
{
	struct gather *gather = part->gather;

	free_part(part);
	if (is_last_part(gather))
		free_gather(gather);
}

static void discard_part(struct mail *mail)
{
	drop_part(LIST_OF(mail, struct part, mail));
}

static void deliver_back(struct mail *mail, struct shard *here);

static void fill(struct mail *mail, struct shard *here)
{
	struct part *part = LIST_OF(mail, struct part, mail);
	struct session_shard *sessions = part->source->sessions_of(here);

	if (!sessions) { /* the server ends, and so does who asked */
		drop_part(part);
		return;
	}
	part->definitions = registry_count(sessions->components->registry);
	rooms_each_home(sessions->components->rooms, add_room, part);
	add_mirrors(part, sessions->components);
	list_for_each (link, &sessions->components->instances)
		add_component(part, LIST_OF(link, live_component, link));
	add_alerts(part, sessions->components->alerts);
	add_connections(part, sessions);
	part->sessions = counter_read(&sessions->counters.sessions);
	for (size_t i = 0; i < net_counter_rows_count; i++)
		part->net[i] = net_counter_read(part->source->net_of(here), &net_counter_rows[i]);
	stats_redis_add(part->shared, part->source, here);
	part->mail.deliver = deliver_back;
	shard_post(here, part->asker, &part->mail);
}

/* ---- where the request is ---- */

static void join_lists(struct buf *out, const struct gather *gather, size_t list_offset)
{
	bool is_first = true;

	for (unsigned i = 0; i < gather->count; i++) {
		const struct buf *list =
			(const struct buf *)(const void *)((const char *)gather->parts[i] + list_offset);
		if (!list->len)
			continue;
		if (!is_first)
			buf_append_char(out, ',');
		buf_append_str(out, buf_str(list));
		is_first = false;
	}
}

/* What the edge did, and why it paused, closed or dropped what it did, on all shards together. */
static void write_net(struct buf *out, const struct gather *gather)
{
	for (size_t row = 0; row < net_counter_rows_count; row++) {
		uint64_t sum = 0;
		for (unsigned i = 0; i < gather->count; i++)
			sum += gather->parts[i]->net[row];
		buf_printf(out, "%s\"%s\":%llu", row ? "," : "", net_counter_rows[row].name, (unsigned long long)sum);
	}
}

static void write_redis(struct buf *out, const struct gather *gather)
{
	uint64_t *sums = gather->parts[0]->shared;

	for (unsigned i = 1; i < gather->count; i++)
		for (size_t row = 0; row < redis_rooms_figure_rows_count; row++)
			sums[row] += gather->parts[i]->shared[row];
	stats_redis_write(out, gather->source, sums);
}

/* The next alert by time that is not told yet, or NULL. */
static const struct alert *next_alert(const struct gather *gather)
{
	struct part *from = NULL;

	for (unsigned i = 0; i < gather->count; i++) {
		struct part *part = gather->parts[i];
		if (part->told == part->listed_count)
			continue;
		if (!from || part->listed[part->told]->wall_ms < from->listed[from->told]->wall_ms)
			from = part;
	}
	return from ? from->listed[from->told++] : NULL;
}

/* The last of all shards, oldest first. */
static void write_alerts(struct buf *out, const struct gather *gather)
{
	unsigned count = 0, number = 0;
	const char *separator = "";

	for (unsigned i = 0; i < gather->count; i++)
		count += gather->parts[i]->listed_count;
	for (const struct alert *alert; (alert = next_alert(gather)); number++) {
		if (count - number > LISTED_ALERTS)
			continue;
		buf_append_str(out, str_of(separator));
		alert_write(out, alert);
		separator = ",";
	}
}

static void write_health(struct buf *out, const struct gather *gather)
{
	uint64_t sums[HEALTHS] = {0};

	for (unsigned i = 0; i < gather->count; i++)
		for (unsigned health = 0; health < HEALTHS; health++)
			sums[health] += gather->parts[i]->healths[health];
	for (unsigned health = 0; health < HEALTHS; health++)
		buf_printf(out, "\"%s\":%llu,", health_name((enum health)health), (unsigned long long)sums[health]);
	buf_append_str(out, STR("\"components\":{"));
	join_lists(out, gather, offsetof(struct part, ailing_list));
	buf_append_char(out, '}');
}

static void write_debug(struct buf *out, const struct debug_hub *debug)
{
	struct debug_figures figures = debug_figures(debug);

	buf_printf(out, "\"enabled\":%s,\"clients\":%llu,\"events\":%llu,\"dropped\":%llu,\"skipped\":%llu",
		   debug_is_enabled(debug) ? "true" : "false", (unsigned long long)figures.clients,
		   (unsigned long long)figures.events, (unsigned long long)figures.dropped,
		   (unsigned long long)figures.skipped);
}

static void write_stats(struct buf *out, const struct gather *gather)
{
	uint64_t components = 0, rooms = 0, sessions = 0, alerts = 0;

	for (unsigned i = 0; i < gather->count; i++) {
		components += gather->parts[i]->components;
		rooms += gather->parts[i]->rooms;
		sessions += gather->parts[i]->sessions;
		alerts += gather->parts[i]->alerts;
	}
	long long limit = gather->source->max_connections;
	buf_printf(out,
		   "{\"components\":{\"components\":%llu,\"definitions\":%u,\"rooms\":%llu,\"connections\":%llu,"
		   "\"singletons\":{",
		   (unsigned long long)components, gather->parts[0]->definitions, (unsigned long long)rooms,
		   (unsigned long long)sessions);
	join_lists(out, gather, offsetof(struct part, singletons));
	buf_append_str(out, STR("},\"remoteSingletons\":{"));
	join_lists(out, gather, offsetof(struct part, mirrors));
	buf_append_str(out, STR("},\"roomDetails\":{"));
	join_lists(out, gather, offsetof(struct part, room_counts));
	buf_printf(out, "}},\"rooms\":{\"totalRooms\":%llu,\"rooms\":{", (unsigned long long)rooms);
	join_lists(out, gather, offsetof(struct part, room_list));
	buf_printf(out,
		   "}},\"connections\":{\"totalConnections\":%llu,\"activeConnections\":%llu,\"totalPools\":0,"
		   "\"totalQueuedMessages\":0,\"maxConnections\":%lld,\"connectionUtilization\":",
		   (unsigned long long)sessions, (unsigned long long)sessions, limit);
	json_write_double(out, (double)sessions * 100.0 / (double)limit);
	buf_printf(out,
		   "},\"uploads\":{\"activeUploads\":0,\"maxUploadSize\":0,\"allowedTypes\":[]},"
		   "\"performance\":{\"totalComponents\":%llu,\"totalAlerts\":%llu,\"components\":[",
		   (unsigned long long)components, (unsigned long long)alerts);
	join_lists(out, gather, offsetof(struct part, component_list));
	buf_append_str(out, STR("]},\"connectionMetrics\":["));
	join_lists(out, gather, offsetof(struct part, connection_list));
	buf_append_str(out, STR("],\"alerts\":["));
	write_alerts(out, gather);
	buf_append_str(out, STR("],\"health\":{"));
	write_health(out, gather);
	buf_append_str(out, STR("},\"debug\":{"));
	write_debug(out, gather->source->debug);
	buf_append_str(out, STR("},\"redis\":"));
	write_redis(out, gather);
	buf_append_str(out, STR(",\"net\":{"));
	write_net(out, gather);
	buf_append_str(out, STR("}}"));
}

static void finish(struct gather *gather)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	write_stats(&out, gather);
	live_request_reply(gather->request, 200, "application/json", out.ptr, out.len);
	gather->request = NULL;
	buf_deinit(&out);
}

static void deliver_back(struct mail *mail, struct shard *here)
{
	struct part *part = LIST_OF(mail, struct part, mail);
	struct gather *gather = part->gather;

	(void)here;
	gather->parts[gather->count++] = part;
	if (!is_last_part(gather))
		return;
	if (gather->count == gather->asked)
		finish(gather);
	free_gather(gather);
}

void stats_answer(live_request *request, struct shard_group *group, const struct stats_source *source)
{
	unsigned shards = shard_group_count(group);
	struct gather *gather = mem_alloc(sizeof *gather + shards * sizeof gather->parts[0]);

	gather->source = source;
	gather->request = request;
	gather->asked = shards;
	atomic_init(&gather->missing, shards);
	for (unsigned i = 0; i < shards; i++) {
		struct part *part = mem_alloc(sizeof *part);
		part->mail.deliver = fill;
		part->mail.discard = discard_part;
		part->gather = gather;
		part->source = source;
		part->asker = 0;
		part->net = mem_alloc(net_counter_rows_count * sizeof *part->net);
		part->shared = mem_alloc(redis_rooms_figure_rows_count * sizeof *part->shared);
		buf_init(&part->singletons, SIZE_MAX);
		buf_init(&part->mirrors, SIZE_MAX);
		buf_init(&part->room_counts, SIZE_MAX);
		buf_init(&part->room_list, SIZE_MAX);
		buf_init(&part->component_list, SIZE_MAX);
		buf_init(&part->ailing_list, SIZE_MAX);
		buf_init(&part->connection_list, SIZE_MAX);
		shard_post_any(group, i, &part->mail);
	}
}
