/* What an open room does with each kind of mail, and how it tells the shards that have a seat. */
#include "pubsub/room.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/diff.h"
#include "core/json.h"
#include "pubsub/adapter.h"
#include "pubsub/room_commits.h"
#include "pubsub/room_mail.h"
#include "pubsub/room_view.h"

enum {
	SCRATCH_KEEP = 65536, /* bytes that stay allocated to print in */
};

/* ---- telling ---- */

/* The event's last touch at the home: what every listener is told besides the text. */
static void seal(struct room *room, struct room_event *event)
{
	event->version = room->state.version;
	event->member_count = room_count(room);
	if (event->wall_ms == 0)
		event->wall_ms = shard_clock(room->rooms->shard)->wall_ms;
	room->last_activity_ms = event->wall_ms;
}

/* Whether there is a member that gets the event: one who is alone in a room often speaks to nobody. */
static bool has_audience(const struct room *room, const struct room_event *event)
{
	uint32_t count = room_members_count(&room->members);

	return count > 1 || (count == 1 && !room_members_has(&room->members, event->exclude));
}

static void tell(struct room *room, struct room_dispatch *dispatch)
{
	struct room_event *event = &dispatch->event;

	if (room->is_room && has_audience(room, event))
		event->wire = room_options(room)->hooks->encode(event);
	counter_add(&room->rooms->counters.events, 1);
	room_dispatch_fan_out(dispatch, room->rooms->shard, room->members.seats, room->members.seat_count);
}

static struct room_dispatch *event_new(struct room *room, enum room_event_kind kind, struct str name, struct str data,
				       struct room_origin exclude)
{
	const struct room_event_text text = {
		.type = room_key_type(room->key), .room_id = room_id(room), .name = name, .data = data};
	struct room_dispatch *dispatch = room_dispatch_new(&text, ROOM_MAIL_EMIT, room->members.seat_count);

	if (dispatch) {
		dispatch->event.kind = kind;
		dispatch->event.exclude = exclude;
	}
	return dispatch;
}

/* To the adapter, and as "$sub:join" or "$sub:leave" to the members but the one that joined. */
static void tell_membership(struct room *room, bool joined, struct room_origin who, struct str member_id)
{
	struct rooms *rooms = room->rooms;
	struct room_adapter *adapter = room_options(room)->adapter;

	room->last_activity_ms = shard_clock(rooms->shard)->wall_ms;
	adapter->ops->publish_membership(adapter, rooms, room_id(room), joined, member_id);
	if (room_members_count(&room->members) == (joined ? 1 : 0) && !room_view_listens(rooms, room->key))
		return; /* there is nobody else here */

	buf_append_str(&rooms->scratch, STR("{\"subscriberId\":"));
	json_write_string(&rooms->scratch, member_id);
	buf_printf(&rooms->scratch, ",\"count\":%u}", room_count(room));
	struct str name = joined ? STR("$sub:join") : STR("$sub:leave");
	struct room_dispatch *dispatch = NULL;

	if (!buf_failed(&rooms->scratch))
		dispatch = event_new(room, ROOM_EVENT_SYSTEM, name, buf_str(&rooms->scratch),
				     joined ? who : (struct room_origin){0});
	buf_reset(&rooms->scratch, SCRATCH_KEEP);
	if (!dispatch)
		return; /* no memory for a line of text: the next one brings the count right */
	seal(room, &dispatch->event);
	tell(room, dispatch);
}

/* ---- state ---- */

/* The event of a planned change, or NULL when there is no memory for its text. */
static struct room_dispatch *change_event(struct room *room, const struct room_change *change,
					  struct room_origin exclude)
{
	struct buf *text = &room->rooms->scratch;
	struct room_dispatch *dispatch = NULL;

	buf_append_str(text, STR("{\"state\":"));
	json_write(text, change->delta);
	buf_append_char(text, '}');
	if (!buf_failed(text))
		dispatch = event_new(room, ROOM_EVENT_STATE, STR("$state:update"), buf_str(text), exclude);
	buf_reset(text, SCRATCH_KEEP);
	return dispatch;
}

static void commit(struct room *room, struct room_change *change, struct room_dispatch *dispatch)
{
	room_state_commit(&room->state, change);
	dispatch->event.changes = live_value_ref(change->delta);
	dispatch->event.state = live_value_ref(room->state.value);
	seal(room, &dispatch->event);
}

const char *room_apply(struct room *room, struct room_change *change, struct room_origin exclude, int64_t wall_ms)
{
	struct room_dispatch *dispatch = change_event(room, change, exclude);

	if (!dispatch)
		return ROOM_ERROR_STATE_SIZE;
	dispatch->event.wall_ms = wall_ms;
	commit(room, change, dispatch);
	tell(room, dispatch);
	return NULL;
}

/* Applies change and tells everybody; NULL or why not. */
static const char *apply(struct room *room, struct room_change *change, struct room_origin exclude)
{
	const struct rooms_options *options = room_options(room);

	if (!change->delta)
		return NULL;
	if (room_change_is_too_large(&room->state, change, options->max_state_bytes))
		return ROOM_ERROR_STATE_SIZE;
	struct room_dispatch *dispatch = change_event(room, change, exclude);
	if (!dispatch)
		return ROOM_ERROR_STATE_SIZE;
	commit(room, change, dispatch);
	options->adapter->ops->publish_state(options->adapter, room->rooms, &dispatch->event);
	tell(room, dispatch);
	return NULL;
}

void room_plan(const struct room *room, const struct room_state *state, const live_value *patch,
	       struct room_change *change)
{
	const struct diff_options diff = {.deep = true, .depth = room_options(room)->diff_depth};

