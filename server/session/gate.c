#include "server/session/gate.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/auth/manager.h"
#include "server/component/definition.h"
#include "server/component/instance.h"
#include "server/component/membership.h"
#include "server/component/singleton.h"
#include "server/protocol/message.h"
#include "server/security/signature.h"
#include "server/session/session_private.h"

enum gate_step { GATE_COMPONENT, GATE_ACTION, GATE_ROOM };

struct gate { /* a message that waits */
	struct auth_check question;
	struct borrower borrower; /* of the rule; none for a room */
	enum gate_step step;
	struct session_shard *here;
	struct handle client;
	const live_auth *auth; /* ours: who asks, whoever signs on meanwhile */
	struct str room;       /* to be asked for after the component; in text */
	struct str text;       /* the message; in bytes */
	char bytes[];
};

static const struct auth_manager *manager_of(const struct session_shard *here)
{
	return here->components->settings->auth;
}

/* ---- what must be asked ---- */

static const struct definition *definition_of(struct session *session, const struct message *message)
{
	struct mounted *mounted = session_find_mounted(session, message->component_id);

	return mounted ? mounted_definition(mounted) : NULL;
}

static const struct definition *wanted_component(struct session *session, const struct message *message)
{
	const live_value *name = live_get(message->payload, "component");

	return registry_find(session->here->components->registry, (struct str){live_as_string(name), live_len(name)});
}

static bool rooms_are_guarded(const struct session_shard *here)
{
	const struct auth_manager *manager = manager_of(here);
	const live_auth_provider *provider = manager ? auth_manager_default(manager) : NULL;

	return provider && provider->authorize_room;
}

static struct str default_room(struct session *session, const struct message *message)
{
	const live_value *room = live_get(message->payload, "room");

	if (!rooms_are_guarded(session->here) || !live_len(room))
		return (struct str){NULL, 0};
	return (struct str){live_as_string(room), live_len(room)};
}

/* ---- the answer ---- */

static void refuse(struct gate *gate, struct session *session, const struct message *message, const char *reason)
{
	static const char *const types[] = {[GATE_COMPONENT] = "MESSAGE_RESPONSE",
					    [GATE_ACTION] = "ACTION_RESPONSE",
					    [GATE_ROOM] = "MESSAGE_RESPONSE"};
	struct component_shard *components = session->here->components;
	struct buf *out = &components->out.scratch;

	if (message->type == MESSAGE_ROOM_JOIN) {
		encode_error(out, message->component_id, str_of(reason), message->request_id);
	} else {
		buf_printf(out, gate->step == GATE_ROOM ? "%s" : "AUTH_DENIED: %s", reason);
		struct reply reply = {
			.type = message->type == MESSAGE_REHYDRATE ? "COMPONENT_REHYDRATED" : types[gate->step],
			.component_id = message->component_id,
			.request_id = message->request_id,
			.error = scratch_take(components),
		};
		encode_reply(out, &reply);
	}
	outbox_reply(&session->client.outbox, scratch_take(components));
}

static void free_gate(struct gate *gate)
{
	live_auth_unref(gate->auth);
	free(gate);
}

/* The shard has ended, and so have its lists. */
static void discard(struct auth_check *question)
{
	free_gate(LIST_OF(question, struct gate, question));
}

static void finish(struct gate *gate, struct session *session, const char *reason)
{
	struct shard *shard = session->here->shard;
	struct message message;

	message_decode(&message, gate->text, shard_arena(shard), session->here->settings->max_depth);
	if (reason)
		refuse(gate, session, &message, reason);
	else
		route_message(session, &message);
	message_deinit(&message);
	session->client.ops->release(&session->client);
	free_gate(gate);
}

static void on_answer(struct auth_check *question, struct shard *shard, const char *reason)
{
	struct gate *gate = LIST_OF(question, struct gate, question);
	struct client *client = shard_handle_find(shard, gate->client);

	if (component_shard_of(shard))
		list_remove(&gate->borrower.link);
	if (!client) {
		free_gate(gate);
	} else if (!reason && gate->step == GATE_COMPONENT && gate->room.len) {
		gate->step = GATE_ROOM;
		auth_check_room(manager_of(gate->here), shard, gate->auth, gate->room, question);
	} else {
		finish(gate, LIST_OF(client, struct session, client), reason);
	}
}

/* ---- asking ---- */

static struct gate *new_gate(struct session *session, enum gate_step step, const struct definition *definition,
			     struct str text, struct str room)
{
	struct gate *gate = mem_alloc(sizeof *gate + text.len + room.len);

	gate->question.done = on_answer;
	gate->question.discard = discard;
	gate->step = step;
	gate->here = session->here;
	gate->borrower.definition = definition;
	list_init(&gate->borrower.link);
	if (definition)
		list_append(&session->here->components->borrowers, &gate->borrower.link);
	gate->client = session->client.handle;
	gate->auth = live_auth_ref(session->client.auth);
	memcpy(gate->bytes, text.ptr, text.len);
	gate->text = (struct str){gate->bytes, text.len};
	if (room.len)
		memcpy(gate->bytes + text.len, room.ptr, room.len);
	gate->room = (struct str){gate->bytes + text.len, room.len};
	session->client.ops->hold(&session->client);
	return gate;
}

/* Comes back with a state that will not be taken: nobody need be asked (behaviour.md 2.2). */
static bool is_forged(const struct session *session, const struct message *message)
{
	struct component_shard *components = session->here->components;

	return message->type == MESSAGE_REHYDRATE &&
	       signer_verify(components->signer, live_get(message->payload, "signedState"),
			     shard_clock(components->shard)->wall_ms);
}

static bool pass_mount(struct session *session, const struct message *message, struct str text)
{
	const struct definition *definition = wanted_component(session, message);
	struct str room = default_room(session, message);

	if (!definition || (!definition->api->auth && !room.len) || is_forged(session, message))
		return true;
	struct gate *gate = new_gate(session, GATE_COMPONENT, definition, text, room);
	auth_check_component(manager_of(session->here), session->here->shard, gate->auth, definition->api->name,
			     definition->api->auth, live_get(message->payload, "props"), &gate->question);
	return false;
}

static bool pass_action(struct session *session, const struct message *message, struct str text)
{
	const struct definition *definition = definition_of(session, message);
	const live_action_rule *rule = definition ? definition_rule(definition, message->action) : NULL;

	if (!rule || !rule->auth)
		return true;
	struct gate *gate = new_gate(session, GATE_ACTION, definition, text, (struct str){NULL, 0});
	auth_check_action(manager_of(session->here), session->here->shard, gate->auth, definition->api->name,
			  rule->action, rule->auth, message->payload, &gate->question);
	return false;
}

static bool pass_room(struct session *session, const struct message *message, struct str text)
{
	const struct mounted *mounted = session_find_mounted(session, message->component_id);

	if (!rooms_are_guarded(session->here) || !mounted || membership_is_one_too_many(mounted, message->room_id))
		return true;
	struct gate *gate = new_gate(session, GATE_ROOM, NULL, text, (struct str){NULL, 0});
	auth_check_room(manager_of(session->here), session->here->shard, gate->auth, message->room_id, &gate->question);
	return false;
}

bool gate_pass(struct session *session, const struct message *message, struct str text)
{
	switch (message->type) {
	case MESSAGE_MOUNT:
	case MESSAGE_REHYDRATE: return pass_mount(session, message, text);
	case MESSAGE_ACTION: return pass_action(session, message, text);
	case MESSAGE_ROOM_JOIN: return pass_room(session, message, text);
	default: return true;
	}
}
