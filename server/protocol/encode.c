#include "server/protocol/encode.h"

#include "core/json.h"

#define LIT(out, literal) buf_append(out, "" literal, sizeof(literal) - 1)

/* Ids are ours and need no escaping; request ids are the peer's. */
static void id_field(struct buf *out, struct str id)
{
	LIT(out, ",\"componentId\":");
	json_write_string(out, id);
}

static void optional_string(struct buf *out, const char *name, size_t name_len, struct str value)
{
	if (!value.ptr)
		return;
	buf_append(out, name, name_len);
	json_write_string(out, value);
}

#define OPTIONAL_STRING(out, key, value) optional_string(out, ",\"" key "\":", sizeof(",\"" key "\":") - 1, value)

void encode_reply(struct buf *out, const struct reply *reply)
{
	LIT(out, "{\"type\":\"");
	buf_append_str(out, str_of(reply->type));
	LIT(out, "\"");
	OPTIONAL_STRING(out, "componentId", reply->component_id);
	if (reply->success)
		LIT(out, ",\"success\":true");
	else
		LIT(out, ",\"success\":false");
	if (reply->result_json.ptr) {
		LIT(out, ",\"result\":");
		buf_append_str(out, reply->result_json);
	} else if (reply->result) {
		LIT(out, ",\"result\":");
		json_write(out, reply->result);
	}
	OPTIONAL_STRING(out, "error", reply->error);
	OPTIONAL_STRING(out, "requestId", reply->request_id);
	LIT(out, "}");
}

void encode_error(struct buf *out, struct str component_id, struct str error, struct str request_id)
{
	LIT(out, "{\"type\":\"ERROR\"");
	OPTIONAL_STRING(out, "componentId", component_id);
	LIT(out, ",\"success\":false,\"error\":");
	json_write_string(out, error);
	OPTIONAL_STRING(out, "requestId", request_id);
	LIT(out, "}");
}

void encode_mount_result(struct buf *out, struct str id, const live_value *state, struct str signed_state)
{
	LIT(out, "{\"componentId\":");
	json_write_string(out, id);
	LIT(out, ",\"initialState\":");
	json_write(out, state);
	LIT(out, ",\"signedState\":");
	buf_append_str(out, signed_state.len ? signed_state : STR("null"));
	LIT(out, "}");
}

void encode_connection_established(struct buf *out, struct str connection_id, bool authenticated)
{
	LIT(out, "{\"type\":\"CONNECTION_ESTABLISHED\",\"connectionId\":");
	json_write_string(out, connection_id);
	LIT(out, ",\"authenticated\":");
	buf_append_str(out, authenticated ? STR("true") : STR("false"));
	LIT(out, "}");
}

static void auth_granted(struct buf *out, const live_value *user)
{
	LIT(out, "{\"type\":\"AUTH_RESPONSE\",\"success\":true,\"authenticated\":true,"
		 "\"payload\":{\"authenticated\":true,\"userId\":");
	json_write(out, live_get(user, "id"));
	LIT(out, ",\"session\":");
	json_write(out, user);
	LIT(out, "}");
}

void encode_auth_response(struct buf *out, const live_value *user, struct str request_id)
{
	if (user)
		auth_granted(out, user);
	else
		LIT(out, "{\"type\":\"AUTH_RESPONSE\",\"success\":false,\"authenticated\":false,"
			 "\"error\":\"Authentication failed\","
			 "\"payload\":{\"authenticated\":false,\"error\":\"Authentication failed\"}");
	OPTIONAL_STRING(out, "requestId", request_id);
	LIT(out, "}");
}

void encode_pong(struct buf *out, struct str component_id, struct str request_id, int64_t wall_ms)
{
	LIT(out, "{\"type\":\"COMPONENT_PONG\"");
	OPTIONAL_STRING(out, "componentId", component_id);
	LIT(out, ",\"success\":true,\"timestamp\":");
	json_write_int(out, wall_ms);
	OPTIONAL_STRING(out, "requestId", request_id);
	LIT(out, "}");
}

/* ---- pushes of a component ---- */

static void push_head(struct buf *out, const struct sender *sender, struct str type)
{
	LIT(out, "{\"type\":");
	json_write_string(out, type);
	id_field(out, sender->id);
}

static void push_tail(struct buf *out, const struct sender *sender)
{
	if (sender->user_id.len)
		OPTIONAL_STRING(out, "userId", sender->user_id);
	if (sender->room.len)
		OPTIONAL_STRING(out, "room", sender->room);
	LIT(out, "}");
}

static void signed_state_field(struct buf *out, struct str signed_state)
{
	if (!signed_state.len)
		return;
	LIT(out, ",\"signedState\":");
	buf_append_str(out, signed_state);
}

void encode_state_update(struct buf *out, const struct sender *sender, const live_value *state, struct str signed_state)
{
	push_head(out, sender, STR("STATE_UPDATE"));
	LIT(out, ",\"payload\":{\"state\":");
	json_write(out, state);
	signed_state_field(out, signed_state);
	LIT(out, "}");
	push_tail(out, sender);
}

void encode_state_delta(struct buf *out, const struct sender *sender, const live_value *delta)
{
	push_head(out, sender, STR("STATE_DELTA"));
	LIT(out, ",\"payload\":{\"delta\":");
	json_write(out, delta);
	LIT(out, "}");
	push_tail(out, sender);
}

void encode_state_signature(struct buf *out, const struct sender *sender, struct str signed_state)
{
	push_head(out, sender, STR("STATE_SIGNATURE"));
	LIT(out, ",\"payload\":{\"signedState\":");
	buf_append_str(out, signed_state);
	LIT(out, "}");
	push_tail(out, sender);
}

void encode_state_rehydrated(struct buf *out, const struct sender *sender, const live_value *state,
			     struct str signed_state, struct str old_id)
{
	push_head(out, sender, STR("STATE_REHYDRATED"));
	LIT(out, ",\"payload\":{\"state\":");
	json_write(out, state);
	signed_state_field(out, signed_state);
	LIT(out, ",\"oldComponentId\":");
	json_write_string(out, old_id);
	LIT(out, ",\"newComponentId\":");
	json_write_string(out, sender->id);
	LIT(out, "}");
	push_tail(out, sender);
}

void encode_emit(struct buf *out, const struct sender *sender, struct str type, const live_value *payload)
{
	push_head(out, sender, type);
	if (payload) {
		LIT(out, ",\"payload\":");
		json_write(out, payload);
	}
	push_tail(out, sender);
}

void encode_error_push(struct buf *out, const struct sender *sender, struct str action, struct str error)
{
	push_head(out, sender, STR("ERROR"));
	OPTIONAL_STRING(out, "error", error);
	LIT(out, ",\"payload\":{");
	if (action.ptr) {
		LIT(out, "\"action\":");
		json_write_string(out, action);
		LIT(out, ",");
	}
	LIT(out, "\"error\":");
	json_write_string(out, error);
	LIT(out, "}");
	push_tail(out, sender);
}
