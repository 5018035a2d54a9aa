/* Reading what Redis has, committing what it has not, and finding out after a loss which of the two it is. */
#include "redis/room_twin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "redis/room_scripts.h"

#define LATE "Room update failed: it could not be committed in time"
#define LOST "Room update may have failed: its commit was not confirmed in time"

struct stored { /* as Redis tells; loans from the answer */
	uint64_t version;
	struct str lineage;
	bool has_state;
	struct str state;
	struct str signature;
	const struct redisReply *acks; /* origin, its last commit, and so on */
};

static void commit_answer(void *context, int error, const struct redisReply *reply);

static void copy_lineage(char to[ID_LEN + 1], struct str lineage)
{
	snprintf(to, ID_LEN + 1, "%.*s", STR_ARG(lineage));
}

/* ---- the commit that is out ---- */

static void forget_commit(struct room_twin *twin)
{
	live_value_unref(twin->commit.state);
	twin->commit = (struct twin_commit){0};
}

/*
 * What was in it waits again. Unless Redis has said itself, and to the only question, that it did not do it, it may
 * come back with what some other node restores: what was sent keeps the number by which that is found out.
 */
static void take_back(struct room_twin *twin, bool is_refused)
{
	struct twin_commit commit = twin->commit;

	is_refused &= !commit.was_unsure;
	forget_commit(twin);
	for (struct twin_item *item = twin->first; item && is_refused; item = item->next)
		item->sent = item->sent == commit.number ? 0 : item->sent;
	if (commit.is_batch && !commit.is_given_up)
		rooms_adapter_drop_batch(twin->home->rooms, twin->id, !is_refused);
}

static void show(struct room_twin *twin)
{
	if (!twin->is_open || !twin->is_answered)
		return;
	const live_value *shown = room_twin_fold(twin, twin->base, twin->item_count);
	(void)rooms_adapter_adopt(twin->home->rooms, twin->id, shown, NULL, 0);
	live_value_unref(shown);
}

/* Base is another one: what of ours is in it is done, and what of ours is not is done again. */
static void settle(struct room_twin *twin)
{
	room_twin_drop_acked(twin);
	if (twin->is_cluster && twin->is_open && !twin->commit.is_batch)
		rooms_adapter_settle(twin->home->rooms, twin->id, twin->acked, LOST);
}

void room_twin_committed(struct room_twin *twin)
{
	struct twin_commit commit = twin->commit;

	twin->commit = (struct twin_commit){0};
	counter_add(&twin->home->figures.commits, 1);
	live_value_unref(twin->base);
	twin->base = commit.state;
	twin->version = commit.version;
	copy_lineage(twin->lineage, str_of(commit.lineage));
	twin->renews &= !redis_link_is_up(twin->home->link);
	if (!commit.is_restore)
		twin->acked = commit.number;
	if (commit.is_given_up)
		show(twin);
	else if (commit.is_batch)
		rooms_adapter_commit_batch(twin->home->rooms, twin->id);
	settle(twin);
	room_twin_wake(twin);
}

/*
 * Describes the next commit, on top of base. Gives state away. Version and lineage name one state in all that Redis
 * ever was: where it may have gone back since our last commit, a new lineage begins.
 */
static void begin_commit(struct room_twin *twin, const live_value *state, uint64_t changes)
{
	struct twin_commit *commit = &twin->commit;

	*commit = (struct twin_commit){
		.is_out = true,
		.number = ++twin->home->last_commit,
		.expected = twin->version,
		.version = twin->version + changes,
		.state = state,
	};
	copy_lineage(commit->expected_lineage, str_of(twin->lineage));
	if (twin->lineage[0] && !twin->renews)
		copy_lineage(commit->lineage, str_of(twin->lineage));
	else
		id_make(commit->lineage);
}

static void send_commit(struct room_twin *twin)
{
	const struct room_batch *batch = NULL;

	if (twin->commit.is_batch && !twin->commit.is_given_up)
		batch = rooms_adapter_batch(twin->home->rooms, twin->id);
	twin->commit.is_unsure = false;
	if (room_twin_send_commit(twin, batch, commit_answer) == 0)
		return;
	take_back(twin, true);
	shard_timer_after(twin->home->shard, &twin->retry, TWIN_RETRY_MS);
}

