#include "redis/room_adapter.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "redis/room_scripts.h"
#include "redis/room_twin.h"

enum {
	DEFAULT_COMMIT_MS = 5000,
	DEFAULT_NODE_MS = 10000,
	BEATS = 3,       /* in the time after which a silent node is gone */
	MAX_DEPTH = 128, /* of nested JSON from other nodes */
	SCRATCH_MAX = 1 << 30,
};

struct redis_room_adapter {
	struct room_adapter base;
	struct redis_node *node;
	struct redis_room_options options;
	char *secret;
	char *nodes_key;
	unsigned shards;
	struct redis_rooms **homes; /* by shard; each shard sets its own */
};

static const struct room_adapter_ops ops;

static struct redis_room_adapter *adapter_of(const struct room_adapter *adapter)
{
	return LIST_OF(adapter, struct redis_room_adapter, base);
}

static struct redis_rooms *home_of(struct room_adapter *adapter, struct rooms *rooms)
{
	return adapter_of(adapter)->homes[shard_index(rooms_shard(rooms))];
}

/* ---- built and ended ---- */

struct room_adapter *redis_room_adapter_new(struct redis_node *node, const struct redis_room_options *options)
{
	struct redis_room_adapter *adapter = mem_alloc(sizeof *adapter);
	const char *secret = options->secret ? options->secret : "";
	size_t key_size = strlen(node->options.prefix) + sizeof "room:nodes";

	adapter->base.ops = &ops;
	adapter->node = node;
	adapter->options = *options;
	if (!adapter->options.commit_ms)
		adapter->options.commit_ms = DEFAULT_COMMIT_MS;
	if (!adapter->options.node_ms)
		adapter->options.node_ms = DEFAULT_NODE_MS;
	adapter->secret = mem_strndup(secret, strlen(secret));
	adapter->nodes_key = mem_alloc(key_size);
	snprintf(adapter->nodes_key, key_size, "%sroom:nodes", node->options.prefix);
	adapter->shards = node->options.shards;
	adapter->homes = mem_alloc(adapter->shards * sizeof(struct redis_rooms *));
	redis_node_add_script(node, &room_script_read);
	redis_node_add_script(node, &room_script_commit);
	redis_node_add_script(node, &room_script_member);
	redis_node_add_script(node, &room_script_members);
	redis_node_add_script(node, &room_script_beat);
	return &adapter->base;
}

void redis_room_adapter_free(struct room_adapter *base)
{
	if (!base)
		return;
	struct redis_room_adapter *adapter = adapter_of(base);

	for (unsigned i = 0; i < adapter->shards; i++)
		free(adapter->homes[i]);
	free(adapter->homes);
	free(adapter->secret);
	free(adapter->nodes_key);
	free(adapter);
}

/* ---- the heart ---- */

static void beat_answer(void *context, int error, const struct redisReply *reply)
{
	struct redis_rooms *home = context;

	if (error || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER || reply->element[1]->type != REDIS_REPLY_ARRAY)
		return;
	bool was_lost = reply->element[0]->integer == 1;
	for (struct map_entry *entry = map_first(&home->twins); entry; entry = map_next(&home->twins, entry)) {
		struct room_twin *twin = MAP_OF(entry, struct room_twin, by_id);

		/* The others took our members out: put them in again. */
		twin->is_miscounted |= was_lost && twin->members;
		room_twin_check_others(twin, reply->element[1]);
	}
}

static void beat(struct timer *timer)
{
	struct redis_rooms *home = LIST_OF(timer, struct redis_rooms, beat);
	char ms[24];

	snprintf(ms, sizeof ms, "%lld", (long long)home->adapter->options.node_ms);
	const struct str args[] = {{home->adapter->node->origin, ID_LEN}, str_of(ms)};
	/* When it cannot be sent, the next one can. */
	(void)!redis_link_eval(home->link, &room_script_beat, &home->nodes_key, 1, args, 2, beat_answer, home);
	shard_timer_after(home->shard, &home->beat, home->adapter->options.node_ms / BEATS);
}

static void link_changed(struct redis_watch *watch, bool is_up)
{
	struct redis_rooms *home = LIST_OF(watch, struct redis_rooms, watch);

	if (is_up)
		beat(&home->beat);
	for (struct map_entry *entry = map_first(&home->twins); entry; entry = map_next(&home->twins, entry))
		room_twin_link_changed(MAP_OF(entry, struct room_twin, by_id), is_up);
}

/* ---- on a shard ---- */

