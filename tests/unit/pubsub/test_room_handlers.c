/* The event bus: who is called, with what, and what a handler may do. */
#include "pubsub/rooms.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/pubsub/room_stage.h"
#include "unit/shard/shard_test.h"

/* A handler that writes down what it is called with, and may do something besides. */
struct listener {
	struct room_stage *stage;
	unsigned shard;
	struct room_handler *handler;
	struct buf diary;
	void (*then)(struct listener *self);
	struct listener *other;
};

static void listener_call(void *context, const struct room_event *event, const live_value *data)
{
	struct listener *self = context;
	char *json = live_to_json(data, NULL);

	buf_printf(&self->diary, "%.*s %s\n", STR_ARG(event->name), json);
	free(json);
	if (self->then)
		self->then(self);
}

static void listen_with(struct listener *self, const char *type, const char *room_id, const char *name,
			const struct room_member *member)
{
	struct rooms *rooms = self->stage->rooms[self->shard];

	if (shard_here() != rooms_shard(rooms))
		stage_enter(self->stage->stage, self->shard);
	self->handler = rooms_on(rooms, str_of(type), str_of(room_id), str_of(name), member, listener_call, self);
}

static struct listener *listener_new(struct room_stage *stage, unsigned shard, const char *type, const char *name)
{
	struct listener *self = calloc(1, sizeof *self);

	self->stage = stage;
	self->shard = shard;
	buf_init(&self->diary, SIZE_MAX);
	listen_with(self, type, "lobby", name, NULL);
	return self;
}

static void unlisten(struct listener *self)
{
	struct rooms *rooms = self->stage->rooms[self->shard];

	if (shard_here() != rooms_shard(rooms))
		stage_enter(self->stage->stage, self->shard);
	rooms_off(rooms, self->handler);
	self->handler = NULL;
}

static void listener_free(struct listener *self)
{
	unlisten(self);
	buf_deinit(&self->diary);
	free(self);
}

static void expect(struct listener *self, const char *lines)
{
	buf_append_char(&self->diary, '\0');
	ck_assert_str_eq(self->diary.ptr, lines);
	buf_reset(&self->diary, 0);
}

static unsigned homes_on(struct room_stage *stage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->shards; i++)
		count += rooms_home_count(stage->rooms[i]);
	return count;
}

START_TEST(channels_and_names_are_kept_apart)
{
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct listener *x = listener_new(stage, 0, "default", "x");
	struct listener *all = listener_new(stage, 1, "default", "*");
	struct listener *elsewhere = listener_new(stage, 2, "other", "x");

	room_stage_run(stage);
	ck_assert_uint_eq(homes_on(stage), 2);
	stage_emit(stage, 2, "default", "lobby", "x", "{\"n\":1}");
	stage_emit(stage, 2, "default", "lobby", "y", "");
	stage_emit(stage, 2, "default", "lobby2", "x", "2");
	room_stage_run(stage);
	expect(x, "x {\"n\":1}\n");
	expect(all, "x {\"n\":1}\ny null\n");
	expect(elsewhere, "");
	ck_assert_uint_eq(stage->encoded, 0); /* no clients, no frames */
	listener_free(x);
	listener_free(all);
	listener_free(elsewhere);
	room_stage_run(stage);
	ck_assert_uint_eq(homes_on(stage), 0);
	room_stage_free(stage);
}
END_TEST

