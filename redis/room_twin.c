/* A twin's life, and what it is told by other nodes. */
#include "redis/room_twin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"

static void ready(struct redis_channel *channel);
static void message(struct redis_channel *channel, struct str bytes);

/* ---- names ---- */

struct str room_twin_key(const struct room_twin *twin, const char *what)
{
	struct str prefix = str_of(redis_link_node(twin->home->link)->options.prefix);
	size_t what_len = strlen(what);
	char *bytes = arena_alloc(shard_arena(twin->home->shard), prefix.len + 5 + what_len + twin->id.len);
	char *at = bytes;

	memcpy(at, prefix.ptr, prefix.len);
	memcpy(at += prefix.len, "room:", 5);
	memcpy(at += 5, what, what_len);
	memcpy(at += what_len, twin->id.ptr, twin->id.len);
	return (struct str){bytes, (size_t)(at - bytes) + twin->id.len};
}

struct str room_twin_origin(const struct room_twin *twin)
{
	return (struct str){redis_link_node(twin->home->link)->origin, ID_LEN};
}

struct twin_other *room_twin_other(struct room_twin *twin, struct str origin)
{
	if (origin.len == 0 || origin.len >= TWIN_ORIGIN_MAX)
		return NULL;
	for (unsigned i = 0; i < twin->other_count; i++) {
		if (str_equal(str_of(twin->others[i].origin), origin))
			return &twin->others[i];
	}
	if (twin->other_count == TWIN_OTHERS_MAX)
		return NULL;
	twin->others = mem_realloc(twin->others, (twin->other_count + 1) * sizeof *twin->others);
	struct twin_other *other = &twin->others[twin->other_count++];
	*other = (struct twin_other){0};
	memcpy(other->origin, origin.ptr, origin.len);
	return other;
}

/* ---- life ---- */

struct room_twin *room_twin_find(struct redis_rooms *home, struct str id)
{
	struct map_entry *entry = map_find(&home->twins, id);

	return entry ? MAP_OF(entry, struct room_twin, by_id) : NULL;
}

static void bury(struct grave *grave)
{
	struct room_twin *twin = LIST_OF(grave, struct room_twin, grave);

	free(twin->others);
	free(twin);
}

static struct room_twin *twin_new(struct redis_rooms *home, struct str id)
{
	struct room_twin *twin = mem_alloc(sizeof *twin + id.len);

	memcpy(twin->bytes, id.ptr, id.len);
	twin->id = (struct str){twin->bytes, id.len};
	twin->home = home;
	twin->last = &twin->first;
	twin->renews = true;
	twin->channel.ready = ready;
	twin->channel.message = message;
	twin->pump.run = room_twin_pump;
	twin->grave.free = bury;
	timer_init(&twin->retry, room_twin_retry);
	timer_init(&twin->expiry, room_twin_expire);
	int rc = map_add(&home->twins, &twin->by_id, twin->id);
	assert_always(rc == 0);
	counter_add(&home->figures.rooms, 1);
	return twin;
}

/* Ends all that may call back; its memory goes at the end of the tick, when its task has run. */
static void take_down(struct room_twin *twin)
{
	redis_link_unsubscribe(twin->home->link, &twin->channel);
	redis_link_forget(twin->home->link, twin);
	timer_disarm(&twin->retry);
	timer_disarm(&twin->expiry);
	room_twin_drop_items(twin, twin->item_count);
	live_value_unref(twin->base);
	live_value_unref(twin->commit.state);
	live_value_unref(twin->whole.base);
	twin->base = twin->commit.state = twin->whole.base = NULL;
	twin->is_synced = twin->is_open = false;
	map_remove(&twin->home->twins, &twin->by_id);
	counter_sub(&twin->home->figures.rooms, 1);
}

void room_twin_free(struct room_twin *twin)
{
	take_down(twin);
	shard_bury(twin->home->shard, &twin->grave);
}

void room_twin_settle(struct room_twin *twin)
{
	if (twin->is_open || twin->item_count || twin->commit.is_out)
		return;
	twin->home->lingering--;
	room_twin_free(twin);
}

void room_twin_answer(struct room_twin *twin, const live_value *state)
{
	if (twin->is_answered || !twin->is_open)
		return;
	twin->is_answered = true;
	rooms_adapter_opened(twin->home->rooms, twin->id, state);
}

void room_twin_open(struct redis_rooms *home, struct str id, bool is_cluster)
{
	struct room_twin *twin = room_twin_find(home, id);

	if (!twin) {
		twin = twin_new(home, id);
		redis_link_subscribe(home->link, &twin->channel, room_twin_key(twin, "ch:"));
	} else {
		/* It was closed with something left to do, and goes on from there. */
		home->lingering--;
	}
	twin->is_cluster = is_cluster;
	twin->is_open = true;
	twin->is_answered = false;
	twin->members = 0;
	if (twin->base || twin->item_count) {
		const live_value *state = room_twin_fold(twin, twin->base, twin->item_count);
		room_twin_answer(twin, state);
		live_value_unref(state);
	} else if (!redis_link_is_up(home->link)) {
		room_twin_answer(twin, NULL); /* nobody shall wait for Redis to come back */
	}
}

void room_twin_close(struct room_twin *twin)
{
	if (twin->commit.is_batch) /* its askers are gone */
		twin->commit.is_given_up = true;
	timer_disarm(&twin->expiry);
	twin->is_open = false;
	twin->home->lingering++;
	if (twin->home->lingering > TWIN_LINGER_MAX) {
		twin->home->lingering--;
		room_twin_free(twin);
		return;
	}
	room_twin_settle(twin);
}

