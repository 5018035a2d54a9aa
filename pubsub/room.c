#include "pubsub/room.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "pubsub/adapter.h"
#include "pubsub/room_commits.h"
#include "pubsub/room_mail.h"
#include "pubsub/room_view.h"

enum {
	OPEN_MS = 5000,     /* an adapter that is silent for so long has nothing stored */
	WAITING_MAX = 1024, /* mails that wait for a room to open; besides, as many bytes as a state may have */
};

/* ---- coming to life and dying ---- */

static void room_free(struct room *room)
{
	struct mail *next;

	for (struct mail *mail = room->waiting; mail; mail = next) {
		next = mail->next;
		room_mail_free((struct room_mail *)mail);
	}
	timer_disarm(&room->timer);
	room_commits_free(room->commits);
	room_members_deinit(&room->members);
	room_state_deinit(&room->state);
	free(room);
}

static void bury(struct grave *grave)
{
	room_free(LIST_OF(grave, struct room, grave));
}

void room_close(struct room *room)
{
	struct rooms *rooms = room->rooms;

	timer_disarm(&room->timer);
	if (room->commits)
		room_commits_fail(room->commits, ROOM_ERROR_UNKNOWN);
	map_remove(&rooms->homes, &room->by_key);
	shard_bury(rooms->shard, &room->grave);
	if (room->is_room) {
		rooms->room_count--;
		room_options(room)->adapter->ops->close(room_options(room)->adapter, rooms, room_id(room));
	}
}

void room_expect_empty(struct room *room)
{
	if (room_members_count(&room->members) == 0)
		shard_timer_after(room->rooms->shard, &room->timer, room_options(room)->empty_ms);
}

static void timer_fire(struct timer *timer)
{
	struct room *room = LIST_OF(timer, struct room, timer);

	if (room->phase == ROOM_OPENING) {
		log_warn("rooms", "the room adapter did not answer, a room opens without its stored state");
		room_finish_opening(room, NULL);
	} else if (room_members_count(&room->members) == 0) {
		room_close(room);
	}
}

static struct room *room_new(struct rooms *rooms, struct str key)
{
	struct room *room = mem_alloc(sizeof *room + key.len);

	memcpy(room->bytes, key.ptr, key.len);
	room->key = (struct str){room->bytes, key.len};
	room->rooms = rooms;
	room->is_room = room_key_is_room(key);
	room->phase = room->is_room ? ROOM_OPENING : ROOM_OPEN;
	room->waiting_end = &room->waiting;
	room->grave.free = bury;
	room->created_ms = room->last_activity_ms = shard_clock(rooms->shard)->wall_ms;
	room_members_init(&room->members);
	timer_init(&room->timer, timer_fire);
	int rc = map_add(&rooms->homes, &room->by_key, room->key);
	assert_always(rc == 0);
	if (room->is_room && room_view_listens(rooms, room->key))
		room_seats_add(&room->members, (uint16_t)rooms->index);
	return room;
}

void room_free_all(struct rooms *rooms)
{
	struct map_entry *next;

	for (struct map_entry *entry = map_first(&rooms->homes); entry; entry = next) {
		next = map_next(&rooms->homes, entry);
		room_free(MAP_OF(entry, struct room, by_key));
	}
	map_deinit(&rooms->homes);
}

void room_set_listening(struct rooms *rooms, struct str key, bool listens)
{
	struct map_entry *entry = map_find(&rooms->homes, key);
	struct room *room = entry ? MAP_OF(entry, struct room, by_key) : NULL;

	if (!room)
		return; /* it gets its seat when it comes */
	if (listens)
		room_seats_add(&room->members, (uint16_t)rooms->index);
	else
		room_seats_remove(&room->members, (uint16_t)rooms->index);
}

/* ---- opening ---- */

/* Says no to mail that finds no room, or no place in the queue of one. */
static void refuse(struct rooms *rooms, struct room_mail *mail, const char *error)
{
	switch (mail->kind) {
	case ROOM_MAIL_JOIN:
	case ROOM_MAIL_SET_STATE:
	case ROOM_MAIL_UPDATE:
	case ROOM_MAIL_GET_STATE: room_request_answer(rooms, room_request_of(mail), error, NULL); break;
	default: room_mail_free(mail); break;
	}
}

/* A member that leaves before the room is open takes its join back, so that leaves need no place in the queue. */
static void take_back_join(struct room *room, struct room_request *leave)
{
	for (struct mail **at = &room->waiting; *at; at = &(*at)->next) {
		struct room_request *join = room_request_of((struct room_mail *)*at);

		if (join->base.kind != ROOM_MAIL_JOIN || join->serial != leave->serial ||
		    join->base.from != leave->base.from)
			continue;
		*at = join->base.mail.next;
		if (!*at)
			room->waiting_end = at;
		room->waiting_count--;
		room->waiting_bytes -= room_mail_bytes(&join->base);
		room_request_free(join);
		break;
	}
	room_request_free(leave);
}

