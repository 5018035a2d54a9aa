/*
 * find - components and clients of one shard by the ids that a program names them by. Threads: [shard].
 */
#ifndef SERVER_EMBED_FIND_H
#define SERVER_EMBED_FIND_H

#include <live/component.h>

#include "core/str.h"

struct errand_leg;
struct server_shard;
struct session;

/* The component that a leg names as "component"; NULL: not here, and the leg is ended. */
live_component *find_asked_component(struct errand_leg *leg, struct server_shard *here);
/* The client that it names as "connection", likewise. */
struct session *find_asked_session(struct errand_leg *leg, struct server_shard *here);

#define FIND_NO_COMPONENT "Component not found"
#define FIND_NO_CONNECTION "Connection not found"

#endif
