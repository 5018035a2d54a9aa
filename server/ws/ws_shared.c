/*
 * ws_shared - a text that many get, each inside a message of its own: compressed once for each window size.
 *
 * A compressed message is a row of blocks (RFC 7692 section 7.2.1), and a block need not look back. So the shared text
 * is compressed apart from everything, into blocks that end on a byte, and each message is put together of these and of
 * what only its receiver gets: short pieces as stored blocks, which cost five bytes and a copy, long ones compressed.
 *
 * Not for a peer whose window we keep from message to message: its messages must all pass through its own compressor.
 */
#include "server/ws/ws_private.h"

enum { STORED_HEADER = 5, STORED_MAX_BYTES = UINT16_MAX, WINDOW_SIZES = WS_WINDOW_MAX - WS_WINDOW_MIN + 1 };

struct ws_packed { /* in the tick's memory */
	struct variant {
		struct str blocks; /* ptr NULL: compressing does not pay */
		bool tried;
	} variants[WINDOW_SIZES];
};

/* The text's blocks for a window of so many bits; ptr NULL: it goes as it is. */
static struct str blocks_of(struct ws *ws, struct str text, struct ws_packed **packed, unsigned bits)
{
	struct arena *arena = shard_arena(connection_shard(ws->conn));
	if (text.len < ws_deflate_min_bytes(ws))
		return (struct str){NULL, 0};
	if (!*packed) {
		*packed = arena_alloc(arena, sizeof **packed);
		**packed = (struct ws_packed){0};
	}
	struct variant *variant = &(*packed)->variants[bits - WS_WINDOW_MIN];
	if (!variant->tried) {
		struct str blocks = ws_deflate_blocks(ws, text);
		variant->tried = true;
		if (blocks.ptr && blocks.len + STORED_HEADER < text.len)
			variant->blocks = arena_copy(arena, blocks);
	} else if (variant->blocks.ptr) {
		counter_add(&ws_counters(ws)->ws_deflates_shared, 1);
	}
	return variant->blocks;
}

/* Makes blocks of what was appended to out since from, in place. Only the last of a message ends it: then without the
 * four bytes that the other side adds. */
static void pack_own(struct ws *ws, struct buf *out, size_t from, bool is_last)
{
	struct str own = {out->ptr + from, out->len - from};
	if (own.len == 0) {
		out->len -= is_last ? WS_FLUSH_TAIL : 0;
		return;
	}
	if (own.len >= ws_deflate_min_bytes(ws) || own.len > STORED_MAX_BYTES) {
		struct str blocks = ws_deflate_blocks(ws, own);
		out->failed |= !blocks.ptr;
		out->len = from;
		buf_append(out, blocks.ptr, blocks.len - (is_last ? WS_FLUSH_TAIL : 0));
		return;
	}
	uint8_t low = (uint8_t)own.len, high = (uint8_t)(own.len >> 8);
	uint8_t header[STORED_HEADER] = {0, low, high, low ^ 0xff, high ^ 0xff};
	if (!buf_room(out, STORED_HEADER + 1))
		return;
	memmove(out->ptr + from + STORED_HEADER, out->ptr + from, own.len);
	memcpy(out->ptr + from, header, STORED_HEADER);
	out->len += STORED_HEADER;
	if (is_last) /* the beginning of the empty block that must end it */
		buf_append_char(out, 0);
}

void ws_append_shared(struct ws *ws, struct buf *out, size_t start, struct str text, struct ws_packed **packed)
{
	unsigned bits = ws_deflate_shared_bits(ws);
	struct str blocks = bits ? blocks_of(ws, text, packed, bits) : (struct str){NULL, 0};
	if (!blocks.ptr || buf_failed(out)) {
		buf_append_str(out, text);
		return;
	}
	size_t *own = ws_deflate_own(ws);
	pack_own(ws, out, *own ? *own : start + WS_HEADER_GUESS, false);
	buf_append_str(out, blocks);
	*own = out->len;
}

bool ws_finish_shared(struct ws *ws, struct buf *out)
{
	size_t *own = ws_deflate_own(ws);
	if (*own == 0)
		return false;
	pack_own(ws, out, *own, true);
	*own = 0;
	return true;
}
