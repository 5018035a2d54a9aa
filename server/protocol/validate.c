#include "server/protocol/validate.h"

static bool is_absent_or(int kind, live_type type)
{
	return kind == ENVELOPE_ABSENT || kind == (int)type;
}

static bool field_is(const live_value *payload, const char *key, live_type type)
{
	const live_value *value = live_get(payload, key);
	return !value || live_value_type(value) == type;
}

static bool is_number(const live_value *value)
{
	live_type type = live_value_type(value);
	return type == LIVE_INT || type == LIVE_DOUBLE;
}

static const char *validate_envelope(const struct envelope *e)
{
	if (e->type != LIVE_STRING)
		return "missing type";
	if (!is_absent_or(e->component_id, LIVE_STRING))
		return "componentId must be a string";
	if (!is_absent_or(e->request_id, LIVE_STRING))
		return "requestId must be a string";
	if (!is_absent_or(e->response_id, LIVE_STRING))
		return "responseId must be a string";
	if (!is_absent_or(e->expect_response, LIVE_BOOL))
		return "expectResponse must be a boolean";
	if (!is_absent_or(e->timestamp, LIVE_INT))
		return "timestamp must be a number";
	if (!is_absent_or(e->user_id, LIVE_STRING))
		return "userId must be a string";
	if (!is_absent_or(e->room, LIVE_STRING))
		return "room must be a string";
	return NULL;
}

static const char *validate_who(const live_value *payload)
{
	if (!field_is(payload, "room", LIVE_STRING))
		return "payload.room must be a string";
	if (!field_is(payload, "userId", LIVE_STRING))
		return "payload.userId must be a string";
	return NULL;
}

static const char *validate_mount(const struct message *m, const struct envelope *e)
{
	if (e->payload != LIVE_OBJECT)
		return "COMPONENT_MOUNT requires payload";
	if (live_value_type(live_get(m->payload, "component")) != LIVE_STRING)
		return "payload.component must be a string";
	if (!field_is(m->payload, "props", LIVE_OBJECT))
		return "payload.props must be an object";
	const char *who = validate_who(m->payload);
	if (who)
		return who;
	if (!field_is(m->payload, "debugLabel", LIVE_STRING))
		return "payload.debugLabel must be a string";
	return NULL;
}

/* Protocol section 11: the first five with these types, nonce absent or a string, the flags absent or boolean. */
static bool is_signed_state(const live_value *value)
{
	return live_value_type(value) == LIVE_OBJECT && live_value_type(live_get(value, "data")) == LIVE_STRING &&
	       live_value_type(live_get(value, "signature")) == LIVE_STRING &&
	       is_number(live_get(value, "timestamp")) && is_number(live_get(value, "version")) &&
	       live_value_type(live_get(value, "componentId")) == LIVE_STRING &&
	       field_is(value, "nonce", LIVE_STRING) && field_is(value, "compressed", LIVE_BOOL) &&
	       field_is(value, "encrypted", LIVE_BOOL);
}

static const char *validate_rehydrate(const struct message *m, const struct envelope *e)
{
	if (e->component_id == ENVELOPE_ABSENT)
		return "componentId is required";
	if (e->payload != LIVE_OBJECT)
		return "COMPONENT_REHYDRATE requires payload";
	/* Older clients name it componentName (protocol 19, row 14). */
	if (live_value_type(live_get(m->payload, "component")) != LIVE_STRING &&
	    live_value_type(live_get(m->payload, "componentName")) != LIVE_STRING)
		return "payload.component must be a string";
	if (!is_signed_state(live_get(m->payload, "signedState")))
		return "payload.signedState is malformed";
	return validate_who(m->payload);
}

static const char *validate_room(const struct message *m, const struct envelope *e)
{
	if (e->component_id == ENVELOPE_ABSENT)
		return "componentId is required";
	if (!is_absent_or(e->payload, LIVE_OBJECT))
		return "room payload must be an object";
	if (!is_absent_or(e->payload_room_id, LIVE_STRING))
		return "payload.roomId must be a string";
	if (!m->room_id.len)
		return "roomId must be a non-empty string";
	if (m->type == MESSAGE_ROOM_EMIT && e->payload_event != LIVE_STRING)
		return "payload.event must be a string";
	if (m->type == MESSAGE_ROOM_SET && live_value_type(live_get(m->payload, "state")) != LIVE_OBJECT)
		return "payload.state must be an object";
	return NULL;
}

const char *validate_message(const struct message *m, const struct envelope *e)
{
	const char *invalid;

	if (m->type == MESSAGE_PING) /* section 4, step 8: before its shape is looked at */
		return NULL;
	invalid = validate_envelope(e);
	if (invalid)
		return invalid;
	switch (m->type) {
	case MESSAGE_MOUNT: return validate_mount(m, e);
	case MESSAGE_REHYDRATE: return validate_rehydrate(m, e);
	case MESSAGE_UNMOUNT: return e->component_id == ENVELOPE_ABSENT ? "componentId is required" : NULL;
	case MESSAGE_ACTION:
		if (e->component_id == ENVELOPE_ABSENT)
			return "componentId is required";
		return e->action == LIVE_STRING ? NULL : "action must be a string";
	case MESSAGE_PROPERTY:
		if (e->component_id == ENVELOPE_ABSENT)
			return "componentId is required";
		if (e->property != LIVE_STRING)
			return "property must be a string";
		return e->payload == LIVE_OBJECT ? NULL : "PROPERTY_UPDATE requires payload.value";
	case MESSAGE_STATE:
		if (e->component_id == ENVELOPE_ABSENT)
			return "componentId is required";
		return live_value_type(live_get(m->payload, "state")) == LIVE_OBJECT
			       ? NULL
			       : "payload.state must be an object";
	case MESSAGE_AUTH: return is_absent_or(e->payload, LIVE_OBJECT) ? NULL : "AUTH payload must be an object";
	case MESSAGE_ROOM_JOIN:
	case MESSAGE_ROOM_LEAVE:
	case MESSAGE_ROOM_EMIT:
	case MESSAGE_ROOM_SET:
	case MESSAGE_ROOM_GET: return validate_room(m, e);
	default: return NULL;
	}
}
