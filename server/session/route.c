/*
 * What each message does. A component id means something only to the client that mounted it: to all others it is
 * unknown.
 */
#include <stdlib.h>

#include "core/mem.h"
#include "core/value.h"
#include "server/component/action.h"
#include "server/component/call.h"
#include "server/component/component_shard.h"
#include "server/component/membership.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/component/trace.h"
#include "server/protocol/message.h"
#include "server/session/session_private.h"
#include "server/session/sign_on.h"

static struct str string_in(const live_value *object, const char *key)
{
	const live_value *value = live_get(object, key);
	const char *text = live_as_string(value);
	return (struct str){text ? text : "", text ? live_len(value) : 0};
}

static void reply(struct session *session, const struct reply *what)
{
	struct component_shard *components = session->here->components;

	encode_reply(&components->out.scratch, what);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

static void reply_plain(struct session *session, const char *type, const struct message *message, struct str error)
{
	reply(session, &(struct reply){
			       .type = type,
			       .component_id = message->component_id,
			       .request_id = message->request_id,
			       .success = !error.ptr,
			       .error = error,
		       });
}

static void reply_error(struct session *session, const struct message *message, struct str error)
{
	struct component_shard *components = session->here->components;

	encode_error(&components->out.scratch, message->component_id, error, message->request_id);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

static struct str lost_text(struct session *session, const struct message *message)
{
	struct component_shard *components = session->here->components;

	buf_printf(&components->out.scratch, "COMPONENT_REHYDRATION_REQUIRED:%.*s", STR_ARG(message->component_id));
	return scratch_take(components);
}

/* ---- components ---- */

static void mount(struct session *session, const struct message *message)
{
	struct mount_request request = {
		.name = string_in(message->payload, "component"),
		.component_id = message->component_id,
		.request_id = message->request_id,
		.room = string_in(message->payload, "room"),
		.debug_label = string_in(message->payload, "debugLabel"),
		.props = live_get(message->payload, "props"),
	};
	mount_run(&session->client, &request);
}

static void rehydrate(struct session *session, const struct message *message)
{
	struct mount_request request = {
		.name = string_in(message->payload, "component"),
		.component_id = message->component_id,
		.request_id = message->request_id,
		.room = string_in(message->payload, "room"),
		.signed_state = live_get(message->payload, "signedState"),
		.rehydrates = true,
	};
	/* Older clients name it componentName and would miss what follows: they mount afresh (protocol 19, row 14). */
	if (!live_get(message->payload, "component"))
		reply_plain(session, "COMPONENT_REHYDRATED", message, STR("Component 'undefined' not found"));
	else
		mount_run(&session->client, &request);
}

static void unmount(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);

	if (mounted)
		mount_unmount(mounted);
	reply_plain(session, "MESSAGE_RESPONSE", message, (struct str){NULL, 0});
}

static void call_action(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);
	struct call call = {
		.kind = CALL_ACTION,
		.expect_response = message->expect_response,
		.client = session->client.handle,
		.auth = session->client.auth,
		.connection = session->client.id,
		.component_id = message->component_id,
		.action = message->action,
		.request_id = message->request_id,
	};

	if (!mounted)
		reply_plain(session, "ACTION_RESPONSE", message, lost_text(session, message));
	else if (mounted->instance)
		action_run(mounted->instance, &call, message->payload);
	else
		singleton_call(mounted, &call, message->payload);
}

static void update_property(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);
	const live_value *value = live_get(message->payload, "value");

	if (!mounted) {
		reply_plain(session, "MESSAGE_RESPONSE", message, lost_text(session, message));
	} else if (mounted->instance) {
		const char *error = action_set_property(mounted->instance, message->property, value);
		reply_plain(session, "MESSAGE_RESPONSE", message, str_of(error));
	} else {
		singleton_set_property(mounted, message->component_id, message->property, value, message->request_id);
	}
}

/* Every key by the rules of a property update, then one change (protocol section 4.1). */
static void update_state(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);
	const live_value *state = live_get(message->payload, "state");

	if (!mounted)
		reply_plain(session, "MESSAGE_RESPONSE", message, lost_text(session, message));
	else if (mounted->instance)
		reply_plain(session, "MESSAGE_RESPONSE", message, str_of(action_set_state(mounted->instance, state)));
	else
		singleton_set_state(mounted, message->component_id, state, message->request_id);
}