/* In a room: with the events of members, before the clients get them, and only while there is a member here. */
START_TEST(handlers_in_a_room_need_a_member)
{
	unsigned home = rooms_home_shard(STR("room"), STR("lobby"), 3);
	unsigned first = (home + 1) % 3, second = (home + 2) % 3;
	struct room_stage *stage = room_stage_new(3, 0, NULL);
	struct actor *actor = actor_new(stage, first, "actor");
	struct actor *other = actor_new(stage, second, "other");
	struct listener *here = listener_new(stage, first, "room", "*");
	struct listener *there = listener_new(stage, second, "room", "*");

	actor_join(actor, "lobby");
	room_stage_run(stage);
	stage_emit(stage, second, "room", "lobby", "x", "1");
	room_stage_run(stage);
	actor_set(actor, "lobby", "{\"n\":{\"m\":1}}");
	room_stage_run(stage);
	expect(here, "x 1\n$state:update {\"state\":{\"n\":{\"m\":1}}}\n");
	expect(there, "");
	actor_join(other, "lobby");
	room_stage_run(stage);
	expect(here, "$sub:join {\"subscriberId\":\"other\",\"count\":2}\n");
	actor_free(actor);
	room_stage_run(stage);
	expect(there, "$sub:leave {\"subscriberId\":\"actor\",\"count\":1}\n");
	actor_free(other);
	room_stage_run(stage);
	stage_emit(stage, second, "room", "lobby", "x", "1");
	room_stage_run(stage);
	expect(here, "");
	expect(there, "");
	listener_free(here);
	listener_free(there);
	room_stage_free(stage);
}
END_TEST

START_TEST(handlers_at_a_rooms_home_need_no_member)
{
	unsigned home = rooms_home_shard(STR("room"), STR("lobby"), 2);
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct listener *here = listener_new(stage, home, "room", "*");
	struct actor *actor = actor_new(stage, 1 - home, "actor");

	room_stage_run(stage);
	actor_join(actor, "lobby");
	room_stage_run(stage);
	stage_emit(stage, 1 - home, "room", "lobby", "x", "1");
	room_stage_run(stage);
	expect(here, "$sub:join {\"subscriberId\":\"actor\",\"count\":1}\nx 1\n");
	actor_free(actor);
	room_stage_run(stage);
	expect(here, "$sub:leave {\"subscriberId\":\"actor\",\"count\":0}\n");
	listener_free(here);
	room_stage_free(stage);
}
END_TEST

START_TEST(a_members_handler_is_not_called_for_its_own_events)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	struct actor *other = actor_new(stage, 0, "other");
	struct listener *own = listener_new(stage, 0, "room", "x");

	actor_join(actor, "lobby");
	actor_join(other, "lobby");
	unlisten(own);
	listen_with(own, "room", "lobby", "x", &actor->member);
	room_stage_run(stage);
	actor_emit(actor, "lobby", "x", "\"mine\"");
	actor_emit(other, "lobby", "x", "\"theirs\"");
	room_stage_run(stage);
	expect(own, "x \"theirs\"\n");
	/* Its join is under way: the snapshot comes, not the event. */
	actor_emit(other, "lobby", "x", "\"before\"");
	actor_leave(actor);
	actor_join(actor, "lobby");
	actor_emit(other, "lobby", "x", "\"after\"");
	room_stage_run(stage);
	expect(own, "x \"after\"\n");
	listener_free(own);
	actor_free(actor);
	actor_free(other);
	room_stage_free(stage);
}
END_TEST

/* In the event bus a component that is in no room is named by a member that never joins. */
START_TEST(a_member_that_never_joined_can_be_excluded)
{
	struct room_stage *stage = room_stage_new(2, 0, NULL);
	struct room_member name = {0};
	struct listener *own = listener_new(stage, 1, "default", "y");
	struct listener *other = listener_new(stage, 1, "default", "x");
	struct room_emit emit = {.type = STR("default"), .room_id = STR("lobby"), .event = STR("x"), .data = STR("1")};

	unlisten(own);
	listen_with(own, "default", "lobby", "x", &name);
	emit.exclude = rooms_origin(stage->rooms[1], &name);
	ck_assert_int_eq(rooms_emit(stage->rooms[1], &emit), 0);
	room_stage_run(stage);
	expect(own, "");
	expect(other, "x 1\n");
	listener_free(own);
	listener_free(other);
	room_stage_free(stage);
}
END_TEST

static void end_self(struct listener *self)
{
	unlisten(self);
}

static void end_other(struct listener *self)
{
	unlisten(self->other);
}

static void begin_other(struct listener *self)
{
	self->then = NULL;
	listen_with(self->other, "default", "lobby", "x", NULL);
}

static void end_and_begin_self(struct listener *self)
{
	unlisten(self);
	listen_with(self, "default", "lobby", "x", NULL);
}

