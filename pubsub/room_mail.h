/*
 * room_mail - what travels between a shard and a room's home.
 *
 * Two kinds of mail go to a home: a request (join, leave, set, get, update, watch), which the home turns round and
 * sends back as its own answer, and a dispatch, which is a room_event with all the mail it needs: one to the home, then
 * one to each shard that listens. So neither an answer nor a fan-out allocates anything.
 *
 * For the files of pubsub alone. Threads: [shard] the one that holds the mail; it may be discarded on any.
 */
#ifndef PUBSUB_ROOM_MAIL_H
#define PUBSUB_ROOM_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/str.h"
#include "pubsub/room_event.h"
#include "pubsub/rooms.h"
#include "shard/mailbox.h"

enum room_mail_kind {
	ROOM_MAIL_JOIN,
	ROOM_MAIL_LEAVE,
	ROOM_MAIL_SET_STATE,
	ROOM_MAIL_GET_STATE,
	ROOM_MAIL_UPDATE,
	ROOM_MAIL_WATCH,   /* a shard has its first handler in a channel of the event bus */
	ROOM_MAIL_UNWATCH, /* and no longer */
	ROOM_MAIL_OPENED,  /* the adapter's answer */
	ROOM_MAIL_EMIT,    /* a dispatch */
	ROOM_MAIL_RELAY,   /* a dispatch that comes from another node */
};

struct room_mail {
	struct mail mail; /* mail.next is the home's while the room opens */
	enum room_mail_kind kind;
	uint16_t from;  /* the shard that sent it */
	uint32_t hash;  /* map_hash of key: made once, used by the home and by each view */
	struct str key; /* of the channel; lies in the same allocation */
};

struct room_request {
	struct room_mail base;
	uint64_t serial; /* JOIN, LEAVE: the member; else the answer's number, 0 when nobody waits for one */
	struct room_origin exclude;
	const live_value
		*value; /* there: initial state, updates, argument, stored state; back: state or result. Owned */
	room_update_fn *update;
	struct str member_id;  /* JOIN; lies in the same allocation */
	const char *error;     /* back: static text, or NULL */
	uint64_t version;      /* back from JOIN */
	uint32_t member_count; /* back from JOIN */
	bool is_server_only;   /* JOIN: a room that this creates takes state from no client */
	bool is_clients;       /* SET_STATE: a client asks for it */
	char bytes[];          /* key, member_id */
};

struct room_slot { /* one shard's share of a dispatch */
	struct mail mail;
	struct room_event *event;
};

struct room_dispatch {
	struct room_mail base;
	struct room_event event;
	uint32_t slot_count;      /* slots that came with the allocation */
	struct room_slot *more;   /* used instead when there are too few; owned */
	struct room_slot slots[]; /* then key, name, data */
};

/* The request; member_id may be empty. Never NULL. */
struct room_request *room_request_new(struct rooms *rooms, enum room_mail_kind kind, struct str type,
				      struct str room_id, struct str member_id);
/* To the room's home. Gives it away. */
void room_request_send(struct rooms *rooms, struct room_request *request);
/* Back to where it came from (or just frees it when nobody waits there). error is static text or NULL. Gives request
 * and value (may be NULL) away. */
void room_request_answer(struct rooms *rooms, struct room_request *request, const char *error, const live_value *value);
void room_request_free(struct room_request *request);
static inline struct room_request *room_request_of(struct room_mail *mail)
{
	return (struct room_request *)mail;
}

struct room_event_text { /* what a new event says; all borrowed */
	struct str type;
	struct str room_id;
	struct str name;
	struct str data;
};

/* An event with one reference, copies of the text and slots for that many shards (or fewer, if that is very many),
 * which travels as mail of that kind. NULL when there is no memory for the text. */
struct room_dispatch *room_dispatch_new(const struct room_event_text *text, enum room_mail_kind kind, unsigned slots);
static inline struct room_dispatch *room_dispatch_of(struct room_mail *mail)
{
	return (struct room_dispatch *)mail;
}
static inline struct room_dispatch *room_dispatch_of_event(const struct room_event *event)
{
	return (struct room_dispatch *)((char *)(uintptr_t)event - offsetof(struct room_dispatch, event));
}

/* Sends the event, of which the caller holds the only reference, to each of the shards. Gives it away. */
struct room_seat;
void room_dispatch_fan_out(struct room_dispatch *dispatch, struct shard *here, const struct room_seat *seats,
			   uint32_t seat_count);

/* Frees mail of either kind. */
void room_mail_free(struct room_mail *mail);
/* About how many bytes of peers' data it holds. */
size_t room_mail_bytes(struct room_mail *mail);

#endif
