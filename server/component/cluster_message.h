/*
 * cluster_message - what nodes tell one another about singletons: JSON as the reference's cluster adapter writes it
 * (behaviour.md 14.2), with fields of our own where we need more.
 *
 *	{"type":"delta","origin":"nodeA_01","componentId":"Ab3dEf9_","componentName":"Board","delta":{"n":5},"seq":12}
 *	{"type":"action_request","origin":"nodeB_02","request":{"sourceInstanceId":"nodeB_02", ...}}
 *	{"type":"action_response","origin":"nodeA_01","response":{"success":true,"result":5,"requestId":"r1_r1_r1"}}
 *
 * Ours alone: "push" (a message of the singleton for its clients elsewhere), "singleton_claimed", "singleton_released"
 * and "singleton_ended"; in a request "write" (a property or state write, not an action) and "fence" (of the claim that
 * it is for: one that comes late, when its owner has lost the claim and won it again, is not done); and the last member
 * "mac" of a message: HMAC-SHA256 with the cluster's secret over all the text before it. With a secret, what lacks the
 * right one is not listened to.
 *
 * Threads: [shard] of the mac.
 */
#ifndef SERVER_COMPONENT_CLUSTER_MESSAGE_H
#define SERVER_COMPONENT_CLUSTER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/str.h"

struct mac;
struct singleton_request;

struct cluster_names { /* who says it, and of what */
	struct str origin;
	struct str component_id;
	struct str component_name;
	struct mac *mac; /* NULL: messages are not sealed */
};

void cluster_write_delta(struct buf *out, const struct cluster_names *names, const live_value *delta, uint64_t seq);
/* text: a push of the singleton, JSON. */
void cluster_write_push(struct buf *out, const struct cluster_names *names, struct str text);
/* type: one of the singleton_... above. */
void cluster_write_note(struct buf *out, const struct cluster_names *names, const char *type);
struct cluster_target { /* the owner that a request is for */
	struct str port;
	uint64_t fence; /* of its claim; 0: not known */
};

/* An action or a write; id names its answer. */
void cluster_write_request(struct buf *out, const struct cluster_names *names, const struct cluster_target *target,
			   struct str id, const struct singleton_request *request);
/* The answer to it, as "response" has it; result_json ptr NULL: none; error ptr NULL: success. */
void cluster_write_result(struct buf *out, struct str id, struct str result_json, struct str error);
/* The answer as a message. */
void cluster_write_response(struct buf *out, const struct cluster_names *names, struct str result);

/* Whether text ends with the seal that mac makes of the rest. */
bool cluster_seal_holds(struct str text, struct mac *mac);
/* The message, or one that is stored, which the caller owns; NULL: it is no object in JSON. */
const live_value *cluster_read(struct str text);
/* The string named key of object, or an empty one. */
struct str cluster_text(const live_value *object, const char *key);

#endif
