#include "unit/pubsub/room_stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "pubsub/room_event.h"
#include "pubsub/rooms_private.h"

/* ---- hooks ---- */

static struct room_stage *stage_of_rooms; /* one stage at a time: the encode hook gets nothing but the event */

static struct frame *stage_encode(const struct room_event *event)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	buf_append_str(&text, event->name);
	buf_append_char(&text, ' ');
	buf_append_str(&text, event->data);
	struct frame *frame = frame_new(buf_str(&text));
	buf_deinit(&text);
	stage_of_rooms->encoded++;
	return frame;
}

static struct actor *actor_of(struct room_member *member)
{
	return LIST_OF(member, struct actor, member);
}

static void actor_receive(struct actor *actor, const struct room_event *event)
{
	ck_assert_int_eq(actor->member.state, ROOM_MEMBER_IN);
	buf_append_str(&actor->diary, frame_bytes(event->wire));
	buf_append_char(&actor->diary, '\n');
	if (event->kind == ROOM_EVENT_STATE) {
		const live_value *next = live_merge(actor->state, event->changes);
		live_value_unref(actor->state);
		actor->state = next;
	}
	if (actor->then)
		actor->then(actor, event);
}

static void stage_deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	uint64_t excluded = rooms_excluded_serial(rooms, event);
	struct room_member *next;

	ck_assert_ptr_nonnull(event->wire);
	for (struct room_member *member = room_view_next_member(view, NULL); member; member = next) {
		next = room_view_next_member(view, member);
		if (member->serial != excluded)
			actor_receive(actor_of(member), event);
	}
}

static void stage_joined(struct rooms *rooms, struct room_member *member, const char *error)
{
	struct actor *actor = actor_of(member);

	(void)rooms;
	if (error) {
		ck_assert_int_eq(member->state, ROOM_MEMBER_OUT);
		actor->refused++;
		buf_printf(&actor->diary, "REFUSED %s\n", error);
		return;
	}
	ck_assert_int_eq(member->state, ROOM_MEMBER_IN);
	buf_append_str(&actor->diary, STR("JOINED "));
	json_write(&actor->diary, room_view_state(member->view));
	buf_append_char(&actor->diary, '\n');
	live_value_unref(actor->state);
	actor->state = live_value_ref(room_view_state(member->view));
	actor->version = room_view_version(member->view);
}

static const struct rooms_hooks stage_hooks = {
	.encode = stage_encode, .deliver = stage_deliver, .joined = stage_joined};

/* ---- the adapter ---- */

static struct room_stage *stage_of(struct room_adapter *adapter)
{
	return LIST_OF(adapter, struct room_stage, adapter);
}

static void adapter_open(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	struct room_stage *stage = stage_of(adapter);

	buf_printf(&stage->adapter_diary, "open %.*s\n", STR_ARG(room_id));
	if (stage->manner != ADAPTER_SILENT)
		rooms_adapter_opened(rooms, room_id, stage->stored);
	if (stage->manner == ADAPTER_TWICE)
		rooms_adapter_opened(rooms, room_id, stage->stored);
}

static void adapter_close(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	(void)rooms;
	buf_printf(&stage_of(adapter)->adapter_diary, "close %.*s\n", STR_ARG(room_id));
}

static void adapter_publish(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event)
{
	(void)rooms;
	buf_printf(&stage_of(adapter)->adapter_diary, "publish %.*s %.*s\n", STR_ARG(event->name),
		   STR_ARG(event->data));
}

static void adapter_membership(struct room_adapter *adapter, struct rooms *rooms, struct str room_id, bool joined,
			       struct str member_id)
{
	(void)rooms;
	(void)room_id;
	buf_printf(&stage_of(adapter)->adapter_diary, "%s %.*s\n", joined ? "join" : "leave", STR_ARG(member_id));
}

static const struct room_adapter_ops adapter_ops = {
	.open = adapter_open,
	.close = adapter_close,
	.publish_event = adapter_publish,
	.publish_state = adapter_publish,
	.publish_membership = adapter_membership,
	.remove = adapter_close,
};

/* ---- the stage ---- */

struct room_stage *room_stage_new(unsigned shards, uint64_t seed, const struct rooms_options *options)
{
	struct room_stage *stage = mem_alloc(sizeof *stage);
	struct rooms_options all = options ? *options : (struct rooms_options){0};