static void pong(struct session *session, const struct message *message)
{
	struct component_shard *components = session->here->components;

	encode_pong(&components->out.scratch, message->component_id, message->request_id,
		    shard_clock(session->here->shard)->wall_ms);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

/* ---- rooms ---- */

static void room_join(struct session *session, const struct message *message, struct mounted *mounted)
{
	(void)session;
	membership_join_for_client(mounted, message->component_id, message->room_id,
				   live_get(message->payload, "initialState"), message->request_id);
}

static void room_leave(struct session *session, const struct message *message, struct mounted *mounted)
{
	struct component_shard *components = session->here->components;
	struct membership *membership = membership_find(mounted, message->room_id);

	if (membership)
		membership_leave(membership);
	encode_room_left(&components->out.scratch, message->component_id, message->room_id, message->request_id);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

static void room_emit(struct session *session, const struct message *message, struct membership *membership)
{
	struct room_emit emit = {
		.type = STR("room"),
		.room_id = message->room_id,
		.event = message->event,
		.data = message->data,
		.exclude = membership_origin(membership),
	};
	if (trace_wants_rooms(membership))
		trace_emitted(membership, emit.event, emit.data);
	if (rooms_emit(session->here->components->rooms, &emit) < 0)
		reply_error(session, message, STR("Message too large"));
}

/* Answers to room requests find their client by its handle: it may be gone. Until then it is held, so that no later
 * answer, nor a refusal, overtakes this one. */
struct room_question {
	struct component_shard *here;
	struct handle client;
	size_t component_len, room_len, request_len;
	bool has_request;
	char text[]; /* component id, room, request id */
};

static struct room_question *ask(struct session *session, const struct message *message)
{
	struct room_question *question = mem_alloc(sizeof *question + message->component_id.len + message->room_id.len +
						   message->request_id.len);
	char *at = question->text;

	question->here = session->here->components;
	question->client = session->client.handle;
	question->component_len = message->component_id.len;
	question->room_len = message->room_id.len;
	question->request_len = message->request_id.len;
	question->has_request = message->request_id.ptr != NULL;
	at = mempcpy(at, message->component_id.ptr, message->component_id.len);
	at = mempcpy(at, message->room_id.ptr, message->room_id.len);
	if (message->request_id.len)
		memcpy(at, message->request_id.ptr, message->request_id.len);
	session->client.ops->hold(&session->client);
	return question;
}

static void answer_question(struct room_question *question, const char *error, const live_value *state, bool says_state)
{
	struct component_shard *here = question->here;
	struct client *client = shard_handle_find(here->shard, question->client);
	struct str component = {question->text, question->component_len};
	struct str room = {component.ptr + component.len, question->room_len};
	struct str request = {question->has_request ? room.ptr + room.len : NULL, question->request_len};

	if (client && (error || says_state)) {
		if (error)
			encode_error(&here->out.scratch, component, str_of(error), request);
		else
			encode_room_state(&here->out.scratch, component, room, state, request);
		outbox_reply(&client->outbox, scratch_take(here));
	}
	if (client)
		client->ops->release(client);
	free(question);
}

static void on_state_set(void *context, const char *error, const live_value *value)
{
	answer_question(context, error, value, false);
}

static void on_state_got(void *context, const char *error, const live_value *value)
{
	answer_question(context, error, value, true);
}

/* Keys that start with '$' are the server's. The caller owns the result. */
static const live_value *without_dollars(struct arena *arena, const live_value *updates)
{
	struct value_pair *kept = arena_alloc(arena, live_len(updates) * sizeof *kept);
	size_t count = 0;

	for (live_iter it = {0}; live_next(updates, &it);)
		if (!it.key_len || *it.key != '$')
			kept[count++] = (struct value_pair){live_value_ref(it.value), {it.key, it.key_len}};
	return value_object(kept, count);
}

static void room_set(struct session *session, const struct message *message, struct membership *membership)
{
	const live_value *updates =
		without_dollars(shard_arena(session->here->shard), live_get(message->payload, "state"));

	if (trace_wants_rooms(membership))
		trace_room_state(membership);
	rooms_set_state_by_client(session->here->components->rooms, message->room_id, updates,
				  membership_origin(membership), on_state_set, ask(session, message));
	live_value_unref(updates);
}

static void room_get(struct session *session, const struct message *message)
{
	rooms_get_state(session->here->components->rooms, message->room_id, on_state_got, ask(session, message));
}

static void route_room(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);
	struct membership *membership = mounted ? membership_find(mounted, message->room_id) : NULL;

	if (!mounted)
		reply_error(session, message, STR("Component not found"));
	else if (message->type == MESSAGE_ROOM_JOIN)
		room_join(session, message, mounted);
	else if (message->type == MESSAGE_ROOM_LEAVE)
		room_leave(session, message, mounted);
	else if (!membership)
		reply_error(session, message, STR("Not a member of this room"));
	else if (message->type == MESSAGE_ROOM_EMIT)
		room_emit(session, message, membership);
	else if (message->type == MESSAGE_ROOM_SET)
		room_set(session, message, membership);
	else
		room_get(session, message);
}

void route_message(struct session *session, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_PING: break;
	case MESSAGE_COMPONENT_PING: pong(session, message); break;
	case MESSAGE_MOUNT: mount(session, message); break;
	case MESSAGE_REHYDRATE: rehydrate(session, message); break;
	case MESSAGE_UNMOUNT: unmount(session, message); break;
	case MESSAGE_ACTION: call_action(session, message); break;
	case MESSAGE_PROPERTY: update_property(session, message); break;
	case MESSAGE_STATE: update_state(session, message); break;
	case MESSAGE_AUTH: sign_on_by_message(session, message->payload, message->request_id); break;
	case MESSAGE_ROOM_JOIN:
	case MESSAGE_ROOM_LEAVE:
	case MESSAGE_ROOM_EMIT:
	case MESSAGE_ROOM_SET:
	case MESSAGE_ROOM_GET: route_room(session, message); break;
	case MESSAGE_UNKNOWN: reply_plain(session, "MESSAGE_RESPONSE", message, STR("Unknown message type")); break;
	}
}