/* Gives what we hold to a Redis that has lost it, or that somebody has changed who may not, in place of what is there.
 */
static void restore(struct room_twin *twin, const struct stored *stored, uint64_t version)
{
	begin_commit(twin, live_value_ref(twin->base), 0);
	twin->commit.is_restore = true;
	twin->commit.expected = stored->version;
	twin->commit.version = version;
	copy_lineage(twin->commit.expected_lineage, stored->lineage);
	id_make(twin->commit.lineage);
	counter_add(&twin->home->figures.restores, 1);
	send_commit(twin);
}

/* ---- learning what Redis has ---- */

static struct str text_of(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, reply->len} : (struct str){0};
}

/* The five parts from first on. false: it is not what the scripts say. */
static bool take_stored(const struct redisReply *reply, unsigned first, struct stored *stored)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < first + 5 ||
	    reply->element[first]->type != REDIS_REPLY_STRING || reply->element[first + 4]->type != REDIS_REPLY_ARRAY)
		return false;
	stored->version = strtoull(reply->element[first]->str, NULL, 10);
	stored->lineage = text_of(reply->element[first + 1]);
	stored->has_state = reply->element[first + 2]->type == REDIS_REPLY_STRING;
	stored->state = text_of(reply->element[first + 2]);
	stored->signature = text_of(reply->element[first + 3]);
	stored->acks = reply->element[first + 4];
	return true;
}

/* The stored state, or NULL when there is none that may be believed. The caller owns it. */
static const live_value *believe(struct room_twin *twin, const struct stored *stored)
{
	const struct room_format *format = &twin->home->format;
	char hex[2 * ROOM_SIGNATURE_BYTES];

	if (!stored->has_state)
		return NULL;
	if (format->secret.len) {
		room_state_sign(hex, twin->id, stored->version, stored->state, format);
		if (!room_signature_is_equal(stored->signature, (struct str){hex, sizeof hex})) {
			counter_add(&twin->home->figures.untrusted_unsigned, 1);
			return NULL;
		}
	}
	const live_value *state = room_state_decode(stored->state, format);
	if (!state)
		counter_add(&twin->home->figures.untrusted_malformed, 1);
	return state;
}

/* The last commit of origin that is in what is stored. */
static uint64_t acked_by(const struct stored *stored, struct str origin)
{
	for (size_t i = 0; i + 1 < stored->acks->elements; i += 2) {
		if (str_equal(text_of(stored->acks->element[i]), origin))
			return strtoull(text_of(stored->acks->element[i + 1]).ptr, NULL, 10);
	}
	return 0;
}

static void take_acks(struct room_twin *twin, const struct stored *stored)
{
	for (unsigned i = 0; i < twin->other_count; i++)
		twin->others[i].commit = 0;
	for (size_t i = 0; i + 1 < stored->acks->elements; i += 2) {
		struct str origin = text_of(stored->acks->element[i]);
		bool is_ours = str_equal(origin, room_twin_origin(twin));
		struct twin_other *other = is_ours ? NULL : room_twin_other(twin, origin);

		if (other)
			other->commit = strtoull(text_of(stored->acks->element[i + 1]).ptr, NULL, 10);
	}
	twin->acked = acked_by(stored, room_twin_origin(twin));
}

/* Base becomes state (NULL: there is none), which is given away. */
static void take_base(struct room_twin *twin, const struct stored *stored, const live_value *state)
{
	live_value_unref(twin->base);
	twin->base = state ? state : live_object(NULL, NULL);
	twin->version = stored->version;
	copy_lineage(twin->lineage, stored->lineage);
	take_acks(twin, stored);
	twin->heard = twin->version;
	twin->is_other = false;
	room_twin_drop_acked(twin);
	if (stored->has_state && !twin->commit.is_out)
		room_twin_drop_seed(twin);
}

/* Of a commit only the first changes were heard: what Redis had was the state before them. */
static void return_to_whole(struct room_twin *twin)
{
	struct twin_whole *whole = &twin->whole;

	if (!whole->base)
		return;
	live_value_unref(twin->base);
	twin->base = whole->base;
	twin->version = whole->version;
	copy_lineage(twin->lineage, str_of(whole->lineage));
	whole->base = NULL;
}

