#include "core/frame.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"

struct frame {
	_Atomic uint32_t refs; /* any thread; the release of a drop pairs with the acquire of the last */
	size_t len;
	char bytes[];
};

struct frame *frame_new(struct str bytes)
{
	struct frame *frame = mem_alloc_raw(sizeof *frame + bytes.len);
	atomic_init(&frame->refs, 1);
	frame->len = bytes.len;
	if (bytes.len)
		memcpy(frame->bytes, bytes.ptr, bytes.len);
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	uint32_t before = atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
	assert_always(before > 0 && before < UINT32_MAX);
	return frame;
}

void frame_unref(struct frame *frame)
{
	if (!frame)
		return;
	uint32_t before = atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel);
	assert_always(before > 0);
	if (before == 1)
		free(frame);
}

struct str frame_bytes(const struct frame *frame)
{
	return (struct str){frame->bytes, frame->len};
}
