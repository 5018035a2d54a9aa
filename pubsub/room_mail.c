#include "pubsub/room_mail.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pubsub/room.h"
#include "pubsub/room_answers.h"
#include "pubsub/room_key.h"
#include "pubsub/room_state.h"
#include "pubsub/room_view.h"
#include "pubsub/rooms_private.h"
#include "shard/shard.h"

void room_request_free(struct room_request *request)
{
	live_value_unref(request->value);
	free(request);
}

static void request_discard(struct mail *mail)
{
	room_request_free(room_request_of((struct room_mail *)mail));
}

static void request_arrive(struct mail *mail, struct shard *here)
{
	struct rooms *rooms = rooms_of(here);

	if (rooms)
		room_receive(rooms, (struct room_mail *)mail);
	else
		request_discard(mail);
}

static void answer_arrive(struct mail *mail, struct shard *here)
{
	struct rooms *rooms = rooms_of(here);
	struct room_request *request = room_request_of((struct room_mail *)mail);

	if (rooms && request->base.kind == ROOM_MAIL_JOIN)
		room_view_welcome(rooms, request);
	else if (rooms)
		room_answers_give(&rooms->answers, request->serial, request->error, request->value);
	room_request_free(request);
}

struct room_request *room_request_new(struct rooms *rooms, enum room_mail_kind kind, struct str type,
				      struct str room_id, struct str member_id)
{
	size_t key_size = room_key_size(type, room_id);
	struct room_request *request = mem_alloc(sizeof *request + key_size + member_id.len);

	request->base.mail.deliver = request_arrive;
	request->base.mail.discard = request_discard;
	request->base.kind = kind;
	request->base.from = (uint16_t)rooms->index;
	request->base.key = room_key_write(request->bytes, type, room_id);
	request->base.hash = map_hash(request->base.key);
	if (member_id.len)
		memcpy(request->bytes + key_size, member_id.ptr, member_id.len);
	request->member_id = (struct str){request->bytes + key_size, member_id.len};
	return request;
}

void room_request_send(struct rooms *rooms, struct room_request *request)
{
	unsigned home = room_key_home(request->base.key, rooms->shard_count);

	shard_post(rooms->shard, home, &request->base.mail);
}

void room_request_answer(struct rooms *rooms, struct room_request *request, const char *error, const live_value *value)
{
	live_value_unref(request->value);
	request->value = value;
	request->error = error;
	if (request->serial == 0) {
		room_request_free(request);
		return;
	}
	request->base.mail.deliver = answer_arrive;
	shard_post(rooms->shard, request->base.from, &request->base.mail);
}

static bool is_dispatch(const struct room_mail *mail)
{
	return mail->kind == ROOM_MAIL_EMIT || mail->kind == ROOM_MAIL_RELAY;
}

void room_mail_free(struct room_mail *mail)
{
	if (is_dispatch(mail))
		room_event_unref(&room_dispatch_of(mail)->event);
	else
		room_request_free(room_request_of(mail));
}

size_t room_mail_bytes(struct room_mail *mail)
{
	if (is_dispatch(mail))
		return room_dispatch_of(mail)->event.data.len;
	return room_request_of(mail)->value ? room_state_measure(room_request_of(mail)->value) : 0;
}