static void learn(struct room_twin *twin, const struct stored *stored)
{
	const live_value *state = believe(twin, stored);
	bool is_forged = stored->has_state && !state && twin->home->format.secret.len;

	twin->is_synced = true;
	return_to_whole(twin);
	if (twin->base && (is_forged || stored->version < twin->version)) {
		live_value_unref(state);
		if (twin->commit.is_out)
			take_back(twin, false);
		restore(twin, stored,
			is_forged && stored->version >= twin->version ? stored->version + 1 : twin->version);
		return;
	}
	take_base(twin, stored, state);
	if (!twin->is_answered && !stored->has_state && twin->item_count == 0) {
		room_twin_answer(twin, NULL);
		return;
	}
	twin->is_answered = true; /* the room may have opened meanwhile, without waiting any longer */
	show(twin);
	settle(twin);
}

/* ---- reading ---- */

/* Whether the commit whose answer was lost was done, by what Redis remembers of ours. */
static void resolve(struct room_twin *twin, const struct stored *stored)
{
	const struct twin_commit *commit = &twin->commit;

	if (!commit->is_out)
		return;
	bool is_same =
		stored->version == commit->expected && str_equal(stored->lineage, str_of(commit->expected_lineage));
	if (!commit->is_restore && acked_by(stored, room_twin_origin(twin)) == commit->number) {
		room_twin_committed(twin);
		twin->renews = true;
	} else if (commit->is_restore || commit->is_given_up || !is_same) {
		take_back(twin, false);
	}
}

static void read_answer(void *context, int error, const struct redisReply *reply)
{
	struct room_twin *twin = context;
	struct stored stored;

	twin->is_reading = false;
	if (error == -EREMOTEIO || (error == 0 && !take_stored(reply, 0, &stored))) {
		log_warn("redis", "a room's state is not read: %s", error ? reply->str : "not what was asked for");
		twin->is_synced = false;
		room_twin_answer(twin, NULL);
		shard_timer_after(twin->home->shard, &twin->retry, TWIN_RETRY_MS);
		return;
	}
	if (error) {
		twin->is_synced = false;
		return; /* the link comes back and reads again */
	}
	uint64_t heard = twin->heard;
	bool again = twin->reads_again;
	twin->reads_again = false;
	counter_add(&twin->home->figures.reads, 1);
	resolve(twin, &stored);
	learn(twin, &stored);
	if (twin->commit.is_out && twin->commit.is_unsure)
		send_commit(twin); /* not done, and can be: the same once more */
	if (again || heard > twin->version)
		room_twin_read(twin);
	room_twin_wake(twin);
}

void room_twin_read(struct room_twin *twin)
{
	struct redis_rooms *home = twin->home;
	const struct str keys[] = {room_twin_key(twin, "state:"), room_twin_key(twin, "meta:")};
	char lineage[ID_LEN + 1];
	char ttl[24];

	if (twin->is_reading || (twin->commit.is_out && !twin->commit.is_unsure)) {
		twin->reads_again = true;
		return;
	}
	id_make(lineage);
	snprintf(ttl, sizeof ttl, "%lld", (long long)home->ttl);
	const struct str args[] = {room_twin_origin(twin), {lineage, ID_LEN}, str_of(ttl)};
	int rc = redis_link_eval(home->link, &room_script_read, keys, 2, args, 3, read_answer, twin);
	twin->is_reading = rc == 0;
	if (rc == -EAGAIN) {
		twin->is_synced = false;
		shard_timer_after(home->shard, &twin->retry, TWIN_RETRY_MS);
	}
}

/* ---- committing ---- */

/* Sends what stands before the first change: it waits for nothing. */
static void send_leading(struct room_twin *twin)
{
	while (twin->first && twin->first->kind != TWIN_STATE) {
		struct twin_item *item = twin->first;

		if (item->kind == TWIN_EVENT)
			room_twin_publish(twin, &(struct room_message){
							.type = ROOM_MESSAGE_EVENT,
							.event = item->name,
							.data = item->data,
							.members = -1,
						});
		else
			room_twin_send_membership(twin, item);
		room_twin_drop_items(twin, 1);
	}
}

/* Commits what waits up to the next join or leave, which is no part of a commit. */
static void commit_items(struct room_twin *twin)
{
	unsigned count = 0;
	uint64_t changes = 0;

	for (struct twin_item *item = twin->first; item && count < TWIN_BATCH_ITEMS; item = item->next) {
		if (item->kind == TWIN_MEMBERSHIP)
			break;
		changes += item->kind == TWIN_STATE;
		if (!item->sent)
			item->sent = twin->home->last_commit + 1;
		count++;
	}
	begin_commit(twin, room_twin_fold(twin, twin->base, count), changes);
	twin->commit.items = count;
	send_commit(twin);
}

