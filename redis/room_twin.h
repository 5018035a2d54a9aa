/*
 * room_twin - a room of this node as Redis knows it: the state there, its version, and what of ours is not there yet.
 *
 * What the room shows is always base (Redis's state) with the changes that wait (items) merged upon it in order. When
 * Redis's order turns out to be another one, base is what Redis says, and the room is told what that comes to. At most
 * one commit is out at a time, with all that waits in it; a lost answer leaves it unsure until Redis has been asked.
 *
 * For the files of redis/room_* alone. Threads: [shard].
 */
#ifndef REDIS_ROOM_TWIN_H
#define REDIS_ROOM_TWIN_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/id.h"
#include "core/list.h"
#include "core/map.h"
#include "redis/link.h"
#include "redis/room_adapter.h"
#include "redis/room_message.h"
#include "shard/shard.h"

enum {
	TWIN_ITEMS_MAX = 4096,    /* that wait; beyond it events are dropped and changes become one */
	TWIN_BYTES_MAX = 4 << 20, /* of texts that wait */
	TWIN_COLLAPSE = 64,       /* changes that wait while Redis is gone, before they become one */
	TWIN_BATCH_ITEMS = 128,   /* in one commit */
	TWIN_REST_MS = 1000,      /* that a restored room rests, so that who knows more can say so */
	TWIN_RETRY_MS = 250,      /* after a refusal */
	TWIN_ORIGIN_MAX = 32,     /* bytes of a node's name that are kept */
	TWIN_OTHERS_MAX = 4096,   /* nodes whose members are counted */
	TWIN_LINGER_MAX = 65536,  /* closed rooms that still wait for Redis, per shard */
};

struct redis_room_adapter;

struct redis_rooms { /* the adapter on one shard */
	struct redis_room_adapter *adapter;
	struct rooms *rooms; /* NULL before the first room */
	struct redis_link *link;
	struct shard *shard;
	int64_t ttl; /* seconds */
	int64_t commit_ms;
	uint64_t last_commit; /* of all rooms: a number is used once in the life of this process */
	struct str nodes_key;
	struct room_format format;
	struct buf scratch; /* format's */
	struct map twins;   /* struct room_twin, by room id */
	unsigned lingering;
	struct redis_watch watch;
	struct timer beat;
	struct redis_rooms_figures figures;
};

enum twin_item_kind { TWIN_STATE, TWIN_EVENT, TWIN_MEMBERSHIP };

struct twin_item { /* something of ours that is not in Redis yet */
	struct twin_item *next;
	enum twin_item_kind kind;
	uint64_t sent;           /* the first commit that held it and may be done; 0: none */
	bool is_seed;            /* STATE: only if there is no state */
	bool joined;             /* MEMBERSHIP */
	int64_t members;         /* MEMBERSHIP: after it */
	const live_value *delta; /* STATE */
	struct str name;         /* EVENT; MEMBERSHIP: who */
	struct str data;         /* EVENT */
	char bytes[];
};

struct twin_commit { /* the one that is out */
	bool is_out;
	bool is_unsure;   /* its answer is lost */
	bool was_unsure;  /* an answer of it was lost: it may be done in what Redis has lost since */
	bool is_batch;    /* of a cluster room's changes, not of items */
	bool is_restore;  /* of base itself */
	bool is_given_up; /* it was a batch, and its askers are told that they will not know */
	unsigned items;   /* the first so many are in it */
	uint64_t number;  /* of this node's commits; the same when it is sent again as it was */
	uint64_t expected;
	uint64_t version;
	char expected_lineage[ID_LEN + 1];
	char lineage[ID_LEN + 1];
	const live_value *state;
};

struct twin_other { /* another node, as heard of in this room */
	char origin[TWIN_ORIGIN_MAX];
	uint32_t members;
	bool is_heard;   /* since our last question about members was asked: newer than its answer */
	uint64_t commit; /* its last that is in base */
};

struct twin_whole { /* base before the commit of which the first changes were heard, and not all; base NULL: none is */
	const live_value *base;
	uint64_t version;
	char lineage[ID_LEN + 1];
};

