#include "server/protocol/outbox.h"

#include "core/assert.h"
#include "core/log.h"

/* The kinds of items. Arena memory, shared texts and pending deltas are aligned, so the low bits are free. */
enum item_kind {
	ITEM_PUSH = 0,  /* what: text, more: length */
	ITEM_REPLY = 1, /* what: text, more: length */
	ITEM_ROOM = 2,  /* what: shared_text, more: struct str with the member's id; NULL only where shares is set */
	ITEM_DELTA = 3, /* a place kept for a pending_delta until that is sealed; then, with text, two pushes: "a,b" */
};

enum {
	KIND_MASK = 3,
	FIRST_ITEMS = 8,
	BATCH_BYTES =
		60 * 1024, /* an array longer than this is ended and another begun; below WebSocket's 64 KiB header */
	SCRATCH_KEEP_BYTES = 64 * 1024,
	SPILL_BYTES = 128 * 1024, /* composed bytes that are sent before more are composed */
};

struct str outbox_take(struct outbox_shard *here)
{
	struct str taken = {NULL, 0};

	if (!buf_failed(&here->scratch))
		taken = arena_copy(here->arena, buf_str(&here->scratch));
	else
		log_warn(NULL, "a message over %zu bytes was dropped", here->scratch.limit);
	buf_reset(&here->scratch, SCRATCH_KEEP_BYTES);
	return taken;
}

void outbox_init(struct outbox *outbox, struct outbox_shard *here, struct transport *transport)
{
	*outbox = (struct outbox){.here = here, .transport = transport, .shares = transport->ops->append_shared};
	list_init(&outbox->deltas);
}

/* Whether there is still somebody to send to. Asks for the flush when the first item is about to come: items point to
 * the tick's memory, so none may wait for another tick. */
static bool is_open(struct outbox *outbox)
{
	if (!outbox->count && !outbox->ended)
		outbox->ended = !outbox->transport->ops->flush_soon(outbox->transport);
	return !outbox->ended;
}

static void add_item(struct outbox *outbox, enum item_kind kind, const void *what, uintptr_t more)
{
	if (outbox->count == outbox->cap) {
		uint32_t cap = outbox->cap ? outbox->cap * 2 : FIRST_ITEMS;
		struct out_item *items = arena_alloc(outbox->here->arena, cap * sizeof *items);
		if (outbox->count)
			memcpy(items, outbox->items, outbox->count * sizeof *items);
		outbox->items = items;
		outbox->cap = cap;
	}
	debug_assert(((uintptr_t)what & KIND_MASK) == 0);
	outbox->items[outbox->count++] = (struct out_item){(uintptr_t)what | kind, more};
}

/* Text comes from anywhere in the tick's memory: an unaligned piece of it is copied once. */
static void add_text(struct outbox *outbox, enum item_kind kind, struct str json)
{
	if ((uintptr_t)json.ptr & KIND_MASK)
		json = arena_copy(outbox->here->arena, json);
	add_item(outbox, kind, json.ptr, json.len);
}

void outbox_push(struct outbox *outbox, struct str json)
{
	if (is_open(outbox))
		add_text(outbox, ITEM_PUSH, json);
}

void outbox_push_shared(struct outbox *outbox, struct shared_text *shared)
{
	if (!is_open(outbox))
		return;
	if (outbox->shares)
		add_item(outbox, ITEM_ROOM, shared, 0);
	else
		add_text(outbox, ITEM_PUSH, shared->text);
}

void outbox_push_room(struct outbox *outbox, struct shared_text *shared, const struct str *head_id)
{
	if (is_open(outbox))
		add_item(outbox, ITEM_ROOM, shared, (uintptr_t)head_id);
}

void outbox_close(struct outbox *outbox)
{
	list_for_each_safe (link, &outbox->deltas)
		pending_delta_drop(LIST_OF(link, struct pending_delta, link));
	outbox->ended = true;
	outbox->items = NULL;
	outbox->count = outbox->cap = 0;
}

void outbox_push_delta(struct outbox *outbox, struct pending_delta *pending, const live_value *before,
		       const live_value *delta)
{
	if (outbox->behind || !is_open(outbox)) {
		pending->collapsed |= outbox->behind;
		live_value_unref(delta);
		return;
	}
	if (!pending_delta_is_set(pending)) {
		pending->item = outbox->count;
		list_append(&outbox->deltas, &pending->link);
		add_item(outbox, ITEM_DELTA, NULL, 0);
	}
	pending_delta_add(pending, before, delta);
}

/* Writes the STATE_DELTA (delta is given away) that leads to the state next. */
static void write_delta(struct outbox *outbox, const struct sender *sender, const live_value *delta,
			const live_value *next)
{
	if (outbox->legacy) {
		const live_value *wide = diff_widen(delta, next);
		live_value_unref(delta);
		delta = wide;
	}
	encode_state_delta(&outbox->here->scratch, sender, delta);
	live_value_unref(delta);
}

