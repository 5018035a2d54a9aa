/* Who is in a room on other nodes, and that they go with their node. */
#include "redis/room_twin.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "redis/room_scripts.h"

static void tell_count(struct room_twin *twin)
{
	uint32_t elsewhere = 0;

	for (unsigned i = 0; i < twin->other_count; i++)
		elsewhere += twin->others[i].members;
	rooms_adapter_count(twin->home->rooms, twin->id, elsewhere);
	twin->elsewhere = elsewhere;
}

/* "$sub:join" or "$sub:leave" to the members here; a node of the reference does not say how many there are then. */
static void relay(struct room_twin *twin, bool joined, struct str member_id, bool with_count)
{
	struct buf *data = &twin->home->scratch;

	buf_append_str(data, STR("{\"subscriberId\":"));
	json_write_string(data, member_id);
	if (with_count)
		buf_printf(data, ",\"count\":%u", twin->members + twin->elsewhere);
	buf_append_char(data, '}');
	const struct room_event event = {
		.kind = ROOM_EVENT_SYSTEM,
		.room_id = twin->id,
		.name = joined ? STR("$sub:join") : STR("$sub:leave"),
		.data = buf_str(data),
	};
	if (!buf_failed(data))
		rooms_adapter_relay(twin->home->rooms, &event);
	buf_reset(data, 65536);
}

void room_twin_take_membership(struct room_twin *twin, const struct room_message *message)
{
	struct twin_other *other = room_twin_other(twin, message->origin);

	if (other && message->members >= 0) {
		other->members = (uint32_t)message->members;
		other->is_heard = true;
	}
	struct twin_other *gone = message->node.len ? room_twin_other(twin, message->node) : NULL;
	if (gone && gone->members)
		gone->members--;
	tell_count(twin);
	if (message->type == ROOM_MESSAGE_MEMBERSHIP)
		relay(twin, message->joined, message->member_id, message->members >= 0);
}

void room_twin_send_membership(struct room_twin *twin, const struct twin_item *item)
{
	struct redis_rooms *home = twin->home;
	const struct room_message message = {
		.type = ROOM_MESSAGE_MEMBERSHIP,
		.room_id = twin->id,
		.joined = item->joined,
		.member_id = item->name,
		.origin = room_twin_origin(twin),
		.members = item->members,
	};
	const struct str key = room_twin_key(twin, "members:");
	char ttl[24];
	struct buf bytes;

	snprintf(ttl, sizeof ttl, "%lld", (long long)home->ttl);
	buf_init(&bytes, SIZE_MAX / 2);
	room_message_encode(&bytes, &message, &home->format);
	const struct str args[] = {item->joined ? STR("join") : STR("leave"),
				   item->name,
				   message.origin,
				   str_of(ttl),
				   room_twin_key(twin, "ch:"),
				   buf_str(&bytes)};
	if (!buf_failed(&bytes) && redis_link_eval(home->link, &room_script_member, &key, 1, args, 6, NULL, NULL) == 0)
		counter_add(&home->figures.sent, 1);
	else
		twin->is_miscounted = true;
	buf_deinit(&bytes);
}

/* ---- setting it right ---- */

static struct str text_of(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, reply->len} : (struct str){0};
}

static void take_others(struct room_twin *twin, const struct redisReply *others)
{
	for (unsigned i = 0; i < twin->other_count; i++) {
		if (!twin->others[i].is_heard)
			twin->others[i].members = 0;
	}
	for (size_t i = 0; i + 1 < others->elements; i += 2) {
		struct twin_other *other = room_twin_other(twin, text_of(others->element[i]));

		if (other && !other->is_heard)
			other->members = (uint32_t)others->element[i + 1]->integer;
	}
	tell_count(twin);
}

/* Members of a node that is gone, taken out by us: so we tell. */
static void take_gone(struct room_twin *twin, const struct redisReply *gone)
{
	for (size_t i = 0; i + 1 < gone->elements; i += 2) {
		struct str member_id = text_of(gone->element[i]);

		relay(twin, false, member_id, true);
		room_twin_publish(twin, &(struct room_message){
						.type = ROOM_MESSAGE_MEMBERSHIP,
						.member_id = member_id,
						.node = text_of(gone->element[i + 1]),
						.members = twin->members,
					});
	}
}

static void members_answer(void *context, int error, const struct redisReply *reply)
{
	struct room_twin *twin = context;

	twin->asked_members--;
	if (error || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_ARRAY || reply->element[1]->type != REDIS_REPLY_ARRAY) {
		twin->is_miscounted = true;
		return;
	}
	if (!twin->is_open)
		return;
	take_others(twin, reply->element[0]);
	take_gone(twin, reply->element[1]);
}

struct gathering {
	struct str *args;
	unsigned count;
	unsigned most;
};

static void gather(void *context, struct str member_id)
{
	struct gathering *gathering = context;

	if (gathering->count < gathering->most)
		gathering->args[gathering->count++] = member_id;
}

void room_twin_sync_members(struct room_twin *twin)
{
	struct redis_rooms *home = twin->home;
	const struct str keys[] = {room_twin_key(twin, "members:"), home->nodes_key};
	struct gathering all = {.most = 2 + (twin->is_open ? twin->members : 0)};
	char ttl[24];

	snprintf(ttl, sizeof ttl, "%lld", (long long)home->ttl);
	all.args = arena_alloc(shard_arena(home->shard), all.most * sizeof *all.args);
	gather(&all, room_twin_origin(twin));
	gather(&all, str_of(ttl));
	if (twin->is_open)
		rooms_adapter_each_member(home->rooms, twin->id, gather, &all);
	int rc = redis_link_eval(home->link, &room_script_members, keys, 2, all.args, all.count, members_answer, twin);
	twin->is_miscounted = rc < 0;
	if (rc == 0 && twin->asked_members++ == 0) {
		for (unsigned i = 0; i < twin->other_count; i++)
			twin->others[i].is_heard = false;
	}
	if (twin->was_live || twin->members)
		room_twin_publish(twin,
				  &(struct room_message){.type = ROOM_MESSAGE_PRESENCE, .members = twin->members});
}

static bool is_among(const struct redisReply *living, struct str origin)
{
	for (size_t i = 0; i < living->elements; i++) {
		if (str_equal(text_of(living->element[i]), origin))
			return true;
	}
	return false;
}

void room_twin_check_others(struct room_twin *twin, const struct redisReply *living)
{
	bool is_wrong = twin->is_miscounted;

	for (unsigned i = 0; i < twin->other_count; i++)
		is_wrong |= twin->others[i].members && !is_among(living, str_of(twin->others[i].origin));
	if (is_wrong && twin->channel.is_live)
		room_twin_sync_members(twin);
}
