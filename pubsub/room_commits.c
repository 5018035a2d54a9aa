#include "pubsub/room_commits.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/room.h"
#include "shard/shard.h"

enum {
	WAITING_MAX = 65536, /* mails that wait; besides, as many bytes as a state may have */
	BATCH_MAX = 1024,    /* mails in one commit */
};

struct waiter { /* a mail, and while a batch is out what it would come to */
	struct waiter *next;
	struct room_mail *mail;
	int64_t since_ms;
	size_t bytes;
	struct room_change change; /* a delta: it changes the state */
	const live_value *result;  /* of it: what its asker gets */
	const char *error;
};

struct room_commits {
	struct room *room;
	struct waiter *first; /* the oldest */
	struct waiter **last;
	uint32_t count;
	size_t bytes;
	unsigned out_waiters; /* the first so many are in the batch that is out */
	struct room_batch out;
	struct room_batch_item *items; /* of out */
};

struct room_commits *room_commits_new(struct room *room)
{
	struct room_commits *commits = mem_alloc(sizeof *commits);

	commits->room = room;
	commits->last = &commits->first;
	return commits;
}

/* ---- waiting ---- */

static bool is_change(const struct room_mail *mail)
{
	return mail->kind == ROOM_MAIL_SET_STATE || mail->kind == ROOM_MAIL_UPDATE;
}

static bool must_wait(const struct room_commits *commits, const struct room_mail *mail)
{
	if (is_change(mail))
		return true;
	return commits->first && (mail->kind == ROOM_MAIL_EMIT || mail->kind == ROOM_MAIL_GET_STATE);
}

bool room_commits_take(struct room_commits *commits, struct room_mail *mail)
{
	struct room *room = commits->room;
	struct room_adapter *adapter = room_options(room)->adapter;

	if (!must_wait(commits, mail))
		return false;
	size_t bytes = room_mail_bytes(mail);
	if (commits->count == WAITING_MAX || commits->bytes + bytes > room_options(room)->max_state_bytes) {
		counter_add(&room->rooms->counters.refused, 1);
		if (mail->kind == ROOM_MAIL_EMIT)
			room_mail_free(mail);
		else
			room_request_answer(room->rooms, room_request_of(mail), ROOM_ERROR_BUSY, NULL);
		return true;
	}
	struct waiter *waiter = mem_alloc(sizeof *waiter);
	waiter->mail = mail;
	waiter->bytes = bytes;
	waiter->since_ms = shard_clock(room->rooms->shard)->mono_ms;
	*commits->last = waiter;
	commits->last = &waiter->next;
	commits->count++;
	commits->bytes += bytes;
	adapter->ops->commit(adapter, room->rooms, room_id(room));
	return true;
}

/* Takes the oldest out; the caller frees it. */
static struct waiter *take_first(struct room_commits *commits)
{
	struct waiter *waiter = commits->first;

	commits->first = waiter->next;
	if (!commits->first)
		commits->last = &commits->first;
	commits->count--;
	commits->bytes -= waiter->bytes;
	return waiter;
}

static void forget_run(struct waiter *waiter)
{
	room_change_drop(&waiter->change);
	live_value_unref(waiter->result);
	waiter->result = NULL;
	waiter->error = NULL;
}

/* ---- running ---- */

/* What mail would change in state; *state moves on. */
static void run(struct room_commits *commits, struct waiter *waiter, struct room_state *state)
{
	const struct room *room = commits->room;
	const struct room_request *request = room_request_of(waiter->mail);

	if (waiter->mail->kind == ROOM_MAIL_GET_STATE)
		waiter->result = live_value_ref(state->value);
	if (!is_change(waiter->mail))
		return;
	if (waiter->mail->kind == ROOM_MAIL_SET_STATE) {
		room_plan(room, state, request->value, &waiter->change);
	} else {
		const live_value *next = request->update(state->value, request->value, &waiter->result);
		if (next != state->value)
			room_plan(room, state, next, &waiter->change);
		live_value_unref(next);
	}
	if (waiter->change.delta &&
	    room_change_is_too_large(state, &waiter->change, room_options(room)->max_state_bytes)) {
		forget_run(waiter);
		waiter->error = ROOM_ERROR_STATE_SIZE;
	}
	if (waiter->change.delta) {
		state->value = waiter->change.next;
		state->json_bytes = waiter->change.json_bytes;
	}
	if (waiter->mail->kind == ROOM_MAIL_SET_STATE && !waiter->error)
		waiter->result = live_value_ref(state->value);
}

