#include "unit/redis/nodes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/frame.h"
#include "core/json.h"
#include "core/mem.h"

/* ---- hooks ---- */

static struct frame *encode(const struct room_event *event)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	buf_append_str(&text, event->name);
	buf_append_char(&text, ' ');
	buf_append_str(&text, event->data);
	struct frame *frame = frame_new(buf_str(&text));
	buf_deinit(&text);
	return frame;
}

static struct guest *guest_of(struct room_member *member)
{
	return LIST_OF(member, struct guest, member);
}

static void receive(struct guest *guest, const struct room_event *event)
{
	buf_append_str(&guest->diary, frame_bytes(event->wire));
	buf_append_char(&guest->diary, '\n');
	if (event->kind != ROOM_EVENT_STATE)
		return;
	const live_value *next = live_merge(guest->state, event->changes);
	live_value_unref(guest->state);
	guest->state = next;
}

static void deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	uint64_t excluded = rooms_excluded_serial(rooms, event);
	struct room_member *next;

	for (struct room_member *member = room_view_next_member(view, NULL); member; member = next) {
		next = room_view_next_member(view, member);
		if (member->serial != excluded)
			receive(guest_of(member), event);
	}
}

static void joined(struct rooms *rooms, struct room_member *member, const char *error)
{
	struct guest *guest = guest_of(member);

	(void)rooms;
	ck_assert_msg(!error, "%s", error);
	buf_append_str(&guest->diary, STR("JOINED "));
	json_write(&guest->diary, room_view_state(member->view));
	buf_append_char(&guest->diary, '\n');
	live_value_unref(guest->state);
	guest->state = live_value_ref(room_view_state(member->view));
}

static const struct rooms_hooks hooks = {.encode = encode, .deliver = deliver, .joined = joined};

/* ---- nodes ---- */

struct cluster *cluster_new(const char *server_options)
{
	struct cluster *cluster = mem_alloc(sizeof *cluster);

	cluster->server = redis_server_new(server_options);
	cluster->rooms.ttl = 86400;
	return cluster;
}

void cluster_free(struct cluster *cluster)
{
	ck_assert_uint_eq(cluster->stage.count, 0);
	redis_server_free(cluster->server);
	free(cluster);
}

void cluster_until(struct cluster *cluster, bool (*check)(void *context), void *context)
{
	ck_assert(redis_stage_until(&cluster->stage, check, context));
}

void cluster_run(struct cluster *cluster, int ms)
{
	redis_stage_run(&cluster->stage, ms);
}

static void add_scripts(struct redis_node *redis, void *context)
{
	struct room_node *node = context;

	node->adapter = redis_room_adapter_new(redis, &node->cluster->rooms);
}

struct room_node *room_node_begin(struct cluster *cluster, const char *url, unsigned shards)
{
	struct room_node *node = mem_alloc(sizeof *node);

	node->cluster = cluster;
	node->base = stage_node_new_with(&cluster->stage, url ? url : cluster->server->url, shards, &cluster->links,
					 add_scripts, node);
	for (unsigned i = 0; i < shards; i++) {
		const struct rooms_options options = {
			.adapter = node->adapter, .hooks = &hooks, .empty_ms = cluster->empty_ms};

		node->rooms[i] = rooms_new(stage_node_enter(node->base, i), &options);
		redis_room_adapter_start(node->adapter, node->base->links[i]);
	}
	return node;
}

bool room_node_is_up(void *context)
{
	struct room_node *node = context;

	for (unsigned i = 0; i < node->base->shards; i++) {
		if (!redis_link_is_up(node->base->links[i]))
			return false;
	}
	return true;
}

struct room_node *room_node_new(struct cluster *cluster, const char *url, unsigned shards)
{
	struct room_node *node = room_node_begin(cluster, url, shards);

	cluster_until(cluster, room_node_is_up, node);
	return node;
}

void room_node_free(struct room_node *node)
{
	struct room_adapter *adapter = node->adapter;

	for (unsigned i = 0; i < node->base->shards; i++) {
		struct shard *shard = stage_node_enter(node->base, i);

		rooms_free(node->rooms[i]);
		redis_room_adapter_stop(adapter, shard);
	}
	stage_node_free(&node->cluster->stage, node->base);
	redis_room_adapter_free(adapter);
	free(node);
}

uint64_t room_node_figure(const struct room_node *node, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < node->base->shards; i++) {
		const char *figures = (const char *)redis_room_adapter_figures(node->adapter, i);

		sum += counter_read((const counter *)(const void *)(figures + offset));
	}
	return sum;
}

/* ---- guests ---- */

const live_value *value_of(const char *json)
{
	const struct json_limits limits = {.max_depth = 64, .flags = JSON_WIDE_INTEGERS};
	const live_value *value;
	int rc = json_parse(&value, str_of(json), &limits, NULL);

	ck_assert_msg(rc == 0, "%s", json);
	return value;
}

