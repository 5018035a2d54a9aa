#include "pubsub/rooms.h"

#include <errno.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/adapter.h"
#include "pubsub/room.h"
#include "pubsub/room_key.h"
#include "pubsub/room_mail.h"
#include "pubsub/room_view.h"
#include "pubsub/rooms_private.h"

enum {
	DEFAULT_STATE_BYTES = 10 << 20, /* protocol section 3 */
	DEFAULT_EMPTY_MS = 5 * 60 * 1000,
	DEFAULT_MAX_ROOMS = 1 << 20,
	DEFAULT_DIFF_DEPTH = 3,
};

struct rooms *rooms_new(struct shard *shard, const struct rooms_options *options)
{
	struct rooms *rooms = mem_alloc(sizeof *rooms);

	assert_always(options->adapter && options->hooks);
	rooms->shard = shard;
	rooms->index = shard_index(shard);
	rooms->shard_count = shard_group_count(shard_group_of(shard));
	rooms->options = *options;
	if (!options->max_state_bytes)
		rooms->options.max_state_bytes = DEFAULT_STATE_BYTES;
	if (!options->empty_ms)
		rooms->options.empty_ms = DEFAULT_EMPTY_MS;
	if (!options->max_rooms)
		rooms->options.max_rooms = DEFAULT_MAX_ROOMS;
	if (!options->diff_depth)
		rooms->options.diff_depth = DEFAULT_DIFF_DEPTH;
	map_init(&rooms->homes);
	map_init(&rooms->views);
	room_answers_init(&rooms->answers);
	buf_init(&rooms->scratch, SIZE_MAX / 2); /* what it prints is bounded by the limit of a state */
	shard_set_context(shard, SHARD_ROOMS, rooms);
	return rooms;
}

void rooms_free(struct rooms *rooms)
{
	struct map_entry *next;

	if (!rooms)
		return;
	shard_set_context(rooms->shard, SHARD_ROOMS, NULL); /* mail that comes yet is discarded */
	room_free_all(rooms);
	for (struct map_entry *entry = map_first(&rooms->views); entry; entry = next) {
		struct room_view *view = MAP_OF(entry, struct room_view, by_key);

		next = map_next(&rooms->views, entry);
		assert_always(list_is_empty(&view->members) && list_is_empty(&view->joining));
		room_view_free(view);
	}
	map_deinit(&rooms->views);
	room_answers_deinit(&rooms->answers);
	buf_deinit(&rooms->scratch);
	free(rooms);
}

struct shard *rooms_shard(const struct rooms *rooms)
{
	return rooms->shard;
}

const struct rooms_counters *rooms_counters(const struct rooms *rooms)
{
	return &rooms->counters;
}

bool room_name_is_valid(struct str id)
{
	if (id.len < 1 || id.len > ROOM_NAME_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != ':' && c != '.' && c != '-')
			return false;
	}
	return true;
}

unsigned rooms_home_shard(struct str type, struct str room_id, unsigned shard_count)
{
	char *bytes = mem_alloc(room_key_size(type, room_id));
	unsigned home = room_key_home(room_key_write(bytes, type, room_id), shard_count);

	free(bytes);
	return home;
}

/* ---- who ---- */

struct room_origin rooms_origin(struct rooms *rooms, struct room_member *member)
{
	if (member->serial == 0)
		member->serial = ++rooms->last_serial;
	return (struct room_origin){.serial = member->serial, .shard = (uint16_t)rooms->index};
}

uint64_t rooms_excluded_serial(const struct rooms *rooms, const struct room_event *event)
{
	return event->exclude.shard == rooms->index ? event->exclude.serial : 0;
}

/* ---- emitting ---- */

static struct room_dispatch *emit_new(const struct room_emit *emit, unsigned shard_count)
{
	const struct room_event_text text = {
		.type = emit->type, .room_id = emit->room_id, .name = emit->event, .data = emit->data};
	struct room_dispatch *dispatch = room_dispatch_new(&text, ROOM_MAIL_EMIT, shard_count);

	if (dispatch)
		dispatch->event.exclude = emit->exclude;
	return dispatch;
}

int rooms_emit(struct rooms *rooms, const struct room_emit *emit)
{
	struct room_dispatch *dispatch = emit_new(emit, rooms->shard_count);

	shard_assert_here(rooms->shard);
	if (!dispatch)
		return -ENOMEM;
	shard_post(rooms->shard, room_key_home(dispatch->base.key, rooms->shard_count), &dispatch->base.mail);
	return 0;
}

int rooms_emit_outside(struct shard *any_shard_of_group, const struct room_emit *emit)
{
	struct shard_group *group = shard_group_of(any_shard_of_group);
	struct shard *here = shard_here();
	unsigned shard_count = shard_group_count(group);
	struct room_dispatch *dispatch = emit_new(emit, shard_count);

	if (!dispatch)
		return -ENOMEM;
	unsigned home = room_key_home(dispatch->base.key, shard_count);

	if (here && shard_group_of(here) == group)
		shard_post(here, home, &dispatch->base.mail);
	else
		shard_post_outside(shard_group_at(group, home), &dispatch->base.mail);
	return 0;
}

/* ---- state ---- */

static struct room_request *request_new(struct rooms *rooms, enum room_mail_kind kind, struct str room_id,
					room_answer *answer, void *context)
{
	struct room_request *request = room_request_new(rooms, kind, ROOM_TYPE, room_id, (struct str){0});

	shard_assert_here(rooms->shard);
	request->serial = room_answers_await(&rooms->answers, answer, context);
	return request;
}

static struct room_request *set_state(struct rooms *rooms, struct str room_id, const live_value *updates,
				      struct room_origin exclude, room_answer *answer, void *context)
{
	struct room_request *request = request_new(rooms, ROOM_MAIL_SET_STATE, room_id, answer, context);

	request->value = live_value_ref(updates);
	request->exclude = exclude;
	return request;
}

void rooms_set_state(struct rooms *rooms, struct str room_id, const live_value *updates, struct room_origin exclude,
		     room_answer *answer, void *context)
{
	room_request_send(rooms, set_state(rooms, room_id, updates, exclude, answer, context));
}

void rooms_set_state_by_client(struct rooms *rooms, struct str room_id, const live_value *updates,
			       struct room_origin exclude, room_answer *answer, void *context)
{
	struct room_request *request = set_state(rooms, room_id, updates, exclude, answer, context);

	request->is_clients = true;
	room_request_send(rooms, request);
}

void rooms_get_state(struct rooms *rooms, struct str room_id, room_answer *answer, void *context)
{
	room_request_send(rooms, request_new(rooms, ROOM_MAIL_GET_STATE, room_id, answer, context));
}

void rooms_update(struct rooms *rooms, struct str room_id, room_update_fn *update, const live_value *argument,
		  struct room_origin exclude, room_answer *answer, void *context)
{
	struct room_request *request = request_new(rooms, ROOM_MAIL_UPDATE, room_id, answer, context);

	request->update = update;
	request->value = live_value_ref(argument);
	request->exclude = exclude;
	room_request_send(rooms, request);
}

void rooms_forget_answers(struct rooms *rooms, void *context)
{
	room_answers_forget(&rooms->answers, context);
}
