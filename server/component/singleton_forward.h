/*
 * singleton_forward - what clients of this node ask of a singleton that another node owns: sent there, and answered
 * when the answer comes, or with an error when it does not come in time.
 *
 * Each has an id by which the owner knows it again, so it may be sent to the next owner when the first one has gone.
 *
 * Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_FORWARD_H
#define SERVER_COMPONENT_SINGLETON_FORWARD_H

#include <stdbool.h>

#include <live/value.h>

#include "core/list.h"
#include "core/str.h"

struct audience;
struct cluster_shard;
struct cluster_target;
struct owner;
struct singleton_request;

struct forwards { /* of one singleton */
	const struct audience *audience;
	struct list list; /* of struct forward, oldest first */
	unsigned count;
	struct cluster_shard *cluster;
	/* Whoever it was sent to may be the owner no more: it says so, or said nothing in time. */
	void (*in_doubt)(struct forwards *forwards);
};

void forwards_init(struct forwards *forwards, const struct audience *audience,
		   void (*in_doubt)(struct forwards *forwards));
/* Takes request, lets its client go on, and sends it to owner (no port: as soon as forwards_send tells one). */
void forwards_add(struct forwards *forwards, struct singleton_request *request, const struct cluster_target *owner);
/* Sends all again, to a new owner. */
void forwards_send(struct forwards *forwards, const struct cluster_target *owner);
/* Answers all with an error. */
void forwards_fail(struct forwards *forwards, struct str error);
/* The owner is the one that it was: what it refused stays refused. */
void forwards_fail_refused(struct forwards *forwards);
/* The owner is this node: has it do all, but those that the owner before did. */
void forwards_serve(struct forwards *forwards, struct owner *owner);
/* Another port answered: the forward that it is the answer of, if it was sent there, is done. */
void forward_answered(struct cluster_shard *cluster, struct str origin, const live_value *response);

#endif
