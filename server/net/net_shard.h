/*
 * net_shard - what the connections of one shard share: the receive buffer, the staging buffer, the list of those that
 * want to send in this tick, the lists by state, the counters.
 *
 * Made once per shard when it starts (on its thread, or before it for a manual group) and freed when it stops, which
 * closes what is still open. Threads: [shard], but for the counters, which are read [any].
 */
#ifndef SERVER_NET_NET_SHARD_H
#define SERVER_NET_NET_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "server/net/net_counters.h"

struct connection;
struct net_shard;
struct shard;

struct net_options {
	size_t receive_bytes;       /* the shared receive buffer; 0: 128 KiB. Also the most that one connection may
				       leave unconsumed */
	size_t staging_keep_bytes;  /* the staging buffer keeps this much between flushes; 0: 256 KiB */
	size_t staging_limit_bytes; /* the most that one on_flush may compose; 0: 64 MiB */
	size_t backlog_total_bytes; /* waiting on this shard in all; above it, slow clients go (over their soft mark);
				       0: 1 GiB */
	unsigned per_address;       /* connections of one host (an IPv6 network of 64 bits) on this shard; not for unix
				       sockets and trusted proxies; 0: no cap */
};

/* The edge of shard. options may be NULL. Never NULL. */
struct net_shard *net_shard_new(struct shard *shard, const struct net_options *options);
/* Closes at once what is still open (each owner gets its on_closed) and frees. The shard's graveyard frees the
 * connections, so call it no later than the shard's on_stop. NULL is fine. */
void net_shard_free(struct net_shard *net);
struct shard *net_shard_shard(const struct net_shard *net);
/* Written [shard], read [any]. */
struct net_counters *net_shard_counters(struct net_shard *net);
/* What the layers above keep per shard, embedded in their structs; freed with net. */
enum net_slot { NET_SLOT_DEFLATE, NET_SLOT_TLS, NET_SLOTS };
struct net_attachment {
	void (*free)(struct net_attachment *self);
};
/* Gives attachment away; the slot must be empty. */
void net_shard_attach(struct net_shard *net, enum net_slot slot, struct net_attachment *attachment);
/* What is in the slot, or NULL. */
struct net_attachment *net_shard_attachment(const struct net_shard *net, enum net_slot slot);
/* How many connections are not closed yet. */
size_t net_shard_count(const struct net_shard *net);
/* Asks every owner to end (its on_shutdown; without one the connection is closed after its flush), and owners that
 * connections come to later: by the end of a handshake, or an upgrade. Sockets that come later are closed at once. Call
 * net_shard_free when net_shard_count is 0 or patience is over. */
void net_shard_shutdown(struct net_shard *net);
/* Asks up to most of the connections to end, those first that were not asked yet; others may still come. For sending
 * them away over a while: call net_shard_shutdown at its end. */
void net_shard_shutdown_some(struct net_shard *net, size_t most);
/* Calls visit for each connection that is not closed; visit may close any. */
void net_shard_each(struct net_shard *net, void (*visit)(struct connection *, void *), void *argument);

#endif
