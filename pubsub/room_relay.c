/* What adapters say: what is stored, and what happened on other nodes. */
#include "pubsub/adapter.h"

#include <errno.h>

#include "core/diff.h"
#include "pubsub/room.h"
#include "pubsub/room_commits.h"
#include "pubsub/room_mail.h"
#include "pubsub/room_members.h"
#include "shard/shard.h"

/* ---- by mail, so that it may be said from anywhere ---- */

void rooms_adapter_opened(struct rooms *rooms, struct str room_id, const live_value *state)
{
	struct room_request *request = room_request_new(rooms, ROOM_MAIL_OPENED, ROOM_TYPE, room_id, (struct str){0});

	shard_assert_here(rooms->shard);
	request->value = live_value_ref(state);
	room_request_send(rooms, request);
}

static struct room_dispatch *relay_new(struct rooms *rooms, const struct room_event *event)
{
	const struct room_event_text text = {
		.type = ROOM_TYPE, .room_id = event->room_id, .name = event->name, .data = event->data};
	struct room_dispatch *dispatch = room_dispatch_new(&text, ROOM_MAIL_RELAY, rooms->shard_count);

	shard_assert_here(rooms->shard);
	if (!dispatch)
		return NULL;
	dispatch->event.kind = event->kind;
	dispatch->event.changes = live_value_ref(event->changes);
	dispatch->event.wall_ms = event->wall_ms;
	return dispatch;
}

void rooms_adapter_event(struct rooms *rooms, const struct room_event *event)
{
	struct room_dispatch *dispatch = relay_new(rooms, event);

	if (dispatch)
		shard_post(rooms->shard, room_key_home(dispatch->base.key, rooms->shard_count), &dispatch->base.mail);
}

/* ---- at once ---- */

void rooms_adapter_relay(struct rooms *rooms, const struct room_event *event)
{
	struct room_dispatch *dispatch = relay_new(rooms, event);

	if (dispatch)
		room_receive(rooms, &dispatch->base);
}

/* What leads from old to new, with null for top-level keys that went: a delta has no other word for that. */
static void find_steps(const struct room *room, const live_value *old, const live_value *new, struct diff_steps *steps)
{
	const struct diff_options options = {.deep = true, .depth = room_options(room)->diff_depth};
	live_iter iter = {0};

	diff_states(old, new, &options, steps);
	while (live_next(old, &iter)) {
		if (live_get_len(new, iter.key, iter.key_len))
			continue;
		const live_value *wider = live_with_len(steps->delta, iter.key, iter.key_len, live_null());
		live_value_unref(steps->delta);
		steps->delta = wider;
	}
}

/* The room's state is next from now on; its members are told delta, which leads there and is given away. */
static void take_step(struct room *room, const live_value *delta, const live_value *next, int64_t wall_ms)
{
	struct room_change change;

	room_state_plan_replace(&room->state, delta, next, &change);
	(void)room_apply(room, &change, (struct room_origin){0}, wall_ms);
	room_change_drop(&change);
	live_value_unref(delta);
}

int rooms_adapter_adopt(struct rooms *rooms, struct str room_id, const live_value *state, const live_value *delta,
			int64_t wall_ms)
{
	struct room *room = room_find(rooms, room_id);

	shard_assert_here(rooms->shard);
	if (!room)
		return -ENOENT;
	if (room->phase == ROOM_OPENING) {
		room_finish_opening(room, state);
		return 0;
	}
	struct diff_steps steps = {.delta = live_value_ref(delta)};
	if (!delta)
		find_steps(room, room->state.value, state, &steps);
	if (steps.clear) {
		const live_value *cleared = live_merge(room->state.value, steps.clear);
		take_step(room, steps.clear, cleared, wall_ms);
		live_value_unref(cleared);
	}
	if (steps.delta)
		take_step(room, steps.delta, state, wall_ms);
	return 0;
}

void rooms_adapter_count(struct rooms *rooms, struct str room_id, uint32_t elsewhere)
{
	struct room *room = room_find(rooms, room_id);

	if (room)
		room->elsewhere = elsewhere;
}

void rooms_adapter_each_member(struct rooms *rooms, struct str room_id,
			       void (*each)(void *context, struct str member_id), void *context)
{
	struct room *room = room_find(rooms, room_id);

	if (!room)
		return;
	const struct map *members = &room->members.by_origin;
	for (struct map_entry *entry = map_first(members); entry; entry = map_next(members, entry))
		each(context, room_guest_id(room_guest_of(entry)));
}

/* ---- rooms whose changes are committed outside ---- */

static struct room_commits *commits_of(struct rooms *rooms, struct str room_id)
{
	struct room *room = room_find(rooms, room_id);

	shard_assert_here(rooms->shard);
	return room ? room->commits : NULL;
}

const struct room_batch *rooms_adapter_run(struct rooms *rooms, struct str room_id, uint64_t number)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	return commits ? room_commits_run(commits, number) : NULL;
}

const struct room_batch *rooms_adapter_batch(struct rooms *rooms, struct str room_id)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	return commits ? room_commits_out(commits) : NULL;
}

void rooms_adapter_commit_batch(struct rooms *rooms, struct str room_id)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	if (commits)
		room_commits_commit(commits);
}

void rooms_adapter_drop_batch(struct rooms *rooms, struct str room_id, bool may_be_done)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	if (commits)
		room_commits_drop(commits, may_be_done);
}

void rooms_adapter_settle(struct rooms *rooms, struct str room_id, uint64_t acked, const char *error)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	if (commits)
		room_commits_settle(commits, acked, error);
}

int64_t rooms_adapter_expire(struct rooms *rooms, struct str room_id, int64_t before_ms, const char *error,
			     const char *out_error)
{
	struct room_commits *commits = commits_of(rooms, room_id);

	return commits ? room_commits_expire(commits, before_ms, error, out_error) : -1;
}
