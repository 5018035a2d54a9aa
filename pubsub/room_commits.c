#include "pubsub/room_commits.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "pubsub/room.h"
#include "shard/shard.h"

enum {
	WAITING_MAX = 65536, /* mails that wait; besides, as many bytes as a state may have */
	BATCH_MAX = 1024,    /* mails in one commit; more only of what may have been done, which is not taken apart */
	/* What was done is remembered for so long, and so much of it: longer than any replica is behind. */
	DONE_MS = 60000,
	DONE_MAX = 16384,
	DONE_BYTES = 4 << 20,
	/* Older than that nothing is done again: the store may have forgotten this node's number (2 hours). */
	AGAIN_MS = 1800000,
};

struct waiter { /* a mail, and while a batch is out what it would come to */
	struct waiter *next;
	struct room_mail *mail; /* NULL: it was done and answered before */
	uint64_t sent;          /* the first commit that held it and may be done; 0: none. In the order of waiting */
	int64_t since_ms; /* monotonic; of what was done, the wall clock's, which goes on while a machine sleeps */
	size_t bytes;
	enum room_mail_kind kind;
	room_update_fn *update;    /* of what was done */
	const live_value *value;   /* its argument or its patch; owned */
	struct room_change change; /* a delta: it changes the state */
	const live_value *result;  /* of it: what its asker gets */
	const char *error;
};

struct queue {
	struct waiter *first; /* the oldest */
	struct waiter **last;
	uint32_t count;
	size_t bytes;
};

struct room_commits {
	struct room *room;
	struct queue waiting;
	struct queue done;
	unsigned out_waiters; /* the first so many that wait are in the batch that is out */
	uint64_t out_number;
	struct room_batch out;
	struct room_batch_item *items; /* of out */
};

struct room_commits *room_commits_new(struct room *room)
{
	struct room_commits *commits = mem_alloc(sizeof *commits);

	commits->room = room;
	commits->waiting.last = &commits->waiting.first;
	commits->done.last = &commits->done.first;
	return commits;
}

/* ---- queues ---- */

static void append(struct queue *queue, struct waiter *waiter)
{
	waiter->next = NULL;
	*queue->last = waiter;
	queue->last = &waiter->next;
	queue->count++;
	queue->bytes += waiter->bytes;
}

/* Takes *at out; the caller has it then. */
static struct waiter *take(struct queue *queue, struct waiter **at)
{
	struct waiter *waiter = *at;

	assert_always(waiter);
	*at = waiter->next;
	if (!*at)
		queue->last = at;
	queue->count--;
	queue->bytes -= waiter->bytes;
	return waiter;
}

static void forget_run(struct waiter *waiter)
{
	room_change_drop(&waiter->change);
	live_value_unref(waiter->result);
	waiter->result = NULL;
	waiter->error = NULL;
}

/* Its mail is gone. */
static void waiter_free(struct waiter *waiter)
{
	forget_run(waiter);
	live_value_unref(waiter->value);
	free(waiter);
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
	return commits->waiting.first && (mail->kind == ROOM_MAIL_EMIT || mail->kind == ROOM_MAIL_GET_STATE);
}

bool room_commits_take(struct room_commits *commits, struct room_mail *mail)
{
	struct room *room = commits->room;
	struct room_adapter *adapter = room_options(room)->adapter;

	if (!must_wait(commits, mail))
		return false;
	size_t bytes = room_mail_bytes(mail);
	if (commits->waiting.count >= WAITING_MAX ||
	    commits->waiting.bytes + bytes > room_options(room)->max_state_bytes) {
		counter_add(&room->rooms->counters.refused, 1);
		if (mail->kind == ROOM_MAIL_EMIT)
			room_mail_free(mail);
		else
			room_request_answer(room->rooms, room_request_of(mail), ROOM_ERROR_BUSY, NULL);
		return true;
	}
	struct waiter *waiter = mem_alloc(sizeof *waiter);
	waiter->mail = mail;
	waiter->kind = mail->kind;
	waiter->bytes = bytes;
	waiter->since_ms = shard_clock(room->rooms->shard)->mono_ms;
	append(&commits->waiting, waiter);
	adapter->ops->commit(adapter, room->rooms, room_id(room));
	return true;
}

/* ---- running ---- */