	stage->stage = stage_new(shards, seed);
	stage->shards = shards;
	stage->adapter.ops = &adapter_ops;
	buf_init(&stage->adapter_diary, SIZE_MAX);
	all.adapter = &stage->adapter;
	all.hooks = &stage_hooks;
	for (unsigned i = 0; i < shards; i++)
		stage->rooms[i] = rooms_new(stage_enter(stage->stage, i), &all);
	stage_of_rooms = stage;
	return stage;
}

void room_stage_run(struct room_stage *stage)
{
	stage_run(stage->stage);
}

void room_stage_free(struct room_stage *stage)
{
	for (unsigned i = 0; i < stage->shards; i++) {
		stage_enter(stage->stage, i);
		ck_assert_uint_eq(stage->rooms[i]->views.count, 0); /* nobody is there, so nothing is kept */
		rooms_free(stage->rooms[i]);
	}
	stage_free(stage->stage);
	live_value_unref(stage->stored);
	buf_deinit(&stage->adapter_diary);
	free(stage);
}

static struct rooms *enter(struct actor *actor)
{
	if (!shard_here() || shard_index(shard_here()) != actor->shard)
		stage_enter(actor->stage->stage, actor->shard);
	return actor->stage->rooms[actor->shard];
}

struct actor *actor_new(struct room_stage *stage, unsigned shard, const char *id)
{
	struct actor *actor = mem_alloc(sizeof *actor);

	actor->stage = stage;
	actor->shard = shard;
	snprintf(actor->id, sizeof actor->id, "%s", id);
	actor->member.id = str_of(actor->id);
	buf_init(&actor->diary, SIZE_MAX);
	return actor;
}

void actor_free(struct actor *actor)
{
	actor_leave(actor);
	live_value_unref(actor->state);
	buf_deinit(&actor->diary);
	free(actor);
}

void actor_join_with(struct actor *actor, const char *room_id, const char *initial_state)
{
	const live_value *initial = initial_state ? parse(initial_state) : NULL;
	int rc = rooms_join(enter(actor), &actor->member, str_of(room_id), initial);

	ck_assert_int_eq(rc, 0);
	live_value_unref(initial);
}

void actor_join(struct actor *actor, const char *room_id)
{
	actor_join_with(actor, room_id, NULL);
}

void actor_leave(struct actor *actor)
{
	rooms_leave(enter(actor), &actor->member);
}

void actor_emit(struct actor *actor, const char *room_id, const char *event, const char *data)
{
	struct rooms *rooms = enter(actor);
	const struct room_emit emit = {.type = STR("room"),
				       .room_id = str_of(room_id),
				       .event = str_of(event),
				       .data = str_of(data),
				       .exclude = rooms_origin(rooms, &actor->member)};
	int rc = rooms_emit(rooms, &emit);

	ck_assert_int_eq(rc, 0);
}

void actor_set(struct actor *actor, const char *room_id, const char *updates)
{
	struct rooms *rooms = enter(actor);
	const live_value *value = parse(updates);

	rooms_set_state(rooms, str_of(room_id), value, rooms_origin(rooms, &actor->member), NULL, NULL);
	live_value_unref(value);
}

static void expect(struct buf *diary, const char *lines)
{
	buf_append_char(diary, '\0');
	ck_assert_str_eq(diary->ptr, lines);
	buf_reset(diary, 0);
}

void actor_expect(struct actor *actor, const char *lines)
{
	expect(&actor->diary, lines);
}

void stage_expect_adapter(struct room_stage *stage, const char *lines)
{
	expect(&stage->adapter_diary, lines);
}

void stage_emit(struct room_stage *stage, unsigned shard, const char *type, const char *room_id, const char *event,
		const char *data)
{
	const struct room_emit emit = {
		.type = str_of(type), .room_id = str_of(room_id), .event = str_of(event), .data = str_of(data)};
	stage_enter(stage->stage, shard);
	int rc = rooms_emit(stage->rooms[shard], &emit);

	ck_assert_int_eq(rc, 0);
}

const live_value *parse(const char *json)
{
	char error[128];
	const live_value *value = live_from_json(json, strlen(json), error, sizeof error);

	ck_assert_msg(value, "%s: %s", json, error);
	return value;
}

void answer_take(void *context, const char *error, const live_value *value)
{
	struct answer *answer = context;

	answer->count++;
	if (error) {
		snprintf(answer->text, sizeof answer->text, "error %s", error);
		return;
	}
	char *json = live_to_json(value, NULL);
	snprintf(answer->text, sizeof answer->text, "ok %s", json);
	free(json);
}
