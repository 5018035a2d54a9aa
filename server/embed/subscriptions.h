/*
 * subscriptions - the program's handlers of events on one shard: see <live/rooms.h>. Threads: [shard].
 */
#ifndef SERVER_EMBED_SUBSCRIPTIONS_H
#define SERVER_EMBED_SUBSCRIPTIONS_H

struct server_shard;

/* The shard ends: none of them is called any more. */
void subscriptions_end(struct server_shard *here);

#endif
