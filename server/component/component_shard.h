/*
 * component_shard - what the components of one shard share: registry, signer, rooms, settings, scratch memory, figures.
 *
 * One per shard, made when the shard starts and freed when it stops; found from a shard by component_shard_of. Threads:
 * [shard], figures are read [any].
 */
#ifndef SERVER_COMPONENT_COMPONENT_SHARD_H
#define SERVER_COMPONENT_COMPONENT_SHARD_H

#include <stdint.h>

#include "core/counter.h"
#include "core/id.h"
#include "core/list.h"
#include "core/map.h"
#include "server/protocol/outbox.h"
#include "server/security/signature.h"

struct alerts;
struct auth_manager;
struct broadcast_text;
struct definition;
struct cluster_settings;
struct cluster_shard;
struct debug_hub;
struct debug_tap;
struct pool;
struct registry;
struct returns;
struct rooms;
struct rooms_options;
struct shard;

struct component_settings {         /* shared, read-only */
	unsigned diff_depth;        /* nested levels that a state change is compared in */
	int64_t signature_renew_ms; /* at most one STATE_SIGNATURE per component in this time; 0: none */
	int64_t action_slow_ms;     /* an action that takes longer raises an alert; 0: none does */
	int64_t mount_slow_ms;      /* a mount that takes longer raises an alert; 0: none does */
	int64_t error_alert_count;  /* so many errors of a component raise one, and each further; 0: none do */
	int64_t action_timeout_ms;  /* a deferred reply that has not come by then is an error; 0: waits for ever */
	unsigned components_per_client;
	unsigned state_backups; /* of the last states that were signed */
	unsigned rooms_per_client;
	unsigned logging;                /* bits of LIVE_LOG_...: of what concerns no component */
	const char *node;                /* the name of this node */
	const struct auth_manager *auth; /* never NULL */
	struct pool *pool;
	const struct cluster_settings *cluster; /* NULL: the node is alone */
	struct debug_hub *debug;                /* NULL: none */
	struct live_server *server;             /* for components that ask; NULL: none */
	struct id_source ids;                   /* of components */
};

struct component_counters {
	counter components; /* alive now */
	counter mounts;
	counter actions;
	counter action_errors;
	counter state_changes;
	counter room_frames; /* room pushes appended to outboxes */
	counter collapses;   /* deltas left out for a client that is behind */
	counter alerts;      /* for what was slow, or failed too often */

	/* Singletons in a cluster. */
	counter cluster_owned;     /* now, by this shard */
	counter cluster_mirrored;  /* now: owned elsewhere, with clients here */
	counter cluster_claims;    /* that were won */
	counter cluster_takeovers; /* of these, with clients that had them before */
	counter cluster_losses;    /* of a claim, to another node */
	counter cluster_saves;     /* that were confirmed */
	counter cluster_unknown;   /* questions to the store that had no answer */
	counter cluster_forwards;  /* requests sent to an owner elsewhere */
	counter cluster_timeouts;  /* requests that had no answer in time, or changes that were not stored in time */
	counter cluster_visits;    /* requests that came from other nodes */
	counter cluster_repeats;   /* of these, known already */
	counter cluster_deltas;    /* heard, of singletons that are mirrored */
	counter cluster_gaps;      /* in these */
	counter cluster_unsealed;  /* messages that the secret did not seal */
	counter cluster_malformed; /* messages that were none */
};

/* Work in flight that will come back to code of a definition, or to what that points to, when its component may be gone
 * already: the code stays open for it. */
struct borrower {
	struct list link; /* component_shard->borrowers */
	const struct definition *definition;
};

struct component_shard {
	struct shard *shard;
	unsigned trace;          /* categories that the debugger hears of: all or none (trace.h) */
	struct debug_tap *debug; /* NULL: it is off */
	struct alerts *alerts;
	const struct registry *registry;
	const struct component_settings *settings;
	struct signer *signer;
	struct rooms *rooms;
	struct outbox_shard out; /* how messages are written and sent */
	struct list instances;   /* of live_component */
	struct list borrowers;   /* of struct borrower, but for those of deferred */
	struct list deferred;    /* of live_deferred: replies that somebody has to end, as borrowers */
	struct list ended;       /* of live_deferred: the last ones that were ended, oldest first */
	unsigned ended_count;
	struct list waiting;              /* calls whose replies are deferred */
	struct map singletons;            /* of struct audience, by name: of those that live here */
	struct map persistents;           /* of struct persistent, by the component's name */
	struct map proxies;               /* of struct proxy, by name: singletons that clients of this shard mounted */
	struct cluster_shard *cluster;    /* NULL: the node is alone */
	struct returns *returns;          /* of clients that come back */
	struct broadcast_text *broadcast; /* the last one of this tick (broadcast.c); NULL: none */
	struct component_counters counters;
};

/* rooms: options of the shard's rooms; its hooks are set here. Never NULL. [start] or [shard] */
struct component_shard *component_shard_new(struct shard *shard, const struct registry *registry,
					    const struct component_settings *settings, const struct signing_keys *keys,
					    const struct rooms_options *rooms);
/* Destroys what still lives. NULL is fine. */
void component_shard_free(struct component_shard *here);
/* NULL once it has ended: mail may still come in the shard's last tick. */
struct component_shard *component_shard_of(struct shard *shard);

#endif
