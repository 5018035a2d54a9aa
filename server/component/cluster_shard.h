/*
 * cluster_shard - a shard's place among the shards of all nodes, for the singletons whose home it is.
 *
 * It hears what others tell and passes it on: requests for singletons that are owned here, answers to requests that
 * were forwarded from here, changes of singletons that are mirrored here. There is none on a node that is alone.
 *
 * Threads: [shard], but the counters, which are read [any].
 */
#ifndef SERVER_COMPONENT_CLUSTER_SHARD_H
#define SERVER_COMPONENT_CLUSTER_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "core/map.h"
#include "core/str.h"
#include "pubsub/cluster.h"
#include "server/component/cluster_message.h"

struct audience;
struct component_shard;
struct mac;

/* The words of behaviour.md 14.2. */
#define CLUSTER_LOST "OWNERSHIP_LOST: this instance no longer owns the singleton"
#define CLUSTER_MOVED "OWNERSHIP_LOST: singleton moved to another server"
#define CLUSTER_FAILED "Remote action failed"
#define CLUSTER_ENDING "Cluster adapter shutting down"

struct cluster_settings { /* shared, read-only */
	struct cluster_adapter *adapter;
	int64_t heartbeat_ms; /* at which claims are kept and looked at */
	int64_t timeout_ms;   /* for the answer to what was forwarded, or for a change to be stored */
	bool acks_local;      /* answer changes before they are stored */
	struct str secret;    /* seals messages; empty: they are not */
};

struct cluster_shard {
	struct cluster_port port;
	struct component_shard *here;
	const struct cluster_settings *settings;
	struct mac *mac;      /* NULL: messages are not sealed */
	struct list owners;   /* of struct owner, also those that let go */
	struct map forwards;  /* of struct forward, by id */
	uint64_t forward_ids; /* given so far */
	unsigned mirrors;     /* deltas are heard while there are some */
	bool is_heard;        /* who is told of a claim can reach us */
	bool is_ending;
};

/* Opens a port for here. Never NULL. */
struct cluster_shard *cluster_shard_new(struct component_shard *here, const struct cluster_settings *settings);
/* Lets go of what is owned as well as may be, closes the port. After the instances have ended. NULL is fine. */
void cluster_shard_free(struct cluster_shard *cluster);
/* Names for messages about audience. */
struct cluster_names cluster_names(const struct cluster_shard *cluster, struct str component_id,
				   struct str component_name);
/* Answers a request that instance source forwarded; result as cluster_write_result makes it. */
void cluster_respond(struct cluster_shard *cluster, struct str source, struct str result);
/* The same for one that was refused. */
void cluster_refuse(struct cluster_shard *cluster, struct str source, struct str request_id, struct str error);
/* Tells message to the port of that id. */
void cluster_tell(struct cluster_shard *cluster, struct str id, struct str message);
/* A claim that was won as name, and that nobody here wants any more. */
void cluster_give_back(struct cluster_shard *cluster, struct str name, const struct cluster_answer *claim);
/* One more, or one less, singleton here that is owned elsewhere. */
void cluster_mirrors_add(struct cluster_shard *cluster, int change);
/* Gives all singletons that are owned here to other nodes: the node is about to leave. Their clients here go on with
 * them; if no other node wants one within two seconds, it is claimed here again. */
void cluster_hand_over(struct cluster_shard *cluster);

#endif
