/*
 * singleton_cluster_private - what a clustered singleton is inside: for singleton_cluster.c (who owns it, its birth and
 * end) and singleton_mirror.c (its clients and its state while another node owns it) only.
 *
 * Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_CLUSTER_PRIVATE_H
#define SERVER_COMPONENT_SINGLETON_CLUSTER_PRIVATE_H

#include "server/component/audience.h"
#include "server/component/cluster_shard.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_forward.h"
#include "shard/shard.h"

enum role {
	ROLE_ASKING, /* nothing is known yet */
	ROLE_OWNER,
	ROLE_MIRROR, /* another node owns it, or nobody, and its state is known */
	ROLE_OVER,   /* waits for its last answer, then it is freed */
};

enum fate {             /* why the instance ends */
	    FATE_ENDED, /* its author wanted so */
	    FATE_LEFT,  /* its last client here has gone */
	    FATE_HANDED_OVER,
	    FATE_LOST,
};

struct clustered {
	struct cluster_shard *cluster;
	struct audience *audience; /* readable as long as the role is not OVER */
	enum role role;
	enum fate fate;
	struct owner *owner;      /* ROLE_OWNER */
	struct forwards forwards; /* what clients here asked of another owner */
	struct list waiting;      /* of singleton_request: mounts, until the state is known */
	struct timer patience;    /* theirs */
	char *elsewhere;          /* ours: the port that owns it; NULL: nobody that we know */
	uint64_t fence;           /* of its claim; 0: not known */
	const live_value *state;  /* ours; mirrored; NULL: not known */
	uint64_t seq;             /* of the last delta in it; 0: not known */
	const live_value *early;  /* ours: an array of deltas that were heard while asking */
	struct cluster_ask ask;   /* claim or look */
	char *name;               /* ours: in questions that are under way, when the definition may be another one */
	int64_t asked_ms;
	bool asking;
	bool again;            /* look again after the answer */
	bool is_mirrored;      /* counts among the shard's mirrors */
	unsigned looks;        /* in vain */
	int64_t claim_from_ms; /* others come first */
	struct timer timer;    /* to look */
	struct grave grave;
};

static inline struct component_shard *clustered_here(const struct clustered *self)
{
	return self->cluster->here;
}

/* ---- singleton_cluster.c ---- */

/* Asks who owns it, and for its state; once more when that is being asked. */
void clustered_look(struct clustered *self);
/* Claims what nobody has, if somebody here wants it and nobody else shall come first. */
void clustered_claim(struct clustered *self);
/* Remembers who owns it, by which claim; port empty: nobody. */
void clustered_set_elsewhere(struct clustered *self, struct str port, uint64_t fence);
/* Whom to send to. */
struct cluster_target clustered_target(const struct clustered *self);
void clustered_set_state(struct clustered *self, const live_value *state, uint64_t seq);
/* The audience ends, too; those who wait begin anew. error: for what was forwarded. */
void clustered_over(struct clustered *self, struct str error);
/* The same, if nobody here has mounted it or waits for it. */
void clustered_over_if_unwanted(struct clustered *self);

/* ---- singleton_mirror.c ---- */

/* Moves the requests that wait to a list of the caller's; and serves them, also when self has ended in this tick. */
void mirror_take_waiting(struct clustered *self, struct list *waiting);
void mirror_serve(struct clustered *self, struct list *waiting);
/* Serves those who waited for the state to be known. */
void mirror_serve_waiting(struct clustered *self);
/* Its clients get the state, as another owner has it. */
void mirror_push_state(struct clustered *self);
/* The state was read again: its clients get the difference. */
void mirror_catch_up(struct clustered *self, const live_value *state, uint64_t seq);
/* Takes in what was heard while the state was asked for. */
void mirror_hear_early(struct clustered *self);
/* Sends the owner again what it has not answered; it knows what it has done. */
void mirror_resend(struct clustered *self);

#endif
