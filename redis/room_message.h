/*
 * room_message - what nodes tell each other about a room, as it stands on the wire.
 *
 * In JSON it is what the reference writes (its members in its order), and behind them what it does not know: the
 * version that Redis gave a change ("v"), in which lineage ("e") and, where that begins, behind which one ("p"), the
 * sender's commit with its last change ("c"), how many members the sender has ("members"), the node that it speaks for
 * ("node"), and a signature ("sig"). MessagePack holds the same map, signed by a trailer. Every node reads both.
 * Threads: [any].
 */
#ifndef REDIS_ROOM_MESSAGE_H
#define REDIS_ROOM_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/str.h"

enum { ROOM_SIGNATURE_BYTES = 32 };

enum room_message_type {
	ROOM_MESSAGE_EVENT,
	ROOM_MESSAGE_STATE,
	ROOM_MESSAGE_MEMBERSHIP,
	ROOM_MESSAGE_PRESENCE, /* ours alone: how many members the sender has, when that changed without a join or leave
				*/
};

struct room_message {
	enum room_message_type type;
	struct str room_id;
	struct str event;          /* EVENT */
	struct str data;           /* EVENT: JSON text */
	const live_value *updates; /* STATE; borrowed to encode, owned once decoded */
	bool joined;               /* MEMBERSHIP: else left */
	struct str member_id;      /* MEMBERSHIP */
	struct str node;           /* MEMBERSHIP: whose member it was, when the sender speaks for a node that is gone */
	struct str origin;
	uint64_t version; /* STATE: of the state after it; 0: none, the sender is a node of the reference */
	struct str lineage;
	struct str after; /* the lineage of the version before; when it was not there: empty to encode, lineage once
			     decoded */
	uint64_t commit;  /* 0: the commit has more changes, which come next */
	int64_t members;  /* MEMBERSHIP, PRESENCE: -1 unknown */
};

struct room_format {
	bool msgpack;        /* to write */
	struct str secret;   /* empty: nothing is signed or checked */
	struct buf *scratch; /* to work in; empty between calls */
	unsigned max_depth;  /* of what is read */
};

/* Appends message. Check buf_failed. */
void room_message_encode(struct buf *to, const struct room_message *message, const struct room_format *format);
/*
 * Takes bytes apart; texts point into text (which is appended to), updates is the caller's to unref. 0; -EINVAL
 * when it is no message, -EACCES when it is not signed by the secret.
 */
int room_message_decode(struct room_message *message, struct str bytes, const struct room_format *format,
			struct buf *text) __attribute__((warn_unused_result));

/* A room's whole state, as it is stored. */
void room_state_encode(struct buf *to, const live_value *state, const struct room_format *format);
/* The stored state, or NULL when it is none; the caller owns it. */
const live_value *room_state_decode(struct str bytes, const struct room_format *format);
/* The signature of a stored state, in hex without a NUL. */
void room_state_sign(char hex[2 * ROOM_SIGNATURE_BYTES], struct str room_id, uint64_t version, struct str bytes,
		     const struct room_format *format);
/* Whether a and b are the same, in a time that does not tell where they differ. */
bool room_signature_is_equal(struct str a, struct str b);

#endif