	room_state_plan_patch(state, patch, &diff, change);
}

static const char *patch_state(struct room *room, const live_value *patch, struct room_origin exclude)
{
	struct room_change change;

	room_plan(room, &room->state, patch, &change);
	const char *error = apply(room, &change, exclude);
	room_change_drop(&change);
	return error;
}

/* Tells the adapter of the state that a room begins with. */
void room_publish_seed(struct room *room)
{
	struct room_adapter *adapter = room_options(room)->adapter;
	struct room_change change = {.delta = room->state.value};
	struct room_dispatch *dispatch = change_event(room, &change, (struct room_origin){0});

	if (!dispatch)
		return;
	dispatch->event.changes = live_value_ref(room->state.value);
	dispatch->event.state = live_value_ref(room->state.value);
	seal(room, &dispatch->event);
	adapter->ops->publish_state(adapter, room->rooms, &dispatch->event);
	room_event_unref(&dispatch->event);
}

/* ---- each kind of mail, at a room that is open ---- */

static struct room_origin member_of(const struct room_request *request)
{
	return (struct room_origin){.serial = request->serial, .shard = request->base.from};
}

static void handle_join(struct room *room, struct room_request *request)
{
	bool is_new = room_members_add(&room->members, member_of(request), request->member_id);

	assert_always(is_new); /* serials are used once */
	timer_disarm(&room->timer);
	tell_membership(room, true, member_of(request), request->member_id);
	request->version = room->state.version;
	request->member_count = room_count(room);
	room_request_answer(room->rooms, request, NULL, live_value_ref(room->state.value));
}

static void handle_leave(struct room *room, struct room_request *request)
{
	struct room_guest *guest = room_members_take(&room->members, member_of(request));

	if (guest) { /* else its join was refused */
		tell_membership(room, false, member_of(request), room_guest_id(guest));
		room_expect_empty(room);
		free(guest);
	}
	room_request_free(request);
}

static void handle_set_state(struct room *room, struct room_request *request)
{
	const char *error = patch_state(room, request->value, request->exclude);

	room_request_answer(room->rooms, request, error, error ? NULL : live_value_ref(room->state.value));
}

static void handle_update(struct room *room, struct room_request *request)
{
	const live_value *reply = NULL;
	const live_value *state = request->update(room->state.value, request->value, &reply);
	const char *error = state == room->state.value ? NULL : patch_state(room, state, request->exclude);

	live_value_unref(state);
	if (error) {
		live_value_unref(reply);
		reply = NULL;
	}
	room_request_answer(room->rooms, request, error, reply);
}

static void handle_watch(struct room *room, struct room_request *request)
{
	room_seats_add(&room->members, request->base.from);
	room_request_free(request);
}

static void handle_unwatch(struct room *room, struct room_request *request)
{
	bool had_seat = room_seats_remove(&room->members, request->base.from);

	assert_always(had_seat);
	room_request_free(request);
	if (room->members.seat_count == 0)
		room_close(room);
}

static void handle_emit(struct room *room, struct room_dispatch *dispatch)
{
	struct room_adapter *adapter = room_options(room)->adapter;

	seal(room, &dispatch->event);
	if (room->is_room)
		adapter->ops->publish_event(adapter, room->rooms, &dispatch->event);
	tell(room, dispatch);
}

void room_tell_event(struct room *room, struct room_dispatch *dispatch)
{
	seal(room, &dispatch->event);
	tell(room, dispatch);
}

/* What another node says, for those here only. A state is taken as it is: the limit was its sender's to keep. */
static void handle_relay(struct room *room, struct room_dispatch *dispatch)
{
	struct room_event *event = &dispatch->event;
	struct room_change change;

	if (event->kind != ROOM_EVENT_STATE) {
		room_tell_event(room, dispatch);
		return;
	}
	room_state_plan_merge(&room->state, event->changes, &change);
	if (change.delta) /* no memory for its text: then the room stays as it was, until the next one */
		(void)room_apply(room, &change, (struct room_origin){0}, event->wall_ms);
	room_change_drop(&change);
	room_event_unref(event);
}

static bool is_forbidden(const struct room *room, struct room_mail *mail)
{
	return mail->kind == ROOM_MAIL_SET_STATE && room->is_server_only && room_request_of(mail)->is_clients;
}

void room_step(struct room *room, struct room_mail *mail)
{
	if (is_forbidden(room, mail))
		room_request_answer(room->rooms, room_request_of(mail), ROOM_ERROR_SERVER_ONLY, NULL);
	else if (!room->commits || !room_commits_take(room->commits, mail))
		room_step_now(room, mail);
}

void room_step_now(struct room *room, struct room_mail *mail)
{
	struct room_request *request = room_request_of(mail);

	switch (mail->kind) {
	case ROOM_MAIL_JOIN: handle_join(room, request); break;
	case ROOM_MAIL_LEAVE: handle_leave(room, request); break;
	case ROOM_MAIL_SET_STATE: handle_set_state(room, request); break;
	case ROOM_MAIL_GET_STATE:
		room_request_answer(room->rooms, request, NULL, live_value_ref(room->state.value));
		break;
	case ROOM_MAIL_UPDATE: handle_update(room, request); break;
	case ROOM_MAIL_WATCH: handle_watch(room, request); break;
	case ROOM_MAIL_UNWATCH: handle_unwatch(room, request); break;
	case ROOM_MAIL_OPENED: room_request_free(request); break; /* a second answer, or one that comes too late */
	case ROOM_MAIL_EMIT: handle_emit(room, room_dispatch_of(mail)); break;
	case ROOM_MAIL_RELAY: handle_relay(room, room_dispatch_of(mail)); break;
	}
}
