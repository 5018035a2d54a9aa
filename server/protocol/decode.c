/*
 * Decoding: one walk over the envelope. The type usually stands in front, so the payload is read in place, in the form
 * that the type wants; a payload that comes before its type is passed over and read afterwards.
 */
#include "core/json.h"
#include "server/protocol/message.h"
#include "server/protocol/validate.h"

static const struct {
	struct str name;
	enum message_type type;
} types[] = {
	{{"CALL_ACTION", 11}, MESSAGE_ACTION},
	{{"ROOM_EMIT", 9}, MESSAGE_ROOM_EMIT},
	{{"PING", 4}, MESSAGE_PING},
	{{"COMPONENT_MOUNT", 15}, MESSAGE_MOUNT},
	{{"COMPONENT_UNMOUNT", 17}, MESSAGE_UNMOUNT},
	{{"COMPONENT_REHYDRATE", 19}, MESSAGE_REHYDRATE},
	{{"COMPONENT_PING", 14}, MESSAGE_COMPONENT_PING},
	{{"PROPERTY_UPDATE", 15}, MESSAGE_PROPERTY},
	{{"STATE_UPDATE", 12}, MESSAGE_STATE},
	{{"AUTH", 4}, MESSAGE_AUTH},
	{{"ROOM_JOIN", 9}, MESSAGE_ROOM_JOIN},
	{{"ROOM_LEAVE", 10}, MESSAGE_ROOM_LEAVE},
	{{"ROOM_STATE_SET", 14}, MESSAGE_ROOM_SET},
	{{"ROOM_STATE_GET", 14}, MESSAGE_ROOM_GET},
};

static enum message_type type_of(struct str name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (str_equal(types[i].name, name))
			return types[i].type;
	return MESSAGE_UNKNOWN;
}

struct decoder {
	struct json_reader *reader;
	struct arena *arena;
	struct message *message;
	struct envelope envelope;
	struct str late_payload; /* came before the type */
	struct str data;         /* top-level data of older clients; read when the type is known */
	struct str top_event;
};

static struct json_limits nested_limits(const struct json_reader *reader)
{
	unsigned depth = reader->limits.max_depth;
	return (struct json_limits){.max_depth = depth > 1 ? depth - 1 : 1, .flags = reader->limits.flags};
}

/* The text of a value that travels on as it is, unless a prototype name must go. */
static int read_raw(struct json_reader *reader, struct arena *arena, struct str *out)
{
	struct json_span span;
	const live_value *clean;

	if (json_skip(reader, &span) < 0)
		return -1;
	*out = span.raw;
	if (!span.has_prototype_names)
		return 0;
	if (json_parse(&clean, span.raw, &reader->limits, NULL) < 0)
		return -1;
	struct buf text;
	buf_init(&text, SIZE_MAX);
	json_write(&text, clean);
	*out = arena_copy(arena, buf_str(&text));
	buf_deinit(&text);
	live_value_unref(clean);
	return 0;
}

/* A string, or whatever else it is, passed over: *kind tells which type it had. */
static int read_string(struct json_reader *reader, struct str *out, int *kind)
{
	struct json_span span;

	*kind = json_peek(reader);
	*out = (struct str){NULL, 0};
	if (*kind == LIVE_STRING)
		return json_read_string(reader, out);
	return json_skip(reader, &span);
}

/* The payload of ROOM_EMIT: {event, data, roomId?}. */
static int read_emit_payload(struct decoder *d, struct json_reader *reader)
{
	struct message *m = d->message;
	struct str key;
	int more;

	if (json_enter_object(reader) < 0)
		return -1;
	while ((more = json_next_key(reader, &key)) > 0) {
		int rc;
		if (str_equal(key, STR("event"))) {
			rc = read_string(reader, &m->event, &d->envelope.payload_event);
		} else if (str_equal(key, STR("data"))) {
			rc = read_raw(reader, d->arena, &m->data);
		} else if (str_equal(key, STR("roomId"))) {
			struct str id;
			rc = read_string(reader, &id, &d->envelope.payload_room_id);
			if (!m->room_id.ptr)
				m->room_id = id;
		} else {
			struct json_span span;
			rc = json_skip(reader, &span);
		}
		if (rc < 0)
			return -1;
	}
	return more;
}

static int read_payload(struct decoder *d, struct json_reader *reader)
{
	struct message *m = d->message;
	int kind = json_peek(reader);
	struct json_span span;

	d->envelope.payload = kind;
	if (m->type == MESSAGE_ROOM_EMIT)
		return kind == LIVE_OBJECT ? read_emit_payload(d, reader) : json_skip(reader, &span);
	live_value_unref(m->payload);
	m->payload = NULL;
	return json_read_value(reader, &m->payload);
}

static int read_timestamp(struct decoder *d)
{
	struct json_span span;

	d->envelope.timestamp = json_peek(d->reader);
	return json_skip(d->reader, &span);
}

static int read_expect(struct decoder *d)
{
	struct json_span span;

	d->envelope.expect_response = json_peek(d->reader);
	if (d->envelope.expect_response == LIVE_BOOL)
		return json_read_bool(d->reader, &d->message->expect_response);
	return json_skip(d->reader, &span);
}

static int read_type(struct decoder *d)
{
	int rc = read_string(d->reader, &d->message->type_name, &d->envelope.type);

	if (rc == 0 && d->envelope.type == LIVE_STRING)
		d->message->type = type_of(d->message->type_name);
	return rc;
}

static int read_span(struct decoder *d, struct str *out)
{
	struct json_span span;
	int rc = json_skip(d->reader, &span);

	*out = span.raw;
	return rc;
}