/* The first of two steps; clear is given away. */
static void write_clear(struct outbox *outbox, const struct pending_delta *pending, const live_value *clear)
{
	const live_value *cleared = live_merge(*pending->state, clear);

	write_delta(outbox, pending->sender, clear, cleared);
	buf_append_char(&outbox->here->scratch, ',');
	live_value_unref(cleared);
}

void outbox_seal(struct outbox *outbox, struct pending_delta *pending)
{
	struct diff_steps steps;

	if (!pending_delta_is_set(pending))
		return;
	pending_delta_take(pending, &outbox->here->diff, &steps);
	enum item_kind kind = steps.clear ? ITEM_DELTA : ITEM_PUSH;
	if (steps.clear)
		write_clear(outbox, pending, steps.clear);
	if (steps.delta) /* else the state is again as it was, which makes an empty item */
		write_delta(outbox, pending->sender, steps.delta, *pending->state);
	struct str text = outbox_take(outbox->here);
	outbox->items[pending->item] = (struct out_item){(uintptr_t)text.ptr | kind, text.len};
}

static void seal_all(struct outbox *outbox)
{
	list_for_each_safe (link, &outbox->deltas)
		outbox_seal(outbox, LIST_OF(link, struct pending_delta, link));
}

void outbox_reply(struct outbox *outbox, struct str json)
{
	if (!is_open(outbox))
		return;
	seal_all(outbox);
	add_text(outbox, ITEM_REPLY, json);
}

/* ---- composing ---- */

static enum item_kind kind_of(const struct out_item *item)
{
	return (enum item_kind)(item->what & KIND_MASK);
}

static void *what_of(const struct out_item *item)
{
	return (void *)(item->what & ~(uintptr_t)KIND_MASK);
}

/* Nothing: a delta that came to nothing, or a message that was too large. */
static bool is_empty(const struct out_item *item)
{
	return kind_of(item) != ITEM_ROOM && item->more == 0;
}

/* What others get, too, to a client whose messages are compressed; a room's event has the member's id in front. */
static void append_shared(struct outbox *outbox, const struct out_item *item, struct buf *out, size_t start)
{
	if (item->more)
		encode_room_head(out, *(const struct str *)item->more);
	outbox->transport->ops->append_shared(outbox->transport, out, start, what_of(item));
}

/* Appends a push or a reply to the message begun at start. */
static inline void append_item(struct outbox *outbox, const struct out_item *item, struct buf *out, size_t start)
{
	const struct shared_text *shared = what_of(item);
	if (kind_of(item) != ITEM_ROOM)
		buf_append(out, what_of(item), item->more);
	else if (outbox->shares)
		append_shared(outbox, item, out, start);
	else
		encode_room_frame(out, *(const struct str *)item->more, shared->text);
}

static void end_message(struct outbox *outbox, struct buf *out, size_t start)
{
	struct transport *transport = outbox->transport;
	transport->ops->end(transport, out, start);
	if (out->len > SPILL_BYTES)
		transport->ops->spill(transport, out);
}

/* Composes the run of pushes that begins at item first; returns the item behind it. */
static uint32_t compose_pushes(struct outbox *outbox, uint32_t first, struct buf *out)
{
	struct transport *transport = outbox->transport;
	uint32_t next = first + 1;
	while (next < outbox->count && (is_empty(&outbox->items[next])))
		next++;
	bool alone = kind_of(&outbox->items[first]) != ITEM_DELTA &&
		     (next == outbox->count || kind_of(&outbox->items[next]) == ITEM_REPLY);

	size_t start = transport->ops->begin(transport, out);
	size_t from = out->len;
	if (!alone)
		buf_append_char(out, '[');
	append_item(outbox, &outbox->items[first], out, start);
	while (next < outbox->count && kind_of(&outbox->items[next]) != ITEM_REPLY && out->len - from < BATCH_BYTES) {
		if (!is_empty(&outbox->items[next])) {
			buf_append_char(out, ',');
			append_item(outbox, &outbox->items[next], out, start);
		}
		next++;
	}
	if (!alone)
		buf_append_char(out, ']');
	end_message(outbox, out, start);
	return next;
}

void outbox_compose(struct outbox *outbox, struct buf *out)
{
	seal_all(outbox);
	for (uint32_t i = 0; i < outbox->count && !outbox->ended;) {
		if (is_empty(&outbox->items[i])) {
			i++;
		} else if (kind_of(&outbox->items[i]) == ITEM_REPLY) {
			size_t start = outbox->transport->ops->begin(outbox->transport, out);
			append_item(outbox, &outbox->items[i++], out, start);
			end_message(outbox, out, start);
		} else {
			i = compose_pushes(outbox, i, out);
		}
	}
	outbox->items = NULL;
	outbox->count = outbox->cap = 0;
}
