/*
 * cluster - what singletons need of a cluster, as an interface: a store that knows who owns which singleton, and
 * channels that carry messages between nodes.
 *
 * A port is a shard's place in the cluster; its id names it to all others, as the claims that it holds and the channel
 * that it hears do. Questions go to the store and change it only if the asker still is who it says (the fence); they
 * are answered on the port's shard, later, exactly once: at the latest, with CLUSTER_UNKNOWN, when the port closes. An
 * adapter must never block, and what it cannot ask now it answers with CLUSTER_UNKNOWN. Messages may be lost, but are
 * not turned round: what one port told arrives in that order, also across the channels.
 *
 * What one may get wrong: an unknown answer does not say that nothing was done.
 *
 * Threads: the functions of an adapter [shard] of the port. An adapter is shared by all shards and keeps its state per
 * port.
 */
#ifndef PUBSUB_CLUSTER_H
#define PUBSUB_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/str.h"

struct cluster_adapter;
struct shard;

struct cluster_port { /* embedded in whoever opens it */
	char id[ID_LEN + 1];
	/* A message came on one of the channels; a loan for the call. */
	void (*heard)(struct cluster_port *port, struct str message);
	/* The cluster can be reached, for the first time or again, and the channels are heard: some of what was told
	 * meanwhile may have been missed, and the store may have forgotten what it knew. */
	void (*restored)(struct cluster_port *port);
	void *link; /* the adapter's */
};

enum cluster_verb {
	CLUSTER_CLAIM,  /* take the singleton unless somebody has it; tell who has it and what is stored */
	CLUSTER_LOOK,   /* tell who has it and what is stored */
	CLUSTER_KEEP,   /* it is still mine: for another lease */
	CLUSTER_SAVE,   /* keep, and store the state and tell the messages as one */
	CLUSTER_RELEASE /* save, then nobody owns it; its state stays for the next one */
};

enum cluster_verdict {
	CLUSTER_MINE,    /* it is the asker's, or was (release), and all that was asked is done */
	CLUSTER_OTHERS,  /* somebody else has it, or had it since: nothing was changed */
	CLUSTER_NOBODYS, /* nobody has it; nothing was changed */
	CLUSTER_UNKNOWN  /* the store was not reached, or did not answer */
};

struct cluster_answer { /* its strings are loans for the call */
	enum cluster_verdict verdict;
	struct str owner;        /* the id of the port that has it; empty: nobody */
	struct str component_id; /* that it has there */
	struct str state;        /* CLAIM, LOOK: as stored: an object with a member "state"; or empty */
	uint64_t seq;            /* of the last delta that state holds; 0: not known */
	/* CLAIM: to be given with all that follows; LOOK: of the owner; KEEP, SAVE: as the store had it before: another
	 * one than the asker's when it has forgotten something. 0: nothing is known */
	uint64_t fence;
	/* CLAIM: the answers to forwarded requests that the state holds already, oldest first. */
	const struct str *handled;
	size_t handled_count;
};

struct cluster_ask { /* on the heap, the asker's; the strings are loans until ask() returns */
	enum cluster_verb verb;
	struct str name;            /* of the singleton */
	struct str component_id;    /* that it has; CLAIM: shall have, unless the stored one has another */
	uint64_t fence;             /* as given by the claim; not for CLAIM and LOOK */
	bool revive;                /* KEEP, SAVE: also if the store has forgotten all about it */
	bool insists;               /* CLAIM: component_id is what clients know it by, whatever is stored */
	bool forget;                /* RELEASE: its state, too */
	struct str state;           /* SAVE, RELEASE: JSON; empty: as it is */
	uint64_t seq;               /* of the last delta that state holds */
	const struct str *messages; /* SAVE, RELEASE: to all that hear deltas */
	size_t message_count;
	const struct str *handled; /* SAVE, RELEASE: answers to forwarded requests that state holds now */
	size_t handled_count;
	bool handled_all; /* these are all there are: the store may have lost some */
	void (*answered)(struct cluster_ask *ask, const struct cluster_answer *answer);
};

struct cluster_adapter_ops {
	/* Takes a place for port, whose id and functions are set, and hears what is told to it. Never fails: what
	 * cannot be reached now is reached later. */
	void (*open)(struct cluster_adapter *adapter, struct shard *shard, struct cluster_port *port);
	/* Questions that wait are answered with CLUSTER_UNKNOWN before it returns; nothing is heard any more. */
	void (*close)(struct cluster_adapter *adapter, struct cluster_port *port);
	/* Whether port hears deltas, too: what owners tell to all. */
	void (*hear_deltas)(struct cluster_adapter *adapter, struct cluster_port *port, bool on);
	/* Asks; the answer never comes before this has returned. */
	void (*ask)(struct cluster_adapter *adapter, struct cluster_port *port, struct cluster_ask *ask);
	/* Tells message (a loan) to the port of that id. */
	void (*tell)(struct cluster_adapter *adapter, struct cluster_port *port, struct str id, struct str message);
};

struct cluster_adapter { /* embedded in the adapter's own struct */
	const struct cluster_adapter_ops *ops;
	int64_t lease_ms; /* that a claim is good for unless it is kept */
};

#endif