/* What waiter would change in state; *state moves on. */
static void run(struct room_commits *commits, struct waiter *waiter, struct room_state *state)
{
	const struct room *room = commits->room;
	bool is_set = waiter->kind == ROOM_MAIL_SET_STATE;

	if (waiter->kind == ROOM_MAIL_GET_STATE)
		waiter->result = live_value_ref(state->value);
	if (!is_set && waiter->kind != ROOM_MAIL_UPDATE)
		return;
	const struct room_request *request = waiter->mail ? room_request_of(waiter->mail) : NULL;
	const live_value *value = request ? request->value : waiter->value;
	room_update_fn *update = request ? request->update : waiter->update;
	if (is_set) {
		room_plan(room, state, value, &waiter->change);
	} else {
		const live_value *next = update(state->value, value, &waiter->result);
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
	if (is_set && !waiter->error)
		waiter->result = live_value_ref(state->value);
}

static void list_items(struct room_commits *commits)
{
	struct waiter *waiter = commits->waiting.first;

	commits->items = mem_alloc(commits->out_waiters * sizeof *commits->items);
	for (unsigned i = 0; i < commits->out_waiters; i++, waiter = waiter->next) {
		struct room_batch_item *item = &commits->items[commits->out.count];

		if (waiter->kind == ROOM_MAIL_EMIT) {
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

const struct room_batch *room_commits_run(struct room_commits *commits, uint64_t number)
{
	struct room_state state = commits->room->state; /* a copy without a reference: changes hold theirs */
	struct waiter *waiter = commits->waiting.first;

	assert_always(commits->out_waiters == 0);
	for (; waiter && (waiter->sent || commits->out_waiters < BATCH_MAX); waiter = waiter->next) {
		run(commits, waiter, &state);
		if (!waiter->sent)
			waiter->sent = number;
		commits->out_waiters++;
	}
	if (commits->out_waiters == 0)
		return NULL;
	commits->out_number = number;
	list_items(commits);
	if (commits->out.changes == 0 && commits->out.count == 0) {
		room_commits_commit(commits);
		return room_commits_run(commits, number);
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

static void forget_old(struct queue *done, int64_t wall_ms)
{
	while (done->first && done->first->since_ms <= wall_ms - DONE_MS)
		waiter_free(take(done, &done->first));
}

/* It was committed: remembers what it did. Its mail is gone. */
static void remember(struct room_commits *commits, struct waiter *waiter)
{
	struct queue *done = &commits->done;
	int64_t now = shard_clock(commits->room->rooms->shard)->wall_ms;

	forget_run(waiter);
	waiter->since_ms = now;
	waiter->mail = NULL;
	append(done, waiter);
	while (done->first && (done->count > DONE_MAX || done->bytes > DONE_BYTES))
		waiter_free(take(done, &done->first));
	forget_old(done, now);
}

/* Answers its mail, which is gone then; error and result as in an answer. What it was asked to do stays. */
static void answer(struct room_commits *commits, struct waiter *waiter, const char *error, const live_value *result)
{
	struct room_request *request = room_request_of(waiter->mail);

	waiter->update = request->update;
	waiter->value = request->value;
	request->value = NULL;
	room_request_answer(commits->room->rooms, request, error, result);
}

static void finish(struct room_commits *commits, struct waiter *waiter)
{
	struct room *room = commits->room;
	const char *error = waiter->error;
	bool changes = waiter->change.delta != NULL;

	if (waiter->kind == ROOM_MAIL_EMIT) {
		room_tell_event(room, room_dispatch_of(waiter->mail));
		waiter_free(waiter);
		return;
	}
	/* What is done again was taken from all, its origin too. */
	if (changes)
		error = room_apply(room, &waiter->change,
				   waiter->mail ? room_request_of(waiter->mail)->exclude : (struct room_origin){0}, 0);
	if (waiter->mail) {
		const live_value *result = error ? NULL : waiter->result;
		if (!error)
			waiter->result = NULL;
		answer(commits, waiter, error, result);
	}
	if (changes && !error)
		remember(commits, waiter);
	else
		waiter_free(waiter);
}

void room_commits_commit(struct room_commits *commits)
{
	struct queue *waiting = &commits->waiting;

	/* Those it tells may send more, which comes as mail. */
	for (unsigned count = commits->out_waiters; count; count--)
		finish(commits, take(waiting, &waiting->first));
	forget_batch(commits);
}

void room_commits_drop(struct room_commits *commits, bool may_be_done)
{
	struct waiter *waiter = commits->waiting.first;

	for (unsigned i = 0; i < commits->out_waiters; i++, waiter = waiter->next) {
		forget_run(waiter);
		if (!may_be_done && waiter->sent == commits->out_number)
			waiter->sent = 0;
	}
	forget_batch(commits);
}

/* ---- what else may become of it ---- */

/* Takes *at out with this for an answer. */
static void give_up(struct room_commits *commits, struct waiter **at, const char *error)
{
	struct room *room = commits->room;
	struct waiter *waiter = take(&commits->waiting, at);

	if (waiter->kind == ROOM_MAIL_EMIT)
		room_tell_event(room, room_dispatch_of(waiter->mail));
	else
		room_request_answer(room->rooms, room_request_of(waiter->mail), error, NULL);
	waiter_free(waiter);
}

/* It is done, in a commit whose results were lost with its answer. */
static void find_done(struct room_commits *commits, const char *error)
{
	struct queue *waiting = &commits->waiting;

	if (waiting->first->mail &&
	    (waiting->first->kind == ROOM_MAIL_UPDATE || waiting->first->kind == ROOM_MAIL_EMIT)) {
		give_up(commits, &waiting->first, error);
		return;
	}
	struct waiter *waiter = take(waiting, &waiting->first);
	if (waiter->mail) /* what it asks for is the state as it is now */
		answer(commits, waiter, NULL, live_value_ref(commits->room->state.value));
	if (waiter->kind == ROOM_MAIL_GET_STATE)
		waiter_free(waiter);
	else
		remember(commits, waiter);
}

/* All that was done and is not in what is stored waits again, first. */
static void do_again(struct room_commits *commits, uint64_t acked)
{
	struct queue *done = &commits->done, *waiting = &commits->waiting;
	int64_t before = shard_clock(commits->room->rooms->shard)->wall_ms - AGAIN_MS;
	struct waiter **from = &done->first;
	struct waiter **to = &waiting->first;

	while (*from && (*from)->sent <= acked)
		from = &(*from)->next;
	while (*from) {
		struct waiter *waiter = take(done, from);

		if (waiter->since_ms <= before) {
			waiter_free(waiter);
			continue;
		}
		waiter->next = *to;
		*to = waiter;
		if (waiting->last == to)
			waiting->last = &waiter->next;
		to = &waiter->next;
		waiting->count++;
		waiting->bytes += waiter->bytes;
	}
}

void room_commits_settle(struct room_commits *commits, uint64_t acked, const char *error)
{
	struct queue *waiting = &commits->waiting;

	assert_always(commits->out_waiters == 0);
	while (waiting->first && waiting->first->sent && waiting->first->sent <= acked)
		find_done(commits, error);
	do_again(commits, acked);
}

int64_t room_commits_expire(struct room_commits *commits, int64_t before_ms, const char *error, const char *out_error)
{
	struct waiter **at = &commits->waiting.first;
	unsigned index = 0;

	for (; *at && !(*at)->mail; index++) /* what is done again was promised */
		at = &(*at)->next;
	if (*at && (*at)->since_ms <= before_ms && index < commits->out_waiters) {
		unsigned out = commits->out_waiters;

		room_commits_drop(commits, true);
		for (; index < out && *at; index++)
			give_up(commits, at, out_error);
	}
	while (*at && (*at)->since_ms <= before_ms)
		give_up(commits, at, (*at)->sent ? out_error : error);
	return *at ? (*at)->since_ms : -1;
}

static int64_t oldest_of(const struct queue *queue, const struct tick_clock *now)
{
	int64_t oldest = INT64_MAX;

	for (const struct waiter *waiter = queue->first; waiter; waiter = waiter->next) {
		/* What was done has the wall clock's time, also when it waits again. */
		int64_t since = waiter->mail ? waiter->since_ms : now->mono_ms - (now->wall_ms - waiter->since_ms);
		if (since < oldest)
			oldest = since;
	}
	return oldest;
}

int64_t room_commits_since_ms(struct room_commits *commits)
{
	const struct tick_clock *now = shard_clock(commits->room->rooms->shard);

	forget_old(&commits->done, now->wall_ms);
	int64_t waiting = oldest_of(&commits->waiting, now), done = oldest_of(&commits->done, now);
	return waiting < done ? waiting : done;
}

void room_commits_fail(struct room_commits *commits, const char *error)
{
	room_commits_expire(commits, INT64_MAX, error, error);
}

void room_commits_free(struct room_commits *commits)
{
	if (!commits)
		return;
	struct queue *queues[] = {&commits->waiting, &commits->done};

	room_commits_drop(commits, true);
	for (unsigned i = 0; i < 2; i++) {
		while (queues[i]->first) {
			struct waiter *waiter = take(queues[i], &queues[i]->first);

			if (waiter->mail)
				room_mail_free(waiter->mail);
			waiter_free(waiter);
		}
	}
	free(commits);
}