static void list_items(struct room_commits *commits)
{
	struct waiter *waiter = commits->first;

	commits->items = mem_alloc(commits->out_waiters * sizeof *commits->items);
	for (unsigned i = 0; i < commits->out_waiters; i++, waiter = waiter->next) {
		struct room_batch_item *item = &commits->items[commits->out.count];

		if (waiter->mail->kind == ROOM_MAIL_EMIT) {
			const struct room_event *event = &room_dispatch_of(waiter->mail)->event;
			*item = (struct room_batch_item){.name = event->name, .data = event->data};
		} else if (waiter->change.delta) {
			item->delta = waiter->change.delta;
			commits->out.changes++;
		} else {
			continue;
		}
		commits->out.count++;
	}
	commits->out.items = commits->items;
}

const struct room_batch *room_commits_run(struct room_commits *commits)
{
	struct room_state state = commits->room->state; /* a copy without a reference: changes hold theirs */

	assert_always(commits->out_waiters == 0);
	for (struct waiter *waiter = commits->first; waiter && commits->out_waiters < BATCH_MAX;
	     waiter = waiter->next) {
		run(commits, waiter, &state);
		commits->out_waiters++;
	}
	if (commits->out_waiters == 0)
		return NULL;
	list_items(commits);
	if (commits->out.changes == 0 && commits->out.count == 0) {
		room_commits_commit(commits);
		return room_commits_run(commits);
	}
	commits->out.state = state.value;
	return &commits->out;
}

const struct room_batch *room_commits_out(const struct room_commits *commits)
{
	return commits->out_waiters ? &commits->out : NULL;
}

static void forget_batch(struct room_commits *commits)
{
	free(commits->items);
	commits->items = NULL;
	commits->out = (struct room_batch){0};
	commits->out_waiters = 0;
}

/* ---- its end ---- */

static void finish(struct room_commits *commits, struct waiter *waiter)
{
	struct room *room = commits->room;
	const char *error = waiter->error;

	if (waiter->mail->kind == ROOM_MAIL_EMIT) {
		room_tell_event(room, room_dispatch_of(waiter->mail));
		return;
	}
	if (waiter->change.delta)
		error = room_apply(room, &waiter->change, room_request_of(waiter->mail)->exclude, 0);
	const live_value *result = error ? NULL : waiter->result;
	if (!error)
		waiter->result = NULL;
	room_request_answer(room->rooms, room_request_of(waiter->mail), error, result);
}

void room_commits_commit(struct room_commits *commits)
{
	unsigned count = commits->out_waiters;

	/* Those it tells may send more, which comes as mail. */
	for (; count; count--) {
		struct waiter *waiter = take_first(commits);

		finish(commits, waiter);
		forget_run(waiter);
		free(waiter);
	}
	forget_batch(commits);
}

void room_commits_drop(struct room_commits *commits)
{
	struct waiter *waiter = commits->first;

	for (unsigned i = 0; i < commits->out_waiters; i++, waiter = waiter->next)
		forget_run(waiter);
	forget_batch(commits);
}

/* Takes the oldest out with this for an answer. */
static void give_up_first(struct room_commits *commits, const char *error)
{
	struct room *room = commits->room;
	struct waiter *waiter = take_first(commits);

	forget_run(waiter);
	if (waiter->mail->kind == ROOM_MAIL_EMIT)
		room_tell_event(room, room_dispatch_of(waiter->mail));
	else
		room_request_answer(room->rooms, room_request_of(waiter->mail), error, NULL);
	free(waiter);
}

int64_t room_commits_expire(struct room_commits *commits, int64_t before_ms, const char *error, const char *out_error)
{
	if (commits->first && commits->first->since_ms <= before_ms) {
		unsigned out = commits->out_waiters;

		forget_batch(commits);
		while (out--)
			give_up_first(commits, out_error);
	}
	while (commits->first && commits->first->since_ms <= before_ms)
		give_up_first(commits, error);
	return commits->first ? commits->first->since_ms : -1;
}

void room_commits_fail(struct room_commits *commits, const char *error)
{
	room_commits_expire(commits, INT64_MAX, error, error);
}

void room_commits_free(struct room_commits *commits)
{
	if (!commits)
		return;
	room_commits_drop(commits);
	while (commits->first) {
		struct waiter *waiter = take_first(commits);

		room_mail_free(waiter->mail);
		free(waiter);
	}
	free(commits);
}
