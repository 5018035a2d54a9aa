#include "clients/bench/frame.h"

#include <errno.h>
#include <string.h>

#define FINAL_BIT 0x80
#define RESERVED_BITS 0x70
#define MASK_BIT 0x80
#define CONTROL_BIT 0x08
#define LENGTH_16 126
#define LENGTH_64 127
#define CONTROL_MAX 125

static bool opcode_is_known(uint8_t opcode)
{
	return opcode <= FRAME_BINARY || (opcode >= FRAME_CLOSE && opcode <= FRAME_PONG);
}

/* Eight bytes at a time; the compiler makes vectors of it. */
static void mask_apply(uint8_t *bytes, size_t length, uint32_t key)
{
	uint64_t wide = (uint64_t)key << 32 | key;
	uint8_t narrow[4];
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		word ^= wide;
		memcpy(bytes + i, &word, 8);
	}
	memcpy(narrow, &key, 4);
	for (; i < length; i++)
		bytes[i] ^= narrow[i & 3];
}

/* Reads an extended length of `width` bytes. False when it would have fitted into a shorter form. */
static bool length_read(const uint8_t *bytes, unsigned width, uint64_t *out)
{
	uint64_t length = 0;

	for (unsigned i = 0; i < width; i++)
		length = length << 8 | bytes[i];
	*out = length;
	return length >= (width == 2 ? LENGTH_16 : 0x10000);
}

static int head_check(const uint8_t *bytes, enum frame_origin origin)
{
	uint8_t opcode = bytes[0] & 0x0f;
	bool masked = bytes[1] & MASK_BIT;

	if (bytes[0] & RESERVED_BITS || !opcode_is_known(opcode) || masked != (origin == FRAME_FROM_CLIENT))
		return -EPROTO;
	if (opcode & CONTROL_BIT && (!(bytes[0] & FINAL_BIT) || (bytes[1] & 0x7f) > CONTROL_MAX))
		return -EPROTO;
	return 0;
}

ssize_t frame_parse(uint8_t *bytes, size_t available, enum frame_origin origin, struct frame *out)
{
	size_t mask_size = origin == FRAME_FROM_CLIENT ? 4 : 0;
	uint64_t length;
	unsigned width;
	size_t head;

	if (available < 2)
		return 0;
	if (head_check(bytes, origin) < 0)
		return -EPROTO;
	length = bytes[1] & 0x7f;
	width = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
	head = 2 + width + mask_size;
	if (available < head)
		return 0;
	if (width && !length_read(bytes + 2, width, &length))
		return -EPROTO;
	if (length > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (available - head < length)
		return 0;
	*out = (struct frame){
		.opcode = bytes[0] & 0x0f, .final = bytes[0] & FINAL_BIT, .payload = bytes + head, .length = length};
	if (mask_size) {
		uint32_t key;

		memcpy(&key, bytes + head - 4, 4);
		mask_apply(out->payload, out->length, key);
	}
	return (ssize_t)(head + length);
}

/* Writes first byte and length; returns how many bytes that took. */
static size_t head_write(uint8_t *at, uint8_t opcode, size_t length, uint8_t mask_bit)
{
	unsigned width = length < LENGTH_16 ? 0 : length < 0x10000 ? 2 : 8;

	at[0] = FINAL_BIT | opcode;
	at[1] = (uint8_t)(mask_bit | (width == 0 ? length : width == 2 ? LENGTH_16 : LENGTH_64));
	for (unsigned i = 0; i < width; i++)
		at[2 + i] = (uint8_t)(length >> 8 * (width - 1 - i));
	return 2 + width;
}

void frame_append_masked(struct buffer *out, uint8_t opcode, const void *payload, size_t length, uint32_t key)
{
	uint8_t *at = buffer_reserve(out, FRAME_HEAD_MAX + length);
	size_t head = head_write(at, opcode, length, MASK_BIT);

	memcpy(at + head, &key, 4);
	head += 4;
	if (length)
		memcpy(at + head, payload, length);
	mask_apply(at + head, length, key);
	out->length += head + length;
}

void frame_append_plain(struct buffer *out, uint8_t opcode, const void *payload, size_t length)
{
	uint8_t *at = buffer_reserve(out, FRAME_HEAD_MAX + length);
	size_t head = head_write(at, opcode, length, 0);

	if (length)
		memcpy(at + head, payload, length);
	out->length += head + length;
}