void redis_room_adapter_start(struct room_adapter *base, struct redis_link *link)
{
	struct redis_room_adapter *adapter = adapter_of(base);
	struct redis_rooms *home = mem_alloc(sizeof *home);

	home->adapter = adapter;
	home->link = link;
	home->shard = redis_link_shard(link);
	home->ttl = adapter->options.ttl;
	home->commit_ms = adapter->options.commit_ms;
	home->nodes_key = str_of(adapter->nodes_key);
	home->format = (struct room_format){
		.msgpack = adapter->options.msgpack,
		.secret = str_of(adapter->secret),
		.scratch = &home->scratch,
		.max_depth = MAX_DEPTH,
	};
	buf_init(&home->scratch, SCRATCH_MAX);
	map_init(&home->twins);
	timer_init(&home->beat, beat);
	home->watch.changed = link_changed;
	redis_link_watch(link, &home->watch);
	adapter->homes[shard_index(home->shard)] = home;
	beat(&home->beat);
}

void redis_room_adapter_stop(struct room_adapter *base, struct shard *shard)
{
	struct redis_room_adapter *adapter = adapter_of(base);
	struct redis_rooms *home = adapter->homes[shard_index(shard)];
	struct map_entry *next;

	if (!home || !home->link)
		return;
	for (struct map_entry *entry = map_first(&home->twins); entry; entry = next) {
		struct room_twin *twin = MAP_OF(entry, struct room_twin, by_id);

		next = map_next(&home->twins, entry);
		twin->is_open = false;
		room_twin_free(twin);
	}
	/* The others need not wait until we are missed. */
	const struct str leave[] = {STR("ZREM"), home->nodes_key, {adapter->node->origin, ID_LEN}};
	(void)!redis_link_send(home->link, leave, 3, NULL, NULL);
	map_deinit(&home->twins);
	timer_disarm(&home->beat);
	redis_link_forget(home->link, home);
	redis_link_unwatch(&home->watch);
	buf_deinit(&home->scratch);
	home->link = NULL; /* its figures may still be read */
}

const struct redis_rooms_figures *redis_room_adapter_figures(const struct room_adapter *base, unsigned shard)
{
	const struct redis_room_adapter *adapter = adapter_of(base);

	return adapter->homes[shard] ? &adapter->homes[shard]->figures : NULL;
}

/* ---- cluster rooms ---- */

/* Whether text is like pattern, in which * stands for any bytes and ? for one. */
static bool is_like(struct str text, struct str pattern)
{
	size_t t = 0, p = 0, star = SIZE_MAX, from = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool redis_room_is_cluster(struct room_adapter *base, struct str id)
{
	const struct redis_room_options *options = &adapter_of(base)->options;

	for (unsigned i = 0; i < options->cluster_room_count; i++) {
		if (is_like(id, options->cluster_rooms[i]))
			return true;
	}
	return false;
}

/* ---- what rooms tell ---- */

static void open_room(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	struct redis_rooms *home = home_of(adapter, rooms);

	home->rooms = rooms;
	room_twin_open(home, room_id, redis_room_is_cluster(adapter, room_id));
}

static struct room_twin *find(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	struct room_twin *twin = room_twin_find(home_of(adapter, rooms), room_id);

	assert_always(twin && twin->is_open);
	return twin;
}

static void close_room(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	room_twin_close(find(adapter, rooms, room_id));
}

static void publish_event(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event)
{
	room_twin_add_event(find(adapter, rooms, event->room_id), event->name, event->data);
}

static void publish_state(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event)
{
	/* Version 0 is the state that the room begins with. */
	room_twin_add_change(find(adapter, rooms, event->room_id), event->changes, event->state, event->version == 0);
}

static void publish_membership(struct room_adapter *adapter, struct rooms *rooms, struct str room_id, bool joined,
			       struct str member_id)
{
	room_twin_add_membership(find(adapter, rooms, room_id), joined, member_id);
}

static void remove_room(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	struct room_twin *twin = room_twin_find(home_of(adapter, rooms), room_id);

	if (!twin)
		return;
	const struct str del[] = {STR("DEL"), room_twin_key(twin, "state:"), room_twin_key(twin, "meta:"),
				  room_twin_key(twin, "members:")};
	(void)!redis_link_send(twin->home->link, del, 4, NULL, NULL);
}

static void commit(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	room_twin_want_commit(find(adapter, rooms, room_id));
}

static const struct room_adapter_ops ops = {
	.open = open_room,
	.close = close_room,
	.publish_event = publish_event,
	.publish_state = publish_state,
	.publish_membership = publish_membership,
	.remove = remove_room,
	.is_cluster = redis_room_is_cluster,
	.commit = commit,
};
