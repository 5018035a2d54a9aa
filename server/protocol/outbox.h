/*
 * outbox - what one client is to be sent in this tick, in order.
 *
 * Handlers only append; at the end of the tick the outbox is composed into frames: neighbouring pushes become one JSON
 * array, each reply is a message of its own. An item is 16 bytes and refers to bytes that live until the end of the
 * tick (the shard's arena, a room's shared frame), so a thousand room events for a thousand members are composed
 * straight into the shard's staging buffer and nowhere else. An empty outbox holds no memory.
 *
 * Changes of a component's state wait as one pending_delta, at the place of the first, and are merged until the outbox
 * is composed or a reply is pushed: so deltas come before the reply of the action that made them (protocol 5.1, 5.2).
 *
 * Owned by the client it belongs to. What one may get wrong: pushing text that does not live until the end of the tick.
 * Threads: [shard].
 */
#ifndef SERVER_PROTOCOL_OUTBOX_H
#define SERVER_PROTOCOL_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/list.h"
#include "core/str.h"
#include "server/protocol/encode.h"
#include "server/protocol/pending_delta.h"
#include "server/protocol/transport.h"

struct out_item { /* the kind is in the low bits of what */
	uintptr_t what;
	uintptr_t more;
};

struct outbox_shard {             /* what the outboxes of a shard share */
	struct arena *arena;      /* the tick's memory */
	struct buf scratch;       /* one message at a time is written here */
	struct diff_options diff; /* how states are compared */
};

struct outbox {
	struct outbox_shard *here;
	struct transport *transport; /* the owner's; good until outbox_close */
	struct list deltas;          /* of pending_delta: may still be merged */
	struct out_item *items;      /* in the arena; NULL when empty */
	uint32_t count;
	uint32_t cap;
	bool legacy; /* the client merges only the top level of deltas (protocol 19, row 11) */
	bool shares; /* its messages are compressed: what many get goes by the transport's append_shared */
	bool ended;  /* the client takes nothing any more: everything is dropped */
	bool behind; /* its backlog is over the soft mark: deltas collapse into one full state */
};

/* What was written to scratch, moved to the tick's memory. Empty, and logged, when it grew over scratch's limit. */
struct str outbox_take(struct outbox_shard *here);
/* An empty outbox; here must outlive it. */
void outbox_init(struct outbox *outbox, struct outbox_shard *here, struct transport *transport);
/* Nothing is sent any more; pending deltas are dropped. */
void outbox_close(struct outbox *outbox);
/* A push: a JSON object, in memory that lives until the end of the tick. */
void outbox_push(struct outbox *outbox, struct str json);
/* A push that others of this shard get as well; shared must live until the end of the tick. */
void outbox_push_shared(struct outbox *outbox, struct shared_text *shared);
/* A reply: seals pending deltas first, and is never part of an array. */
void outbox_reply(struct outbox *outbox, struct str json);
/* A room event: head_id in front of what all members get. Both must live until the end of the tick. */
void outbox_push_room(struct outbox *outbox, struct shared_text *shared, const struct str *head_id);
/* The state of a component changed from before (borrowed) by delta (given away). */
void outbox_push_delta(struct outbox *outbox, struct pending_delta *pending, const live_value *before,
		       const live_value *delta);
/* Makes what is pending of one component final: when it ends, or when order matters. */
void outbox_seal(struct outbox *outbox, struct pending_delta *pending);
/* Composes everything into out by the transport and empties the outbox. */
void outbox_compose(struct outbox *outbox, struct buf *out);

#endif
