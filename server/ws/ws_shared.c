/* ws_shared - one message for many: framed once, and compressed once for each window size that peers agreed to. */
#include <stdlib.h>

#include "core/mem.h"
#include "server/ws/ws_private.h"

enum { SHARED_BITS = 16 };

struct variant { /* compressed with a window of so many bits, framed; or found not to pay */
	struct buf bytes;
	bool tried;
	bool pays;
};

struct ws_shared {
	unsigned refs;
	enum ws_opcode opcode;
	size_t header; /* bytes of frame before the payload */
	struct buf frame;
	struct variant variants[SHARED_BITS];
};

struct ws_shared *ws_shared_new(enum ws_opcode opcode, struct str payload)
{
	struct ws_shared *shared = mem_alloc(sizeof *shared);
	char header[WS_HEADER_MAX];
	shared->refs = 1;
	shared->opcode = opcode;
	shared->header = ws_frame_write(header, opcode, false, payload.len);
	buf_init(&shared->frame, payload.len + WS_HEADER_MAX);
	buf_append(&shared->frame, header, shared->header);
	buf_append_str(&shared->frame, payload);
	return shared;
}

struct ws_shared *ws_shared_ref(struct ws_shared *shared)
{
	shared->refs++;
	return shared;
}

void ws_shared_unref(struct ws_shared *shared)
{
	if (!shared || --shared->refs)
		return;
	for (int i = 0; i < SHARED_BITS; i++)
		buf_deinit(&shared->variants[i].bytes);
	buf_deinit(&shared->frame);
	free(shared);
}

static struct str payload_of(const struct ws_shared *shared)
{
	return (struct str){shared->frame.ptr + shared->header, shared->frame.len - shared->header};
}

static const struct variant *variant_for(struct ws_shared *shared, struct ws *ws, unsigned bits)
{
	struct variant *variant = &shared->variants[bits];
	if (variant->tried)
		return variant;
	variant->tried = true;
	struct buf bytes;
	char header[WS_HEADER_MAX];
	buf_init(&bytes, SIZE_MAX / 2);
	variant->pays = ws_deflate_apart(ws, bits, payload_of(shared), &bytes);
	if (variant->pays) {
		buf_init(&variant->bytes, bytes.len + WS_HEADER_MAX);
		buf_append(&variant->bytes, header, ws_frame_write(header, shared->opcode, true, bytes.len));
		buf_append_str(&variant->bytes, buf_str(&bytes));
		variant->pays = !buf_failed(&variant->bytes);
	}
	buf_deinit(&bytes);
	return variant;
}

void ws_shared_append(struct ws_shared *shared, struct ws *ws, struct buf *out)
{
	unsigned bits = ws_deflate_shared_bits(ws);
	if (buf_failed(&shared->frame)) {
		out->failed = true;
		return;
	}
	if (ws->deflate && bits == 0) {
		/* Its window runs through all its messages: this one must, too. */
		size_t start = ws_message_begin(out);
		buf_append_str(out, payload_of(shared));
		ws_message_end(ws, out, start, shared->opcode);
		return;
	}
	const struct variant *variant = bits ? variant_for(shared, ws, bits) : NULL;
	buf_append_str(out, variant && variant->pays ? buf_str(&variant->bytes) : buf_str(&shared->frame));
	counter_add(&ws_counters(ws)->ws_messages_out, 1);
}
