#include "core/utf8.h"

#include <string.h>

/* What may follow a lead byte: how many continuation bytes, and the range of the first of them (table 3-7). */
struct lead {
	uint8_t count, low, high;
};

static inline struct lead lead_of(unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return (struct lead){1, 0x80, 0xbf};
	if (byte >= 0xe0 && byte <= 0xef)
		return (struct lead){2, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
	if (byte >= 0xf0 && byte <= 0xf4)
		return (struct lead){3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
	return (struct lead){0};
}

/* The first byte from at on that is not ASCII, or end; eight at a time. */
static inline const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
	while (end - at >= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		if (word & 0x8080808080808080)
			break;
		at += 8;
	}
	while (at < end && *at < 0x80)
		at++;
	return at;
}

/* How many bytes at the start of at..end belong to one sequence, well-formed so far; *whole when it is complete. */
static size_t measure(const unsigned char *at, const unsigned char *end, bool *whole)
{
	*whole = at < end && *at < 0x80;
	if (*whole || at == end)
		return *whole;
	struct lead lead = lead_of(*at);
	size_t len = 1;
	while (len <= lead.count && at + len < end && at[len] >= lead.low && at[len] <= lead.high) {
		len++;
		lead.low = 0x80;
		lead.high = 0xbf;
	}
	*whole = lead.count && len == lead.count + 1u;
	return len;
}

size_t utf8_units(struct str text)
{
	size_t units = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		/* Every character begins one; what takes four bytes takes two units. */
		units += (size_t)((byte & 0xc0) != 0x80) + (size_t)(byte >= 0xf0);
	}
	return units;
}

size_t utf8_sequence(struct str text)
{
	bool whole;
	const unsigned char *at = (const unsigned char *)text.ptr;
	size_t len = text.len ? measure(at, at + text.len, &whole) : 0;
	return len && whole ? len : 0;
}

bool utf8_check(struct str text)
{
	struct utf8_state state = {0};
	return utf8_state_feed(&state, text) && utf8_state_complete(&state);
}

void utf8_append_repaired(struct buf *to, struct str text)
{
	if (!text.len)
		return;
	const unsigned char *at = (const unsigned char *)text.ptr;
	const unsigned char *end = at + text.len;
	while (at < end) {
		const unsigned char *plain = skip_ascii(at, end);
		buf_append(to, at, (size_t)(plain - at));
		at = plain;
		bool whole;
		size_t len = measure(at, end, &whole);
		if (whole)
			buf_append(to, at, len);
		else if (len)
			buf_append(to, "\xef\xbf\xbd", 3);
		at += len;
	}
}

bool utf8_state_feed(struct utf8_state *state, struct str piece)
{
	struct utf8_state now = *state;
	if (!piece.len || now.broken)
		return !now.broken;
	const unsigned char *at = (const unsigned char *)piece.ptr;
	const unsigned char *end = at + piece.len;
	while (at < end) {
		if (!now.pending) {
			at = skip_ascii(at, end);
			if (at == end)
				break;
			struct lead lead = lead_of(*at++);
			now = (struct utf8_state){lead.count, lead.low, lead.high, !lead.count};
		} else {
			now.broken = *at < now.low || *at > now.high;
			now.pending--;
			now.low = 0x80;
			now.high = 0xbf;
			at++;
		}
		if (now.broken)
			break;
	}
	*state = now;
	return !now.broken;
}

bool utf8_state_complete(const struct utf8_state *state)
{
	return !state->broken && !state->pending;
}
