#include "core/base64.h"

#include <errno.h>
#include <stdint.h>

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *to, struct str bytes)
{
	size_t len = base64_encoded_len(bytes.len);
	char *out = len ? buf_room(to, len) : NULL;
	if (!out)
		return;
	const unsigned char *at = (const unsigned char *)bytes.ptr;
	size_t left = bytes.len;
	for (; left >= 3; left -= 3, at += 3) {
		uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
		*out++ = letters[bits >> 18];
		*out++ = letters[bits >> 12 & 63];
		*out++ = letters[bits >> 6 & 63];
		*out++ = letters[bits & 63];
	}
	if (left) {
		uint32_t bits = (uint32_t)at[0] << 16 | (left == 2 ? (uint32_t)at[1] << 8 : 0);
		*out++ = letters[bits >> 18];
		*out++ = letters[bits >> 12 & 63];
		*out++ = left == 2 ? letters[bits >> 6 & 63] : '=';
		*out++ = '=';
	}
	to->len += len;
}

/* The six bits of letter, or -1. */
static int letter_bits(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* Decodes count letters (2 to 4) into count - 1 bytes; false when they are none, or bits are left over. */
static bool decode_group(char *out, const char *at, size_t count)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < 4; i++) {
		int value = i < count ? letter_bits(at[i]) : 0;
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	size_t len = count - 1;
	if (bits & ((UINT32_C(1) << (24 - 8 * len)) - 1))
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	return true;
}

int base64_decode(struct buf *to, struct str text)
{
	if (text.len % 4)
		return -EINVAL;
	if (!text.len)
		return 0;
	size_t padding = text.ptr[text.len - 1] == '=' ? text.ptr[text.len - 2] == '=' ? 2 : 1 : 0;
	size_t len = text.len / 4 * 3 - padding;
	int rc = buf_reserve(to, len);
	if (rc < 0)
		return rc;
	char *out = to->ptr + to->len;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t count = i + 4 == text.len ? 4 - padding : 4;
		if (!decode_group(out + i / 4 * 3, text.ptr + i, count))
			return -EINVAL;
	}
	to->len += len;
	return 0;
}
