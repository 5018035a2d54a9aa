/*
 * singleton_mail - what travels between a singleton's home and the shards of its clients. Private to the two singleton
 * files.
 *
 * Threads: made [shard], delivered [mail].
 */
#ifndef SERVER_COMPONENT_SINGLETON_MAIL_H
#define SERVER_COMPONENT_SINGLETON_MAIL_H

#include <live/value.h>

#include "core/frame.h"
#include "core/list.h"
#include "core/str.h"
#include "server/component/definition.h"
#include "shard/shard.h"

struct call_asker;
struct component_shard;

enum singleton_ask { ASK_MOUNT, ASK_DETACH, ASK_REFRESH, ASK_ACTION, ASK_PROPERTY, ASK_STATE };

/* From a client's shard to the home; or from another node, which then answers to its client. */
struct singleton_request {
	struct mail mail;
	struct list link; /* of those that wait at the home */
	enum singleton_ask ask;
	const struct definition *definition;
	struct handle client;
	bool is_legacy;
	bool expect_response;
	bool rehydrates;
	bool is_released;         /* the client was held, and goes on before it is answered */
	const live_value *value;  /* ours: props, payload, property or state */
	const live_value *seed;   /* ours, or NULL */
	const live_auth *auth;    /* ours: who asks, or NULL */
	struct call_asker *asker; /* MOUNT: the program that mounts it, until it was told; NULL: the client */
	struct str connection;    /* these are in text */
	struct str component_id;
	struct str request_id;
	struct str word;   /* the action, the property, or the room of a mount */
	struct str source; /* the port that forwarded it, under request_id; ptr NULL: it is of this node */
	char text[];
};

/* What to copy into a request; the lengths decide its size. */
struct singleton_request *singleton_request_new(const struct singleton_request *from);
/* A program that was not told hears that the server has ended. */
void singleton_request_free(struct singleton_request *request);
/* The shard where the singleton lives. */
unsigned singleton_home(const struct component_shard *here, const struct definition *definition);
/* At the home. Whether it keeps request, which is then its own. */
bool singleton_serve(struct component_shard *here, struct singleton_request *request);

enum singleton_news { NEWS_ATTACHED, NEWS_PUSH, NEWS_DELTA, NEWS_STATE, NEWS_ENDED };

/* From the home to a client's shard. */
struct singleton_notice {
	struct mail mail;
	enum singleton_news news;
	const struct definition *definition;
	struct handle client; /* ATTACHED, STATE */
	struct frame *frame;  /* ours: PUSH, DELTA; STATE: the whole of it, for one client */
	struct frame *legacy; /* ours, or NULL: PUSH, DELTA to older clients */
	struct str id;        /* of the singleton; in text */
	char text[];
};

struct singleton_notice *singleton_notice_new(enum singleton_news news, const struct definition *definition,
					      struct str id);
/* At a client's shard. */
void singleton_hear(struct component_shard *here, struct singleton_notice *notice);

#endif
