#include "server/ws/ws_frame.h"

#include <string.h>

static int fault(const char **why, const char *text)
{
	*why = text;
	return -WS_PROTOCOL_ERROR;
}

static bool opcode_is_known(unsigned opcode)
{
	return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static int check_first(struct ws_frame *frame, unsigned char first, bool rsv1_allowed, const char **why)
{
	frame->fin = first & 0x80;
	frame->rsv1 = first & 0x40;
	frame->opcode = first & 0x0f;
	bool is_control = frame->opcode & 8;
	if (first & 0x30)
		return fault(why, "reserved bit set");
	if (frame->rsv1 && (!rsv1_allowed || is_control || frame->opcode == WS_CONTINUATION))
		return fault(why, "reserved bit set");
	if (!opcode_is_known(frame->opcode))
		return fault(why, "unknown opcode");
	if (is_control && !frame->fin)
		return fault(why, "fragmented control frame");
	return 0;
}

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

int ws_frame_read(struct ws_frame *frame, const unsigned char *bytes, size_t len, bool rsv1_allowed, const char **why)
{
	if (len == 0)
		return 0;
	int rc = check_first(frame, bytes[0], rsv1_allowed, why);
	if (rc < 0 || len < 2)
		return rc;
	if (!(bytes[1] & 0x80))
		return fault(why, "frame is not masked");
	unsigned short_len = bytes[1] & 0x7f;
	if ((frame->opcode & 8) && short_len > WS_CONTROL_MAX)
		return fault(why, "control frame too long");
	size_t extra = short_len == 126 ? 2 : short_len == 127 ? 8 : 0;
	if (len < 2 + extra)
		return 0;
	frame->len = extra ? big_endian(bytes + 2, extra) : short_len;
	if ((extra == 2 && frame->len < 126) || (extra == 8 && frame->len < 65536))
		return fault(why, "length is not minimal");
	if (frame->len >> 63)
		return fault(why, "length is negative");
	frame->size = (uint8_t)(2 + extra + 4);
	if (len < frame->size)
		return 0;
	memcpy(frame->mask, bytes + 2 + extra, 4);
	return 1;
}

size_t ws_frame_write(char out[WS_HEADER_MAX], enum ws_opcode opcode, bool rsv1, uint64_t len)
{
	unsigned char *to = (unsigned char *)out;
	size_t extra = len < 126 ? 0 : len < 65536 ? 2 : 8;
	to[0] = (unsigned char)(0x80 | (rsv1 ? 0x40 : 0) | (unsigned)opcode);
	to[1] = (unsigned char)(extra == 0 ? len : extra == 2 ? 126 : 127);
	for (size_t i = 0; i < extra; i++)
		to[2 + i] = (unsigned char)(len >> (8 * (extra - 1 - i)));
	return 2 + extra;
}

size_t ws_frame_len(const unsigned char *frame)
{
	size_t extra = frame[1] < 126 ? 0 : frame[1] == 126 ? 2 : 8;
	return 2 + extra + (size_t)(extra ? big_endian(frame + 2, extra) : frame[1]);
}

void ws_unmask(char *bytes, size_t len, const uint8_t mask[4], uint64_t phase)
{
	uint8_t turned[8];
	uint64_t wide;
	for (size_t i = 0; i < 8; i++)
		turned[i] = mask[(phase + i) & 3];
	memcpy(&wide, turned, sizeof wide);
	/* Eight bytes at a time; the copies become plain loads, and the compiler makes wider ones of them. */
	for (; len >= sizeof wide; bytes += sizeof wide, len -= sizeof wide) {
		uint64_t word;
		memcpy(&word, bytes, sizeof word);
		word ^= wide;
		memcpy(bytes, &word, sizeof word);
	}
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(bytes[i] ^ (char)turned[i]);
}

bool ws_code_is_valid(unsigned code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != WS_NO_CODE && code != WS_ABNORMAL;
}
