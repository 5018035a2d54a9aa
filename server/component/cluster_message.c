#include "server/component/cluster_message.h"

#include "core/json.h"
#include "server/component/singleton_mail.h"
#include "server/security/mac.h"

#define LIT(out, literal) buf_append(out, "" literal, sizeof(literal) - 1)
#define SEAL_HEAD ",\"mac\":\""

enum {
	SEAL_LEN = sizeof SEAL_HEAD - 1 + MAC_HEX + 2, /* and "} */
	DEPTH = 128,
};

/* ---- writing ---- */

static void field(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, ",\"%s\":", name);
	json_write_string(out, value);
}

static void head(struct buf *out, const char *type, struct str origin)
{
	buf_printf(out, "{\"type\":\"%s\"", type);
	field(out, "origin", origin);
}

static void component(struct buf *out, const struct cluster_names *names)
{
	field(out, "componentId", names->component_id);
	field(out, "componentName", names->component_name);
}

/* Ends the message that begins at start of out. */
static void seal(struct buf *out, size_t start, struct mac *mac)
{
	char hex[MAC_HEX];

	if (mac && !buf_failed(out)) {
		mac_begin(mac);
		mac_add(mac, (struct str){out->ptr + start, out->len - start});
		mac_end_hex(mac, hex);
		LIT(out, SEAL_HEAD);
		buf_append(out, hex, sizeof hex);
		LIT(out, "\"");
	}
	LIT(out, "}");
}

void cluster_write_delta(struct buf *out, const struct cluster_names *names, const live_value *delta, uint64_t seq)
{
	size_t start = out->len;

	head(out, "delta", names->origin);
	component(out, names);
	LIT(out, ",\"delta\":");
	json_write(out, delta);
	buf_printf(out, ",\"seq\":%llu", (unsigned long long)seq);
	seal(out, start, names->mac);
}

void cluster_write_push(struct buf *out, const struct cluster_names *names, struct str text)
{
	size_t start = out->len;

	head(out, "push", names->origin);
	component(out, names);
	LIT(out, ",\"message\":");
	buf_append_str(out, text);
	seal(out, start, names->mac);
}

void cluster_write_note(struct buf *out, const struct cluster_names *names, const char *type)
{
	size_t start = out->len;

	head(out, type, names->origin);
	component(out, names);
	seal(out, start, names->mac);
}

/* A property is written as the reference's clients do it by an action: {key, value}. */
static void what(struct buf *out, const struct singleton_request *request)
{
	switch (request->ask) {
	case ASK_PROPERTY:
		LIT(out, ",\"action\":\"setValue\",\"write\":\"property\",\"payload\":{\"key\":");
		json_write_string(out, request->word);
		LIT(out, ",\"value\":");
		json_write(out, request->value);
		LIT(out, "}");
		break;
	case ASK_STATE:
		LIT(out, ",\"action\":\"setState\",\"write\":\"state\",\"payload\":");
		json_write(out, request->value);
		break;
	default:
		field(out, "action", request->word);
		LIT(out, ",\"payload\":");
		json_write(out, request->value);
		break;
	}
}

void cluster_write_request(struct buf *out, const struct cluster_names *names, const struct cluster_target *target,
			   struct str id, const struct singleton_request *request)
{
	size_t start = out->len;

	head(out, "action_request", names->origin);
	LIT(out, ",\"request\":{\"sourceInstanceId\":");
	json_write_string(out, names->origin);
	field(out, "targetInstanceId", target->port);
	component(out, names);
	what(out, request);
	field(out, "requestId", id);
	field(out, "callerConnectionId", request->connection);
	if (live_auth_user(request->auth)) {
		LIT(out, ",\"callerSession\":");
		json_write(out, live_auth_user(request->auth));
	}
	if (target->fence)
		buf_printf(out, ",\"fence\":%llu", (unsigned long long)target->fence);
	LIT(out, "}");
	seal(out, start, names->mac);
}

void cluster_write_result(struct buf *out, struct str id, struct str result_json, struct str error)
{
	LIT(out, "{\"success\":");
	buf_append_str(out, error.ptr ? STR("false") : STR("true"));
	if (result_json.ptr && !error.ptr) {
		LIT(out, ",\"result\":");
		buf_append_str(out, result_json);
	}
	if (error.ptr)
		field(out, "error", error);
	field(out, "requestId", id);
	LIT(out, "}");
}

void cluster_write_response(struct buf *out, const struct cluster_names *names, struct str result)
{
	size_t start = out->len;

	head(out, "action_response", names->origin);
	LIT(out, ",\"response\":");
	buf_append_str(out, result);
	seal(out, start, names->mac);
}

/* ---- reading ---- */

bool cluster_seal_holds(struct str text, struct mac *mac)
{
	char hex[MAC_HEX];

	if (text.len < SEAL_LEN)
		return false;
	struct str body = {text.ptr, text.len - SEAL_LEN};
	struct str tail = {text.ptr + body.len, SEAL_LEN};
	if (!str_starts_with(tail, STR(SEAL_HEAD)) || text.ptr[text.len - 1] != '}')
		return false;
	mac_begin(mac);
	mac_add(mac, body);
	mac_end_hex(mac, hex);
	return mac_is_equal((struct str){hex, MAC_HEX}, (struct str){tail.ptr + sizeof SEAL_HEAD - 1, MAC_HEX});
}

const live_value *cluster_read(struct str text)
{
	const struct json_limits limits = {.max_depth = DEPTH, .flags = JSON_DROP_PROTOTYPE_NAMES};
	const live_value *message;

	if (json_parse(&message, text, &limits, NULL) < 0)
		return NULL;
	if (live_value_type(message) == LIVE_OBJECT)
		return message;
	live_value_unref(message);
	return NULL;
}

struct str cluster_text(const live_value *object, const char *key)
{
	const live_value *value = live_get(object, key);
	const char *text = live_as_string(value);

	return text ? (struct str){text, live_len(value)} : (struct str){"", 0};
}