static void commit_batch(struct room_twin *twin)
{
	const struct room_batch *batch = rooms_adapter_run(twin->home->rooms, twin->id, twin->home->last_commit + 1);

	if (!batch)
		return;
	begin_commit(twin, live_value_ref(batch->state), batch->changes);
	twin->commit.is_batch = true;
	send_commit(twin);
}

void room_twin_pump(struct tick_task *task, struct shard *here)
{
	struct room_twin *twin = LIST_OF(task, struct room_twin, pump);

	(void)here;
	if (!twin->is_synced || twin->is_reading || twin->commit.is_out || timer_is_armed(&twin->retry) ||
	    !redis_link_is_up(twin->home->link))
		return;
	send_leading(twin);
	if (twin->changes)
		commit_items(twin);
	else if (twin->is_cluster && twin->is_open && twin->is_answered)
		commit_batch(twin);
	room_twin_settle(twin);
}

/* What the answer says; false: it is none of the three. */
static bool take_outcome(struct room_twin *twin, const struct redisReply *reply)
{
	struct stored stored;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1)
		return false;
	struct str what = text_of(reply->element[0]);
	if (str_equal(what, STR("ok"))) {
		room_twin_committed(twin);
	} else if (str_equal(what, STR("conflict")) && take_stored(reply, 1, &stored)) {
		counter_add(&twin->home->figures.conflicts, 1);
		take_back(twin, true);
		learn(twin, &stored);
	} else if (str_equal(what, STR("wait")) && reply->elements == 2) {
		take_back(twin, true);
		/* Our own scripts never say more; what else might is no reason to wait for ever, or not at all. */
		long long ms = reply->element[1]->integer;
		shard_timer_after(twin->home->shard, &twin->retry, ms > 0 && ms < TWIN_REST_MS ? ms + 1 : TWIN_REST_MS);
	} else {
		return false;
	}
	return true;
}

static void commit_answer(void *context, int error, const struct redisReply *reply)
{
	struct room_twin *twin = context;

	if (twin->answers_ignored) {
		twin->answers_ignored--;
		return;
	}
	assert_always(twin->commit.is_out);
	if (error && error != -EREMOTEIO) {
		twin->commit.is_unsure = twin->commit.was_unsure = true;
		twin->is_synced = false;
		return; /* the link comes back and reads */
	}
	if (error || !take_outcome(twin, reply)) {
		take_back(twin, false);
		shard_timer_after(twin->home->shard, &twin->retry, TWIN_RETRY_MS);
	}
	if (twin->reads_again || twin->heard > twin->version) {
		twin->reads_again = false;
		room_twin_read(twin);
	}
	room_twin_wake(twin);
}

void room_twin_retry(struct timer *timer)
{
	struct room_twin *twin = LIST_OF(timer, struct room_twin, retry);

	if (!redis_link_is_up(twin->home->link))
		return;
	if (twin->is_synced)
		room_twin_wake(twin);
	else
		room_twin_read(twin);
}

/* ---- cluster rooms: in time or not at all ---- */

void room_twin_want_commit(struct room_twin *twin)
{
	room_twin_wake(twin);
	if (!timer_is_armed(&twin->expiry))
		shard_timer_after(twin->home->shard, &twin->expiry, twin->home->commit_ms);
}

void room_twin_expire(struct timer *timer)
{
	struct room_twin *twin = LIST_OF(timer, struct room_twin, expiry);
	struct redis_rooms *home = twin->home;
	int64_t now = shard_clock(home->shard)->mono_ms;
	int64_t oldest = rooms_adapter_expire(home->rooms, twin->id, now - home->commit_ms, LATE, LOST);

	if (twin->commit.is_batch && !rooms_adapter_batch(home->rooms, twin->id) && !twin->commit.is_given_up) {
		twin->commit.is_given_up = true;
		counter_add(&home->figures.expired, 1);
	}
	if (oldest >= 0)
		timer_arm(shard_wheel(home->shard), &twin->expiry, oldest + home->commit_ms);
}