/* In, and the other nodes were told, if they can be: who joins later does not hear of it. */
static bool is_in(void *context)
{
	struct guest *guest = context;
	struct cluster *cluster = guest->node->cluster;

	if (guest->member.state != ROOM_MEMBER_IN)
		return false;
	return !room_node_is_up(guest->node) ||
	       redis_server_ask_number(cluster->server, "HEXISTS %sroom:members:%s %s",
				       guest->node->base->node->options.prefix, guest->room, guest->id) == 1;
}

static struct rooms *enter(struct guest *guest)
{
	stage_node_enter(guest->node->base, guest->shard);
	return guest->node->rooms[guest->shard];
}

struct guest *guest_new(struct room_node *node, unsigned shard, const char *id, const char *room, const char *initial)
{
	struct guest *guest = mem_alloc(sizeof *guest);
	const live_value *state = initial ? value_of(initial) : NULL;

	guest->node = node;
	guest->shard = shard;
	snprintf(guest->id, sizeof guest->id, "%s", id);
	snprintf(guest->room, sizeof guest->room, "%s", room);
	guest->member.id = str_of(guest->id);
	buf_init(&guest->diary, SIZE_MAX);
	int rc = rooms_join(enter(guest), &guest->member, str_of(room), state);
	ck_assert_int_eq(rc, 0);
	live_value_unref(state);
	cluster_until(node->cluster, is_in, guest);
	return guest;
}

void guest_free(struct guest *guest)
{
	struct rooms *rooms = enter(guest);

	rooms_leave(rooms, &guest->member);
	rooms_forget_answers(rooms, guest);
	cluster_run(guest->node->cluster, 3);
	buf_deinit(&guest->diary);
	live_value_unref(guest->state);
	free(guest);
}

void guest_emit(struct guest *guest, const char *event, const char *data)
{
	struct rooms *rooms = enter(guest);
	int rc = rooms_emit(rooms, &(struct room_emit){
					   .type = STR("room"),
					   .room_id = str_of(guest->room),
					   .event = str_of(event),
					   .data = str_of(data),
					   .exclude = rooms_origin(rooms, &guest->member),
				   });

	ck_assert_int_eq(rc, 0);
}

static void take_answer(void *context, const char *error, const live_value *value)
{
	struct guest *guest = context;

	guest->answers++;
	guest->errors += error != NULL;
	guest->doubts += error && strstr(error, " may have failed: ");
	char *json = error ? NULL : live_to_json(value, NULL);
	snprintf(guest->last, sizeof guest->last, "%s", error ? error : json);
	free(json);
}

void guest_set(struct guest *guest, const char *updates)
{
	struct rooms *rooms = enter(guest);
	const live_value *value = value_of(updates);

	rooms_set_state(rooms, str_of(guest->room), value, (struct room_origin){0}, take_answer, guest);
	live_value_unref(value);
}

/* argument: [key, amount]; the reply is the new number. */
static const live_value *add(const live_value *state, const live_value *argument, const live_value **reply)
{
	const char *key = live_as_string(live_at(argument, 0));
	int64_t sum = live_as_int(live_get(state, key), 0) + live_as_int(live_at(argument, 1), 0);

	*reply = live_int(sum);
	return live_with(state, key, live_int(sum));
}

void guest_add(struct guest *guest, const char *key, int64_t amount)
{
	struct rooms *rooms = enter(guest);
	const live_value *argument = live_array_of(live_string(key), live_int(amount), LIVE_END);

	rooms_update(rooms, str_of(guest->room), add, argument, (struct room_origin){0}, take_answer, guest);
	live_value_unref(argument);
}

/* ---- expecting ---- */

static const char *expected_lines;

static bool has_lines(void *context)
{
	const struct guest *guest = context;

	return guest->diary.len >= strlen(expected_lines);
}

void guest_expect(struct guest *guest, const char *lines)
{
	expected_lines = lines;
	bool came = redis_stage_until(&guest->node->cluster->stage, has_lines, guest);
	buf_append_char(&guest->diary, 0);
	ck_assert_msg(came, "%s waits for\n%sand has\n%s", guest->id, lines, guest->diary.ptr);
	ck_assert_str_eq(guest->diary.ptr, lines);
	guest_forget_diary(guest);
}

void guest_forget_diary(struct guest *guest)
{
	buf_reset(&guest->diary, 65536);
}

static const live_value *expected_state;

static bool has_state(void *context)
{
	return live_equal(((const struct guest *)context)->state, expected_state);
}

void guest_await_state(struct guest *guest, const char *json)
{
	expected_state = value_of(json);
	bool came = redis_stage_until(&guest->node->cluster->stage, has_state, guest);
	char *now = live_to_json(guest->state, NULL);
	ck_assert_msg(came, "%s waits for %s and has %s", guest->id, json, now);
	free(now);
	live_value_unref(expected_state);
}
