#include "clients/bench/message.h"

#include <string.h>

#include "clients/bench/clock.h"
#include "clients/bench/floor_wire.h"
#include "clients/bench/frame.h"

#define PUT(writer, literal) buffer_append(&(writer)->text, (literal), sizeof(literal) - 1)

/* Where no component exists (the floor), an id of the usual length. */
#define RAW_COMPONENT "AbCd_-01"

void message_writer_init(struct message_writer *writer, uint64_t seed)
{
	*writer = (struct message_writer){.random = seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d};
}

void message_writer_deinit(struct message_writer *writer)
{
	buffer_deinit(&writer->text);
}

/* xorshift64: a masking key need only be unpredictable to scripts in a browser, of which there are none here. */
static uint32_t key_next(struct message_writer *writer)
{
	writer->random ^= writer->random << 13;
	writer->random ^= writer->random >> 7;
	writer->random ^= writer->random << 17;
	return (uint32_t)(writer->random >> 32);
}

void message_frame(struct message_writer *writer, struct buffer *out, uint8_t opcode, const void *payload,
		   size_t length)
{
	frame_append_masked(out, opcode, payload, length, key_next(writer));
}

static void text_begin(struct message_writer *writer)
{
	writer->text.length = 0;
}

static void text_send(struct message_writer *writer, struct buffer *out)
{
	message_frame(writer, out, FRAME_TEXT, writer->text.bytes, writer->text.length);
}

static void put_string(struct message_writer *writer, const char *text)
{
	buffer_append(&writer->text, text, strlen(text));
}

static void put_number(struct message_writer *writer, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buffer_append(&writer->text, digits + at, sizeof digits - at);
}

void message_request_id(uint32_t request, char id[MESSAGE_REQUEST_ID])
{
	for (unsigned i = 0; i < MESSAGE_REQUEST_ID; i++)
		id[i] = "0123456789abcdef"[request >> 4 * (MESSAGE_REQUEST_ID - 1 - i) & 15];
}

bool message_request_number(const char *text, size_t length, uint32_t *request)
{
	uint32_t number = 0;

	if (length != MESSAGE_REQUEST_ID)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = memchr(digits, text[i], 16);

		if (!digit)
			return false;
		number = number << 4 | (uint32_t)(digit - digits);
	}
	*request = number;
	return true;
}

static void put_request(struct message_writer *writer, uint32_t request)
{
	char id[MESSAGE_REQUEST_ID];

	message_request_id(request, id);
	PUT(writer, ",\"requestId\":\"");
	buffer_append(&writer->text, id, sizeof id);
	PUT(writer, "\",\"expectResponse\":true}");
}

static void put_room(struct message_writer *writer, const struct message_room *room)
{
	PUT(writer, "\",\"roomId\":\"");
	put_string(writer, room->name);
	PUT(writer, "-");
	put_number(writer, room->number);
	PUT(writer, "\"");
}

void message_mount(struct message_writer *writer, struct buffer *out, const char *component, uint32_t request)
{
	text_begin(writer);
	PUT(writer, "{\"type\":\"COMPONENT_MOUNT\",\"componentId\":\"mount-");
	put_string(writer, component);
	PUT(writer, "\",\"payload\":{\"component\":\"");
	put_string(writer, component);
	PUT(writer, "\",\"props\":{}}");
	put_request(writer, request);
	text_send(writer, out);
}

void message_join(struct message_writer *writer, struct buffer *out, const char *component_id,
		  const struct message_room *room, uint32_t request)
{
	text_begin(writer);
	PUT(writer, "{\"type\":\"ROOM_JOIN\",\"componentId\":\"");
	put_string(writer, component_id);
	put_room(writer, room);
	PUT(writer, ",\"payload\":{},\"timestamp\":");
	put_number(writer, clock_epoch_ms());
	put_request(writer, request);
	text_send(writer, out);
}

void message_action(struct message_writer *writer, struct buffer *out, const char *component_id, const char *action,
		    uint32_t request)
{
	text_begin(writer);
	PUT(writer, "{\"type\":\"CALL_ACTION\",\"componentId\":\"");
	put_string(writer, component_id);
	PUT(writer, "\",\"action\":\"");
	put_string(writer, action);
	PUT(writer, "\",\"payload\":{}");
	put_request(writer, request);
	text_send(writer, out);
}

/* The data object: sender, number, intended time, and filling up to the wanted size. */
static void put_data(struct message_writer *writer, const struct message_event *event)
{
	size_t start = writer->text.length;
	size_t used, fill;

	PUT(writer, "{\"s\":");
	put_number(writer, event->sender);
	PUT(writer, ",\"n\":");
	put_number(writer, event->number);
	PUT(writer, ",\"t\":");
	put_number(writer, event->intended_ns);
	PUT(writer, ",\"p\":\"");
	used = writer->text.length - start + 2;
	fill = event->data_bytes > used ? event->data_bytes - used : 0;
	memset(buffer_reserve(&writer->text, fill), 'x', fill);
	writer->text.length += fill;
	PUT(writer, "\"}");
}

void message_emit(struct message_writer *writer, struct buffer *out, const char *component_id,
		  const struct message_room *room, const struct message_event *event)
{
	text_begin(writer);
	PUT(writer, "{\"type\":\"ROOM_EMIT\",\"componentId\":\"");
	put_string(writer, component_id);
	put_room(writer, room);
	PUT(writer, ",\"payload\":{\"event\":\"b\",\"data\":");
	put_data(writer, event);
	PUT(writer, "},\"timestamp\":");
	put_number(writer, clock_epoch_ms());
	PUT(writer, "}");
	text_send(writer, out);
}

/* The parts that all pushes of a room begin and end with. */
static void put_push(struct message_writer *writer, const char *type, const struct message_room *room)
{
	PUT(writer, "{\"componentId\":\"" RAW_COMPONENT "\",\"type\":\"");
	put_string(writer, type);
	put_room(writer, room);
}

static void put_push_end(struct message_writer *writer)
{
	PUT(writer, ",\"timestamp\":");
	put_number(writer, clock_epoch_ms());
	PUT(writer, "}");
}

void message_raw_join(struct message_writer *writer, struct buffer *out, const struct message_room *room, bool notice)
{
	struct floor_join join = {.command = FLOOR_JOIN};

	memcpy(join.room, &room->number, sizeof join.room);
	text_begin(writer);
	buffer_append(&writer->text, &join, sizeof join);
	if (notice) {
		put_push(writer, "ROOM_SYSTEM", room);
		PUT(writer,
		    ",\"event\":\"$sub:join\",\"data\":{\"subscriberId\":\"" RAW_COMPONENT "\",\"count\":1000}");
		put_push_end(writer);
	}
	message_frame(writer, out, FRAME_BINARY, writer->text.bytes, writer->text.length);
}

void message_raw_emit(struct message_writer *writer, struct buffer *out, const struct message_room *room,
		      const struct message_event *event)
{
	text_begin(writer);
	put_push(writer, "ROOM_EVENT", room);
	PUT(writer, ",\"event\":\"b\",\"data\":");
	put_data(writer, event);
	put_push_end(writer);
	text_send(writer, out);
}