static int read_member(struct decoder *d, struct str key)
{
	struct message *m = d->message;
	struct envelope *e = &d->envelope;
	struct str ignored;

#define IS(literal) (key.len == sizeof(literal) - 1 && memcmp(key.ptr, literal, sizeof(literal) - 1) == 0)
	switch (key.len) {
	case 4:
		if (IS("type"))
			return read_type(d);
		if (IS("room"))
			return read_string(d->reader, &ignored, &e->room);
		if (IS("data")) {
			e->data = json_peek(d->reader);
			return read_span(d, &d->data);
		}
		break;
	case 5:
		if (IS("event"))
			return read_string(d->reader, &d->top_event, &e->event);
		break;
	case 6:
		if (IS("action"))
			return read_string(d->reader, &m->action, &e->action);
		if (IS("roomId"))
			return read_string(d->reader, &m->room_id, &e->room_id);
		if (IS("userId"))
			return read_string(d->reader, &ignored, &e->user_id);
		break;
	case 7:
		if (IS("payload"))
			return e->type == LIVE_STRING ? read_payload(d, d->reader) : read_span(d, &d->late_payload);
		break;
	case 8:
		if (IS("property"))
			return read_string(d->reader, &m->property, &e->property);
		break;
	case 9:
		if (IS("requestId"))
			return read_string(d->reader, &m->request_id, &e->request_id);
		if (IS("timestamp"))
			return read_timestamp(d);
		break;
	case 10:
		if (IS("responseId"))
			return read_string(d->reader, &ignored, &e->response_id);
		break;
	case 11:
		if (IS("componentId"))
			return read_string(d->reader, &m->component_id, &e->component_id);
		break;
	case 14:
		if (IS("expectResponse"))
			return read_expect(d);
		break;
	default: break;
	}
#undef IS
	return read_span(d, &ignored);
}

/* What could not be read in place: a payload before its type. */
static int read_late(struct decoder *d)
{
	struct json_reader late;
	struct json_limits limits = nested_limits(d->reader);

	if (!d->late_payload.ptr)
		return 0;
	json_reader_init(&late, d->late_payload, d->arena, &limits);
	return read_payload(d, &late);
}

/* Older clients put a room's event and data at the top level (protocol 19, rows 7 to 9). */
static int read_legacy_data(struct decoder *d)
{
	struct message *m = d->message;
	struct json_reader reader;
	struct json_limits limits = nested_limits(d->reader);

	json_reader_init(&reader, d->data.ptr ? d->data : STR("null"), d->arena, &limits);
	if (m->type == MESSAGE_ROOM_EMIT && d->envelope.payload_event != LIVE_STRING &&
	    d->envelope.event == LIVE_STRING) {
		m->event = d->top_event;
		d->envelope.payload_event = LIVE_STRING;
		m->data = (struct str){NULL, 0};
		return d->data.ptr ? read_raw(&reader, d->arena, &m->data) : 0;
	}
	bool wants = m->type == MESSAGE_ROOM_SET && live_value_type(live_get(m->payload, "state")) != LIVE_OBJECT;
	wants |= m->type == MESSAGE_ROOM_JOIN && !live_get(m->payload, "initialState");
	if (!wants || d->envelope.data != LIVE_OBJECT)
		return 0;
	const live_value *data;
	if (json_read_value(&reader, &data) < 0)
		return -1;
	const live_value *state =
		m->type == MESSAGE_ROOM_SET ? live_value_ref(data) : live_value_ref(live_get(data, "initialState"));
	live_value_unref(data);
	if (!state)
		return 0;
	const live_value *payload =
		live_with(m->payload, m->type == MESSAGE_ROOM_SET ? "state" : "initialState", state);
	live_value_unref(m->payload);
	m->payload = payload;
	d->envelope.payload = LIVE_OBJECT;
	return 0;
}

static int read_envelope(struct decoder *d)
{
	struct str key;
	int more;

	if (json_enter_object(d->reader) < 0)
		return -1;
	while ((more = json_next_key(d->reader, &key)) > 0)
		if (read_member(d, key) < 0)
			return -1;
	if (more < 0 || json_finish(d->reader) < 0)
		return -1;
	return read_late(d) < 0 || read_legacy_data(d) < 0 ? -1 : 0;
}

enum message_result message_decode(struct message *out, struct str text, struct arena *arena, unsigned max_depth)
{
	struct json_limits limits = {.max_depth = max_depth, .flags = JSON_DROP_PROTOTYPE_NAMES};
	struct json_reader reader;
	struct decoder d = {.reader = &reader, .arena = arena, .message = out, .envelope = ENVELOPE_EMPTY};

	*out = (struct message){0};
	json_reader_init(&reader, text, arena, &limits);
	int root = json_peek(&reader);
	struct json_span span;
	int rc = root == LIVE_OBJECT ? read_envelope(&d) : json_skip(&reader, &span) < 0 ? -1 : json_finish(&reader);
	if (rc < 0)
		return reader.error.too_deep ? MESSAGE_TOO_DEEP : MESSAGE_NOT_JSON;
	if (root != LIVE_OBJECT)
		return MESSAGE_NOT_OBJECT;
	out->is_legacy = d.envelope.timestamp == LIVE_INT && str_starts_with(out->request_id, STR("req-"));
	if (!out->room_id.ptr)
		out->room_id = (struct str){live_as_string(live_get(out->payload, "roomId")),
					    live_len(live_get(out->payload, "roomId"))};
	if (d.envelope.payload_room_id == ENVELOPE_ABSENT && live_get(out->payload, "roomId"))
		d.envelope.payload_room_id = (int)live_value_type(live_get(out->payload, "roomId"));
	out->invalid = validate_message(out, &d.envelope);
	return MESSAGE_OK;
}

void message_deinit(struct message *message)
{
	live_value_unref(message->payload);
	message->payload = NULL;
}