static void enqueue(struct room *room, struct room_mail *mail)
{
	if (mail->kind == ROOM_MAIL_OPENED) {
		room_finish_opening(room, room_request_of(mail)->value);
		room_request_free(room_request_of(mail));
		return;
	}
	if (mail->kind == ROOM_MAIL_LEAVE) {
		take_back_join(room, room_request_of(mail));
		return;
	}
	size_t bytes = room_mail_bytes(mail);

	if (room->waiting_count == WAITING_MAX || room->waiting_bytes + bytes > room_options(room)->max_state_bytes) {
		counter_add(&room->rooms->counters.refused, 1);
		refuse(room->rooms, mail, ROOM_ERROR_INIT);
		return;
	}
	mail->mail.next = NULL;
	*room->waiting_end = &mail->mail;
	room->waiting_end = &mail->mail.next;
	room->waiting_count++;
	room->waiting_bytes += bytes;
}

void room_finish_opening(struct room *room, const live_value *stored)
{
	struct mail *mail = room->waiting;
	struct mail *next;

	timer_disarm(&room->timer);
	room->phase = ROOM_OPEN;
	room->waiting = NULL;
	room->waiting_end = &room->waiting;
	if (stored) {
		room_state_deinit(&room->state);
		room_state_init(&room->state, stored);
	} else if (live_len(room->state.value) > 0) {
		room_publish_seed(room);
	}
	for (; mail; mail = next) {
		next = mail->next;
		room_step(room, (struct room_mail *)mail);
	}
	room_expect_empty(room);
}

/* The room that mail brings to life, or NULL: then the mail was answered. */
static struct room *create_for(struct rooms *rooms, struct room_mail *mail)
{
	const struct rooms_options *options = &rooms->options;
	struct room_state seed;

	if (mail->kind == ROOM_MAIL_WATCH)
		return room_new(rooms, mail->key);
	if (mail->kind == ROOM_MAIL_GET_STATE) {
		room_request_answer(rooms, room_request_of(mail), NULL, live_object(NULL, NULL));
		return NULL;
	}
	if (mail->kind != ROOM_MAIL_JOIN) {
		refuse(rooms, mail, ROOM_ERROR_UNKNOWN);
		return NULL;
	}
	room_state_init(&seed, room_request_of(mail)->value);
	if (rooms->room_count >= options->max_rooms || seed.json_bytes > options->max_state_bytes) {
		room_state_deinit(&seed);
		counter_add(&rooms->counters.refused, 1);
		refuse(rooms, mail, ROOM_ERROR_INIT);
		return NULL;
	}
	struct room *room = room_new(rooms, mail->key);

	room->state = seed;
	room->is_server_only = room_request_of(mail)->is_server_only;
	rooms->room_count++;
	if (options->adapter->ops->is_cluster && options->adapter->ops->is_cluster(options->adapter, room_id(room)))
		room->commits = room_commits_new(room);
	shard_timer_after(rooms->shard, &room->timer, OPEN_MS);
	options->adapter->ops->open(options->adapter, rooms, room_id(room));
	return room;
}

struct room *room_find(struct rooms *rooms, struct str id)
{
	char *bytes = arena_alloc(shard_arena(rooms->shard), room_key_size(ROOM_TYPE, id));
	struct map_entry *entry = map_find(&rooms->homes, room_key_write(bytes, ROOM_TYPE, id));

	return entry ? MAP_OF(entry, struct room, by_key) : NULL;
}

void room_receive(struct rooms *rooms, struct room_mail *mail)
{
	struct map_entry *entry = map_find_hashed(&rooms->homes, mail->key, mail->hash);
	struct room *room = entry ? MAP_OF(entry, struct room, by_key) : create_for(rooms, mail);

	if (!room)
		return;
	if (room->phase == ROOM_OPENING)
		enqueue(room, mail);
	else
		room_step(room, mail);
}

/* ---- figures ---- */

void rooms_each_home(struct rooms *rooms, void (*each)(void *context, const struct room_stats *stats), void *context)
{
	for (struct map_entry *entry = map_first(&rooms->homes); entry; entry = map_next(&rooms->homes, entry)) {
		struct room *room = MAP_OF(entry, struct room, by_key);
		const struct room_stats stats = {.id = room_id(room),
						 .members = room_members_count(&room->members),
						 .state = room->state.value,
						 .created_ms = room->created_ms,
						 .last_activity_ms = room->last_activity_ms};

		if (room->is_room)
			each(context, &stats);
	}
}

int64_t rooms_updates_since_ms(struct rooms *rooms)
{
	int64_t oldest = INT64_MAX;

	for (struct map_entry *entry = map_first(&rooms->homes); entry; entry = map_next(&rooms->homes, entry)) {
		struct room_commits *commits = MAP_OF(entry, struct room, by_key)->commits;
		int64_t since = commits ? room_commits_since_ms(commits) : INT64_MAX;
		if (since < oldest)
			oldest = since;
	}
	return oldest;
}

static struct room *find_home(const struct rooms *rooms, struct str room_id)
{
	char *bytes = arena_alloc(shard_arena(rooms->shard), room_key_size(ROOM_TYPE, room_id));
	struct map_entry *entry = map_find(&rooms->homes, room_key_write(bytes, ROOM_TYPE, room_id));

	return entry ? MAP_OF(entry, struct room, by_key) : NULL;
}

bool rooms_has_home(const struct rooms *rooms, struct str room_id)
{
	return find_home(rooms, room_id) != NULL;
}

bool rooms_drop_home(struct rooms *rooms, struct str room_id)
{
	struct room *room = find_home(rooms, room_id);

	if (!room || room->phase == ROOM_OPENING || room_members_count(&room->members) > 0)
		return false;
	room_close(room);
	return true;
}

uint32_t rooms_home_count(const struct rooms *rooms)
{
	return rooms->homes.count;
}