struct room_twin {
	struct map_entry by_id;
	struct redis_rooms *home;
	struct redis_channel channel;
	bool is_cluster;
	bool is_open;     /* the room lives here; else the twin waits for its items to be done */
	bool is_answered; /* the room knows what is stored */
	bool is_synced;   /* base is Redis's, as far as we know */
	bool is_reading;
	bool reads_again;       /* something came meanwhile that a reading may not have seen */
	bool is_other;          /* the room shows something that is not of base and items: a reference node's change */
	bool was_live;          /* the others have heard of us before */
	bool renews;            /* our next commit begins a lineage: Redis may have gone back meanwhile */
	bool is_miscounted;     /* a join or leave could not be told: the next beat sets it right */
	uint64_t heard;         /* the highest version heard of */
	const live_value *base; /* NULL: not known yet */
	uint64_t version;
	char lineage[ID_LEN + 1];
	uint64_t acked; /* our last commit that is in base */
	struct twin_whole whole;
	struct twin_item *first;
	struct twin_item **last;
	unsigned item_count;
	unsigned changes; /* of the items: STATE */
	size_t item_bytes;
	struct twin_commit commit;
	unsigned answers_ignored; /* of commits that are settled otherwise, and sent before the one that is out */
	struct twin_other *others;
	unsigned other_count;
	unsigned asked_members; /* questions about members that are not answered */
	uint32_t members;       /* of the room, on this node */
	uint32_t elsewhere;     /* on the others */
	struct tick_task pump;
	struct timer retry;
	struct timer expiry; /* cluster rooms: of what waits longest */
	struct grave grave;
	struct str id;
	char bytes[];
};

/* ---- room_twin.c: life, and what comes in ---- */

struct room_twin *room_twin_find(struct redis_rooms *home, struct str id);
/* A room opened here. */
void room_twin_open(struct redis_rooms *home, struct str id, bool is_cluster);
/* It closed here. */
void room_twin_close(struct room_twin *twin);
/* The link came up or went down. */
void room_twin_link_changed(struct room_twin *twin, bool is_up);
/* Frees at once. */
void room_twin_free(struct room_twin *twin);
/* Frees it at the end of the tick if the room is closed and nothing waits. */
void room_twin_settle(struct room_twin *twin);
/* Tells the room what is stored: state (borrowed), or NULL. Only the first time does anything. */
void room_twin_answer(struct room_twin *twin, const live_value *state);
/* <prefix>room:<what><id>, in the shard's arena. */
struct str room_twin_key(const struct room_twin *twin, const char *what);
struct str room_twin_origin(const struct room_twin *twin);
/* The other node of that name, made if there is none; NULL when there are too many. */
struct twin_other *room_twin_other(struct room_twin *twin, struct str origin);
/* Publishes message on the room's channel. */
void room_twin_publish(struct room_twin *twin, struct room_message *message);

/* ---- room_twin_items.c: what waits ---- */

/* Puts it behind what waits, or drops it when that is too much. text is copied. */
void room_twin_add_event(struct room_twin *twin, struct str name, struct str data);
void room_twin_add_membership(struct room_twin *twin, bool joined, struct str member_id);
/* delta and state (what the room shows with it) are borrowed. */
void room_twin_add_change(struct room_twin *twin, const live_value *delta, const live_value *state, bool is_seed);
/* How many of the first items are in commits of which it is not known yet whether they were done. */
unsigned room_twin_items_out(const struct room_twin *twin);
/* Takes the first count out; they are done. */
void room_twin_drop_items(struct room_twin *twin, unsigned count);
/* Takes those out that are in base, by our last commit there. */
void room_twin_drop_acked(struct room_twin *twin);
/* Takes out what cannot wait for a connection: events and memberships. */
void room_twin_drop_events(struct room_twin *twin);
/* Takes out the seed: there is a state. */
void room_twin_drop_seed(struct room_twin *twin);
/* base with the first count items upon it; the caller owns it. */
const live_value *room_twin_fold(const struct room_twin *twin, const live_value *base, unsigned count);
/* Something is to be sent at the end of this tick. */
void room_twin_wake(struct room_twin *twin);

/* ---- room_twin_sync.c: reading and committing ---- */

/* Reads what Redis has, now or after the reading that is under way. */
void room_twin_read(struct room_twin *twin);
/* The commit that is out is known to be done. */
void room_twin_committed(struct room_twin *twin);
/* Changes of a cluster room wait: they are committed soon, or given up in time. */
void room_twin_want_commit(struct room_twin *twin);
/* Sends what can be sent. */
void room_twin_pump(struct tick_task *task, struct shard *here);
void room_twin_retry(struct timer *timer);
void room_twin_expire(struct timer *timer);

/* ---- room_twin_commit.c: how a commit is put ---- */

/* Sends the commit that twin->commit describes (batch: its items, when it is one). As redis_link_eval. */
int room_twin_send_commit(struct room_twin *twin, const struct room_batch *batch, redis_answer *answer)
	__attribute__((warn_unused_result));

/* ---- room_twin_members.c: who is in the room elsewhere ---- */

/* Sets our members in Redis right and reads the others' counts. */
void room_twin_sync_members(struct room_twin *twin);
/* Tells of a join or leave. */
void room_twin_send_membership(struct room_twin *twin, const struct twin_item *item);
/* A membership or presence message came from another node. */
void room_twin_take_membership(struct room_twin *twin, const struct room_message *message);
/* Those nodes are alive, the others are not. */
void room_twin_check_others(struct room_twin *twin, const struct redisReply *living);

#endif