static void emit_again(struct listener *self)
{
	self->then = NULL;
	stage_emit(self->stage, self->shard, "default", "lobby", "x", "2");
}

START_TEST(handlers_may_do_anything)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct listener *a = listener_new(stage, 0, "default", "x");
	struct listener *b = listener_new(stage, 0, "default", "x");
	struct listener *c = listener_new(stage, 0, "default", "x");

	a->then = end_self;
	b->then = end_other;
	b->other = c;
	stage_emit(stage, 0, "default", "lobby", "x", "1");
	room_stage_run(stage);
	expect(a, "x 1\n");
	expect(b, "x 1\n");
	expect(c, "");

	b->then = begin_other; /* from the next event on */
	stage_emit(stage, 0, "default", "lobby", "x", "1");
	room_stage_run(stage);
	expect(c, "");
	c->then = end_and_begin_self; /* is not called for ever */
	stage_emit(stage, 0, "default", "lobby", "x", "1");
	room_stage_run(stage);
	expect(c, "x 1\n");

	b->then = end_self; /* and with c the last ones: the view goes while it delivers */
	c->then = end_self;
	stage_emit(stage, 0, "default", "lobby", "x", "1");
	room_stage_run(stage);
	expect(c, "x 1\n");
	ck_assert_uint_eq(homes_on(stage), 0);
	listener_free(a);
	listener_free(b);
	listener_free(c);
	room_stage_free(stage);
}
END_TEST

static struct actor *last_member;

static void leave_and_emit(struct listener *self)
{
	self->then = NULL;
	actor_leave(last_member);
	stage_emit(self->stage, self->shard, "room", "lobby", "y", "2");
	unlisten(self);
}

/* All that keeps the view goes in the midst of its delivery. */
START_TEST(a_handler_may_empty_the_view)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct actor *actor = actor_new(stage, 0, "actor");
	struct listener *listener = listener_new(stage, 0, "room", "*");

	actor_join(actor, "lobby");
	room_stage_run(stage);
	expect(listener, "$sub:join {\"subscriberId\":\"actor\",\"count\":1}\n");
	last_member = actor;
	listener->then = leave_and_emit;
	stage_emit(stage, 0, "room", "lobby", "x", "1");
	room_stage_run(stage);
	expect(listener, "x 1\n");
	actor_expect(actor, "JOINED {}\n");
	ck_assert_ptr_null(rooms_find_view(stage->rooms[0], STR("room"), STR("lobby")));
	listener_free(listener);
	actor_free(actor);
	room_stage_free(stage);
}
END_TEST

START_TEST(events_in_a_channel_never_nest)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct listener *first = listener_new(stage, 0, "default", "x");
	struct listener *second = listener_new(stage, 0, "default", "x");

	first->then = emit_again;
	stage_emit(stage, 0, "default", "lobby", "x", "1");
	room_stage_run(stage);
	expect(first, "x 1\nx 2\n");
	expect(second, "x 1\nx 2\n");
	listener_free(first);
	listener_free(second);
	room_stage_free(stage);
}
END_TEST

START_TEST(text_that_is_no_json_counts_as_null)
{
	struct room_stage *stage = room_stage_new(1, 0, NULL);
	struct listener *listener = listener_new(stage, 0, "default", "x");

	stage_emit(stage, 0, "default", "lobby", "x", "{broken");
	room_stage_run(stage);
	expect(listener, "x null\n");
	listener_free(listener);
	room_stage_free(stage);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, channels_and_names_are_kept_apart);
	tcase_add_test(tests, handlers_in_a_room_need_a_member);
	tcase_add_test(tests, handlers_at_a_rooms_home_need_no_member);
	tcase_add_test(tests, a_members_handler_is_not_called_for_its_own_events);
	tcase_add_test(tests, a_member_that_never_joined_can_be_excluded);
	tcase_add_test(tests, handlers_may_do_anything);
	tcase_add_test(tests, a_handler_may_empty_the_view);
	tcase_add_test(tests, events_in_a_channel_never_nest);
	tcase_add_test(tests, text_that_is_no_json_counts_as_null);
}

int main(void)
{
	return run_case("room_handlers", add_tests);
}