void room_twin_link_changed(struct room_twin *twin, bool is_up)
{
	if (is_up) {
		/* Channels that were lost become ready later, and read then. */
		if (twin->channel.is_live)
			ready(&twin->channel);
		return;
	}
	twin->is_synced = false;
	twin->renews = true;
	room_twin_drop_events(twin);
	room_twin_answer(twin, NULL);
}

/* ---- what comes in ---- */

static void ready(struct redis_channel *channel)
{
	struct room_twin *twin = LIST_OF(channel, struct room_twin, channel);

	if (!redis_link_is_up(twin->home->link))
		return; /* when it comes up */
	room_twin_read(twin);
	room_twin_sync_members(twin);
	twin->was_live = true;
}

static void take_event(struct room_twin *twin, const struct room_message *m)
{
	const struct room_event event = {
		.kind = ROOM_EVENT_CUSTOM,
		.room_id = twin->id,
		.name = m->event,
		.data = m->data,
	};

	rooms_adapter_relay(twin->home->rooms, &event);
}

/* A node of the reference changed the state without a version: shown at once, and looked up for what it came to. */
static void take_reference_change(struct room_twin *twin, const struct room_message *m)
{
	const live_value *shown = room_twin_fold(twin, twin->base, twin->item_count);
	const live_value *next = live_merge(shown, m->updates);

	if (!twin->is_cluster && twin->is_answered && !twin->is_other)
		(void)rooms_adapter_adopt(twin->home->rooms, twin->id, next, m->updates, 0);
	twin->is_other = true;
	live_value_unref(shown);
	live_value_unref(next);
	room_twin_read(twin);
}

/* A commit's first changes make a state that Redis never had: until its last one the state before them is kept. */
static void keep_whole(struct room_twin *twin, const struct room_message *m)
{
	struct twin_whole *whole = &twin->whole;

	if (m->commit) {
		live_value_unref(whole->base);
		whole->base = NULL;
	} else if (!whole->base) {
		whole->base = live_value_ref(twin->base);
		whole->version = twin->version;
		memcpy(whole->lineage, twin->lineage, sizeof whole->lineage);
	}
}

/* The next version: base moves on, and the room with it. */
static void take_next_change(struct room_twin *twin, const struct room_message *m, struct twin_other *other)
{
	const live_value *base = live_merge(twin->base, m->updates);

	keep_whole(twin, m);
	live_value_unref(twin->base);
	twin->base = base;
	twin->version = m->version;
	snprintf(twin->lineage, sizeof twin->lineage, "%.*s", STR_ARG(m->lineage));
	if (other && m->commit)
		other->commit = m->commit;
	if (!twin->is_open)
		return;
	const live_value *shown = room_twin_fold(twin, base, twin->item_count);
	bool is_plain = twin->item_count == 0 && !twin->is_other;
	(void)rooms_adapter_adopt(twin->home->rooms, twin->id, shown, is_plain ? m->updates : NULL, 0);
	twin->is_other = false;
	live_value_unref(shown);
}

static void take_change(struct room_twin *twin, const struct room_message *m)
{
	bool is_ours = str_equal(m->origin, room_twin_origin(twin));
	const struct twin_commit *commit = &twin->commit;

	if (is_ours) {
		/* The echo tells before the answer that the commit is done, and in order with what others say. */
		if (commit->is_out && !commit->is_unsure && m->commit == commit->number &&
		    m->version == commit->version) {
			twin->answers_ignored++;
			room_twin_committed(twin);
		}
		return;
	}
	if (m->version == 0) {
		take_reference_change(twin, m);
		return;
	}
	if (m->version > twin->heard)
		twin->heard = m->version;
	if (!twin->is_synced || twin->is_reading)
		return; /* what is read holds it, or is found to be too old */
	if (str_equal(m->lineage, str_of(twin->lineage)) && m->version <= twin->version)
		return;
	/* The first change of a room that was not stored comes after none. */
	bool is_next = m->version == twin->version + 1 &&
		       str_equal(m->after, twin->version ? str_of(twin->lineage) : m->lineage);
	if (commit->is_out)
		return; /* its answer tells, or what is heard does */
	if (is_next)
		take_next_change(twin, m, room_twin_other(twin, m->origin));
	else
		room_twin_read(twin);
}

static void message(struct redis_channel *channel, struct str bytes)
{
	struct room_twin *twin = LIST_OF(channel, struct room_twin, channel);
	struct redis_rooms *home = twin->home;
	struct room_message m;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	int rc = room_message_decode(&m, bytes, &home->format, &text);
	if (rc < 0) {
		counter_add(rc == -EACCES ? &home->figures.refused_unsigned : &home->figures.refused_malformed, 1);
	} else if (!str_equal(m.room_id, twin->id)) {
		counter_add(&home->figures.refused_misplaced, 1);
	} else if (m.type == ROOM_MESSAGE_STATE) {
		take_change(twin, &m);
	} else if (!str_equal(m.origin, room_twin_origin(twin)) && twin->is_open) {
		if (m.type == ROOM_MESSAGE_EVENT)
			take_event(twin, &m);
		else
			room_twin_take_membership(twin, &m);
	}
	if (rc == 0) {
		counter_add(&home->figures.received, 1);
		live_value_unref(m.updates);
	}
	buf_deinit(&text);
}

void room_twin_publish(struct room_twin *twin, struct room_message *m)
{
	struct buf bytes;

	m->room_id = twin->id;
	m->origin = room_twin_origin(twin);
	buf_init(&bytes, SIZE_MAX / 2);
	room_message_encode(&bytes, m, &twin->home->format);
	if (!buf_failed(&bytes) &&
	    redis_link_publish(twin->home->link, room_twin_key(twin, "ch:"), buf_str(&bytes)) == 0)
		counter_add(&twin->home->figures.sent, 1);
	else
		counter_add(&twin->home->figures.dropped, 1);
	buf_deinit(&bytes);
}
